#pragma once
#include <deque>
#include <optional>

namespace svrg::app {

/// Guesses when a run will end: by the number of epochs at the present pace, or by the gradient
/// reaching the tolerance if it goes on falling as over the last epochs, whichever is sooner.
class RemainingTime {
 public:
  /// `tolerance` of |g|/|g0|, 0: none.
  RemainingTime(double max_epochs, double tolerance)
      : max_epochs_(max_epochs), tolerance_(tolerance) {}

  /// After each epoch. A ratio that is not known (NaN) is left out.
  void observe(double seconds, double grad_ratio);

  /// Seconds from now on, or nothing before there is anything to go by.
  std::optional<double> seconds(double epochs_done, double seconds_now) const;

 private:
  std::optional<double> moment_of_tolerance() const;

  struct Point {
    double seconds, log_ratio;
  };
  double max_epochs_, tolerance_;
  std::deque<Point> recent_;
};

}  // namespace svrg::app
