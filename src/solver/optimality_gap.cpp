#include <limits>

#include "svrg/solver/solver.hpp"

namespace svrg {

double optimality_gap(ConstVecRef<double> gradient, ConstVecRef<double> penalty_curvature,
                      Index intercepts, double intercept_curvature) {
  double gap = 0;
  for (Index j = 0; j < gradient.size(); ++j) {
    const bool intercept = j >= gradient.size() - intercepts;
    const double curvature = intercept ? intercept_curvature : penalty_curvature[j];
    if (!(curvature > 0)) return std::numeric_limits<double>::quiet_NaN();
    gap += gradient[j] * gradient[j] / (2 * curvature);
  }
  return gap;
}

}  // namespace svrg
