#include "remaining_time.hpp"

#include <algorithm>
#include <cmath>

namespace svrg::app {
namespace {

// Convergence is linear only in the long run: the first epochs would mislead.
constexpr std::size_t remembered = 6;

}  // namespace

void RemainingTime::observe(double seconds, double grad_ratio) {
  if (!(grad_ratio > 0) || !std::isfinite(grad_ratio)) return;
  recent_.push_back({seconds, std::log(grad_ratio)});
  if (recent_.size() > remembered) recent_.pop_front();
}

// Least squares through (seconds, log ratio), extended to log(tolerance).
std::optional<double> RemainingTime::moment_of_tolerance() const {
  if (!(tolerance_ > 0) || recent_.size() < 3) return {};
  const auto n = static_cast<double>(recent_.size());
  double mean_t = 0, mean_y = 0, tt = 0, ty = 0;
  for (const auto& p : recent_) {
    mean_t += p.seconds / n;
    mean_y += p.log_ratio / n;
  }
  for (const auto& p : recent_) {
    tt += (p.seconds - mean_t) * (p.seconds - mean_t);
    ty += (p.seconds - mean_t) * (p.log_ratio - mean_y);
  }
  if (!(tt > 0) || !(ty < 0)) return {};  // not falling
  return mean_t + (std::log(tolerance_) - mean_y) * tt / ty;
}

std::optional<double> RemainingTime::seconds(double epochs_done, double seconds_now) const {
  std::optional<double> left;
  if (epochs_done > 0 && max_epochs_ > 0)
    left = std::max(0.0, max_epochs_ - epochs_done) * seconds_now / epochs_done;
  if (const auto moment = moment_of_tolerance()) {
    const double sooner = std::max(0.0, *moment - seconds_now);
    left = std::min(left.value_or(sooner), sooner);
  }
  return left;
}

}  // namespace svrg::app
