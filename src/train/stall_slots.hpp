#pragma once
#include <optional>
#include <string>
#include <vector>

#include "svrg/core/heartbeat.hpp"

namespace svrg {

/// What a rank's watchdog tells the others: waiting in a collective, at work, or there without
/// using its processor; or moving again.
enum class RankState { waits, works, idles, moves };

struct StallSlot {
  int rank = 0;
  RankState state = RankState::moves;
  Phase phase = Phase::other;
  Index collectives = 0;
  Index writes = 0;  // of this slot so far: one that does not grow is a dead rank's
};

/// 64 bytes of text, so that people can read the file, too.
inline constexpr std::size_t slot_size = 64;
std::string to_text(const StallSlot& slot);
std::optional<StallSlot> slot_of(const std::string& text);

/// The file of slots, one a rank. It is opened anew for each use: so a network file system hands on
/// what others wrote. Nothing here throws: a watchdog that cannot write has nobody to tell.
class StallSlots {
 public:
  /// @param path  empty: no file, nothing is written or found.
  StallSlots(std::string path, int ranks) : path_(std::move(path)), ranks_(ranks) {}
  bool write(const StallSlot& slot) const;
  /// By rank; those that never wrote are missing.
  std::vector<std::optional<StallSlot>> read() const;

 private:
  std::string path_;
  int ranks_;
};

}  // namespace svrg
