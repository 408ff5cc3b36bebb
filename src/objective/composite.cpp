// Parts of Hessians, and a dual bound.
#include <algorithm>
#include <cmath>
#include <limits>

#include "svrg/objective/margin_objective.hpp"

namespace svrg {

const Vec<double>& MarginObjective::curvature_bounds() {
  if (curvature_bounds_) return *curvature_bounds_;
  reducer_->start(size(), 0);
  each_part([&](const Part& part) {
    Vec<double> h = Vec<double>::Zero(size());
    model_.add_curvature_bounds(shard_.all(), part, h);
    Eigen::Map<Vec<double>>(reducer_->values(part.virtual_shard).data(), size()) += h;
  });
  reducer_->reduce();
  curvature_bounds_ =
      Eigen::Map<const Vec<double>>(reducer_->total().data(), size()) / total_weight_;
  return *curvature_bounds_;
}

Eigen::MatrixXd MarginObjective::feature_curvature(Index samples, std::uint64_t draw) {
  const Index m = size() / model_.margins_per_row();
  reducer_->start(m * m, 1);
  each_part([&](const Part& part) {
    const Part rows = sample(part, samples, draw);
    Eigen::MatrixXd h = Eigen::MatrixXd::Zero(m, m);
    model_.add_feature_curvature(shard_.all(), rows.first, rows.count, z_.data(), h);
    Eigen::Map<Eigen::MatrixXd>(reducer_->values(part.virtual_shard).data(), m, m) += h;
    reducer_->tail(part.virtual_shard)[0] += static_cast<double>(rows.count);
  });
  reducer_->reduce();
  return Eigen::Map<const Eigen::MatrixXd>(reducer_->total().data(), m, m) /
         (reducer_->total_tail()[0] * mean_weight_);
}

Eigen::MatrixXd MarginObjective::curvature(std::span<const Index> active, Index samples,
                                           std::uint64_t draw) {
  const auto m = static_cast<Index>(active.size());
  std::vector<std::int32_t> slot(static_cast<std::size_t>(size()), -1);
  for (std::size_t s = 0; s < active.size(); ++s)
    slot[static_cast<std::size_t>(active[s])] = static_cast<std::int32_t>(s);
  reducer_->start(m * m, 1);
  each_part([&](const Part& part) {
    const Part rows = sample(part, samples, draw);
    Eigen::MatrixXd h = Eigen::MatrixXd::Zero(m, m);
    model_.add_curvature(shard_.all(), rows.first, rows.count, z_.data(), slot, h);
    Eigen::Map<Eigen::MatrixXd>(reducer_->values(part.virtual_shard).data(), m, m) += h;
    reducer_->tail(part.virtual_shard)[0] += static_cast<double>(rows.count);
  });
  reducer_->reduce();
  Eigen::MatrixXd h = Eigen::Map<const Eigen::MatrixXd>(reducer_->total().data(), m, m) /
                      (reducer_->total_tail()[0] * mean_weight_);
  const bool blind = (h.diagonal().array() <= 0).any();
  for (Index s = 0; s < m; ++s) {
    const Index j = active[static_cast<std::size_t>(s)];
    if (blind && h(s, s) <= 0) h(s, s) = curvature_bounds()[j];
    h(s, s) += penalty_.curvature()[j];
  }
  return h;
}

double MarginObjective::scaled_duality_gap(ConstVecRef<double> w, ConstVecRef<double> gradient,
                                           double objective) {
  const Vec<double>&l1 = penalty_.threshold(), &l2 = penalty_.curvature();
  if (penalty_.l1() <= 0) return std::numeric_limits<double>::quiet_NaN();
  double largest = 1;  // of |v_j|/λ₁, v the gradient of the data term
  // Residuals whose sum g_b is made 0 move v_j by at most |g_b| √(largest curvature of j / h).
  const Index free = model_.free_intercepts();
  const double rest = free > 0 ? gradient.tail(free).norm() : 0;
  const double h = std::max(intercept_curvature_, 1e-300);
  const Vec<double>& bounds = curvature_bounds();
  for (Index j = 0; j < size(); ++j) {
    if (l1[j] <= 0) continue;
    const double slope = std::fabs(gradient[j] - l2[j] * w[j]) + rest * std::sqrt(bounds[j] / h);
    largest = std::max(largest, slope / l1[j]);
  }
  // The dual wants residuals that sum to 0; a rest g costs s·g·(b* − b) with b* − b ≈ −g/h.
  double intercepts = 0;
  for (Index j = 0; j < size(); ++j)
    if (l1[j] <= 0 && gradient[j] != 0)
      intercepts +=
          gradient[j] / largest * (gradient[j] / std::max(intercept_curvature_, 1e-300) - w[j]);
  reducer_->start(1, 0);
  each_part([&](const Part& part) {
    reducer_->values(part.virtual_shard)[0] +=
        model_.conjugate_sum(shard_.all(), part, r_.data(), 1 / largest);
  });
  reducer_->reduce();
  const double gap = objective + reducer_->total()[0] / total_weight_ + intercepts;
  return std::fmax(gap, 1e-15 * std::fabs(objective));  // a difference: rounding ends it there
}

}  // namespace svrg
