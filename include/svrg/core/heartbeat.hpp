#pragma once
#include <atomic>
#include <cstdint>

#include "svrg/core/clock.hpp"
#include "svrg/core/types.hpp"

namespace svrg {

/// Where a rank is in a run. Marked by the one thread that trains, read by a watchdog from another:
/// a store a mark, no clock and no lock.
class Heartbeat {
 public:
  /// What a watchdog sees of it.
  struct Place {
    std::uint64_t marks = 0;  // so far: another number says that the rank has moved
    Phase phase = Phase::other;
    bool waits = false;     // in a collective
    Index collectives = 0;  // entered so far: equal on ranks that wait in the same one
    Index epoch = 0;
  };
  Place place() const noexcept {
    const std::uint64_t word = word_.load(std::memory_order_acquire);
    return {word >> phase_bits, static_cast<Phase>((word & mask) >> 1), (word & 1) != 0,
            collectives_.load(std::memory_order_relaxed), epoch_.load(std::memory_order_relaxed)};
  }

  /// Has done some work, in the phase it is in.
  void beat() noexcept { mark(phase(), false); }
  void beat(Phase phase) noexcept { mark(phase, false); }
  /// Into a collective; `counts` where all ranks of the run take part.
  void enter_collective(bool counts) noexcept {
    if (counts)
      collectives_.store(collectives_.load(std::memory_order_relaxed) + 1,
                         std::memory_order_relaxed);
    mark(phase(), true);
  }
  void leave_collective() noexcept { mark(phase(), false); }
  void set_epoch(Index epoch) noexcept { epoch_.store(epoch, std::memory_order_relaxed); }

  /// The phase it is in for as long as this lives; then the former one again.
  class Within {
   public:
    Within(Heartbeat& heartbeat, Phase phase) : heartbeat_(heartbeat), former_(heartbeat.phase()) {
      heartbeat_.beat(phase);
    }
    ~Within() { heartbeat_.beat(former_); }
    Within(const Within&) = delete;
    Within& operator=(const Within&) = delete;

   private:
    Heartbeat& heartbeat_;
    Phase former_;
  };

 private:
  static constexpr int phase_bits = 8;
  static constexpr std::uint64_t mask = (1U << phase_bits) - 1;

  Phase phase() const noexcept {
    return static_cast<Phase>((word_.load(std::memory_order_relaxed) & mask) >> 1);
  }
  void mark(Phase phase, bool waits) noexcept {
    const std::uint64_t marks = (word_.load(std::memory_order_relaxed) >> phase_bits) + 1;
    word_.store(marks << phase_bits | static_cast<std::uint64_t>(phase) << 1 | (waits ? 1U : 0U),
                std::memory_order_release);
  }

  std::atomic<std::uint64_t> word_{static_cast<std::uint64_t>(Phase::other) << 1};
  std::atomic<Index> collectives_{0}, epoch_{0};
};

}  // namespace svrg
