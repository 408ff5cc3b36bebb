#include <cmath>
#include <limits>

#include "svrg/core/soft_threshold.hpp"
#include "svrg/solver/solver.hpp"

namespace svrg {
namespace {

/// ½ λ₂ w² + λ₁|w| + v w + R*(−v), as sums of terms that are not negative.
double fenchel_young(double w, double gradient, double l2, double l1) {
  if (l1 == 0) return gradient * gradient / (2 * l2);
  const double v = gradient - l2 * w;
  const double best = -soft_threshold(v, l1) / l2;  // the minimum of R(u) + v u
  if (w != 0 && best != 0 && (w > 0) == (best > 0)) {
    const double slope = gradient + std::copysign(l1, w);
    return slope * slope / (2 * l2);
  }
  const double beyond = std::fmax(0.0, std::fabs(v) - l1);
  const double at_w = w == 0 ? 0 : 0.5 * l2 * w * w + (l1 + std::copysign(v, v * w)) * std::fabs(w);
  return std::fmax(0.0, at_w) + beyond * beyond / (2 * l2);
}

}  // namespace

double optimality_gap(const Penalty<double>& penalty, ConstVecRef<double> w,
                      ConstVecRef<double> gradient, const FreeIntercepts& intercepts) {
  const Index penalised = gradient.size() - intercepts.count;
  double gap = 0, least = std::numeric_limits<double>::infinity();
  for (Index j = 0; j < penalised; ++j) {
    const double l2 = penalty.curvature()[j];
    if (!(l2 > 0)) return std::numeric_limits<double>::quiet_NaN();
    gap += fenchel_young(w[j], gradient[j], l2, penalty.threshold()[j]);
    least = std::fmin(least, l2);
  }
  const double rest = gradient.tail(intercepts.count).norm();
  if (rest == 0) return gap;
  if (!(intercepts.curvature > 0)) return std::numeric_limits<double>::quiet_NaN();
  const double moved = rest * std::sqrt(intercepts.smoothness / intercepts.curvature);
  const double root = std::sqrt(gap) + moved / std::sqrt(2 * least);
  return root * root + rest * rest / (2 * intercepts.curvature);
}

}  // namespace svrg
