#pragma once
#include <array>
#include <map>
#include <string>
#include <vector>

#include "report/run_data.hpp"

namespace svrg::app::reporting {

/// Median and ends over repeats.
struct Spread {
  double median = 0, low = 0, high = 0;
};

/// What one number of ranks did.
struct Size {
  double ranks = 0, rows = 0;
  Spread seconds, communication;  // of the training; share of it
  std::array<double, phases> phase_seconds{};
  std::size_t repeats = 0, converged = 0;
  double passes = 0, bytes = 0;
};

/// How a study's times become speed-ups. The study, which has measurements, must outlive it.
class SpeedUp {
 public:
  explicit SpeedUp(const io::ScalingStudy& study);
  const io::ScalingStudy& study() const { return study_; }
  bool weak() const { return weak_; }
  const std::vector<Size>& sizes() const { return sizes_; }
  const auto& platforms() const { return platforms_; }
  double first_ranks() const { return sizes_.front().ranks; }

  /// Of a time on so many ranks, in units of the speed on the smallest number of them, which took
  /// `base` seconds.
  double efficiency(double ranks, double seconds, double base, double base_ranks) const;
  /// Likewise of a measured and of a simulated one; the latter in units of its own platform's.
  double efficiency(const Size& size, double seconds) const;
  double efficiency(const io::SimulatedRun& run) const;
  /// Part of the work that more ranks do not make faster, by least squares: Amdahl's of strong,
  /// Gustafson's of weak scaling. NaN with fewer than two numbers of ranks.
  double serial_part() const;
  /// The speed-up that it leads to.
  double fitted(double ranks) const;
  /// Measured or simulated, ascending.
  std::vector<double> all_ranks() const;
  /// The smallest measured number of ranks that is more than some node has cores; −1: none.
  double beyond_cores() const;

 private:
  const io::ScalingStudy& study_;
  bool weak_;
  std::vector<Size> sizes_;
  std::map<std::string, std::vector<const io::SimulatedRun*>> platforms_;
};

}  // namespace svrg::app::reporting
