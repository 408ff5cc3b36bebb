#pragma once
#include <string>
#include <vector>

namespace svrg::app::reporting {

/// A labelled place on an axis; a minor one has no label.
struct Tick {
  double at = 0;
  std::string label;
};

/// Numbers to places from 0 to 1, linear or by logarithm.
class Axis {
 public:
  Axis() = default;
  /// Ends at round numbers around [low, high], with at most about so many steps between; equal ends
  /// are moved apart.
  static Axis linear(double low, double high, int steps = 6);
  /// Ends at powers of ten, of positive numbers. Ticks of a narrow one also lie between these.
  static Axis logarithmic(double low, double high);
  /// Logarithmic, with a tick at each of these positive numbers, such as counts of ranks.
  static Axis at(std::vector<double> values);

  double place(double value) const;
  bool holds(double value) const;
  bool is_log() const noexcept { return log_; }
  const std::vector<Tick>& ticks() const noexcept { return ticks_; }

 private:
  double low_ = 0, high_ = 1;
  bool log_ = false;
  std::vector<Tick> ticks_;
};

/// Around some numbers: logarithmic where all are positive and span more than `decades`.
Axis axis_of(const std::vector<double>& values, bool may_be_log, double decades = 1.5);

}  // namespace svrg::app::reporting
