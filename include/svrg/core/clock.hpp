#pragma once
#include <array>
#include <chrono>
#include <string_view>

namespace svrg {

/// Seconds since some fixed moment; monotonic.
inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// What a rank spends an epoch on; the names are those of run.h5.
enum class Phase { data, full_gradient, inner, allreduce, wait, evaluate, checkpoint, other };
inline constexpr std::array<std::string_view, 8> phase_names = {
    "data", "full_gradient", "inner", "allreduce", "wait", "evaluate", "checkpoint", "other"};

/// Seconds per phase, of this rank.
class PhaseTimes {
 public:
  double& operator[](Phase p) { return seconds_[static_cast<std::size_t>(p)]; }
  double operator[](Phase p) const { return seconds_[static_cast<std::size_t>(p)]; }
  const std::array<double, phase_names.size()>& all() const noexcept { return seconds_; }

 private:
  std::array<double, phase_names.size()> seconds_{};
};

/// Adds its own lifetime to one phase.
class ScopedPhase {
 public:
  ScopedPhase(PhaseTimes& times, Phase phase) : slot_(times[phase]), start_(now()) {}
  ~ScopedPhase() { slot_ += now() - start_; }
  ScopedPhase(const ScopedPhase&) = delete;
  ScopedPhase& operator=(const ScopedPhase&) = delete;

 private:
  double& slot_;
  double start_;
};

}  // namespace svrg
