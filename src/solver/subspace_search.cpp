#include "svrg/solver/subspace_search.hpp"

#include <Eigen/Cholesky>
#include <cmath>

namespace svrg {
namespace {

/// Solves H δ = −g after scaling H to a unit diagonal, with as much ridge as it needs to be
/// definite.
Vec<double> newton_step(const Eigen::MatrixXd& h, const Vec<double>& g) {
  const Vec<double> scale = h.diagonal().cwiseMax(1e-300).cwiseSqrt().cwiseInverse();
  const Eigen::MatrixXd scaled = scale.asDiagonal() * h * scale.asDiagonal();
  double ridge = 1e-10;
  while (true) {
    Eigen::MatrixXd a = scaled;
    a.diagonal().array() += ridge;
    const Eigen::LLT<Eigen::MatrixXd> factor(a);
    if (factor.info() == Eigen::Success || ridge > 1)
      return -(scale.asDiagonal() * factor.solve(scale.cwiseProduct(g))).eval();
    ridge *= 100;
  }
}

}  // namespace

SearchResult subspace_search(MarginObjective& objective, double f, ConstVecRef<double> w,
                             ConstVecRef<double> g, std::span<const Direction* const> directions,
                             bool verify) {
  constexpr int most_steps = 4, most_halvings = 12;
  constexpr double small = 0.005;  // of F: below it the quadratic model is trusted
  const auto k = static_cast<Index>(directions.size());
  const Vec<double>& lambda = objective.penalty().curvature();
  // The penalty is a quadratic in α: linear part b, matrix R.
  Vec<double> b(k), slope(k);
  Eigen::MatrixXd R(k, k);
  std::vector<const DirectionMargins*> q;
  for (Index i = 0; i < k; ++i) {
    const Vec<double>& pi = directions[static_cast<std::size_t>(i)]->step;
    q.push_back(&directions[static_cast<std::size_t>(i)]->margins);
    const Vec<double> lp = lambda.cwiseProduct(pi);
    b[i] = lp.dot(w);
    slope[i] = g.dot(pi);
    for (Index j = 0; j <= i; ++j)
      R(i, j) = R(j, i) = lp.dot(directions[static_cast<std::size_t>(j)]->step);
  }
  const auto penalty_change = [&](const Vec<double>& a) { return a.dot(b) + 0.5 * a.dot(R * a); };

  SearchResult result{Vec<double>::Zero(k), 0};
  Vec<double>& alpha = result.alpha;
  const auto at = [](const Vec<double>& a) {
    return std::span<const double>(a.data(), static_cast<std::size_t>(a.size()));
  };
  LineSums sums = objective.line_sums(q, at(alpha));
  const double start = sums.value;
  double best = 0;  // F(α) − F(0)
  for (int step = 0; step < most_steps; ++step) {
    const Vec<double> delta = newton_step(sums.hessian + R, slope);
    const double decrease = -0.5 * slope.dot(delta);
    if (!(decrease > 0)) break;
    const bool exact = objective.model().loss() == Loss::squared;
    if (exact || (!verify && decrease < small * std::fabs(f)) ||
        (step > 0 && decrease < 0.02 * -best)) {
      alpha += delta;
      result.predicted += decrease;
      break;
    }
    double t = 1;
    bool accepted = false;
    for (int i = 0; i < most_halvings && !accepted; ++i) {
      if (i > 0) t /= 2;
      const Vec<double> trial = alpha + t * delta;
      LineSums there = objective.line_sums(q, at(trial));
      const double change = there.value - start + penalty_change(trial);
      if (!(change <= best - 2e-4 * t * decrease + 1e-15 * std::fabs(f))) continue;
      accepted = true;
      result.predicted += best - change;
      best = change;
      alpha = trial;
      slope = there.gradient + b + R * alpha;
      sums = std::move(there);
    }
    if (!accepted) break;
  }
  return result;
}

}  // namespace svrg
