#include "solver/coordinate_descent.hpp"

#include <Eigen/Cholesky>
#include <cmath>
#include <utility>
#include <vector>

#include "svrg/core/soft_threshold.hpp"

namespace svrg {
namespace {

class Descent {
 public:
  Descent(const Eigen::MatrixXd& lower, ConstVecRef<double> g, ConstVecRef<double> w,
          ConstVecRef<double> t)
      : h_(lower.selfadjointView<Eigen::Lower>()), t_(t), u_(w), slope_(g) {}

  /// Over all coordinates; what was gained.
  double sweep() {
    double gain = 0;
    for (Index j = 0; j < u_.size(); ++j) gain += step(j);
    return gain;
  }

  /// Over those that are not 0, until they are at rest or `most` times; what was gained, and
  /// whether they are at rest.
  std::pair<double, bool> settle(int most, double tolerance) {
    find_moving();
    double all = 0;
    for (int i = 0; i < most; ++i) {
      double gain = 0;
      for (const Index j : moving_) gain += step(j);
      all += gain;
      if (!(gain > tolerance * all)) return {all, true};
    }
    return {all, false};
  }

  /// To the minimum over the coordinates that are not 0 as long as no sign changes, else to the
  /// first change.
  double newton_step() {
    find_moving();
    const auto m = static_cast<Index>(moving_.size());
    if (m == 0) return 0;
    const Eigen::LLT<Eigen::MatrixXd> factor(h_(moving_, moving_));
    if (factor.info() != Eigen::Success) return 0;
    Vec<double> q(m);
    for (Index s = 0; s < m; ++s) {
      const Index j = moving_[static_cast<std::size_t>(s)];
      q[s] = slope_[j] + (t_[j] > 0 ? std::copysign(t_[j], u_[j]) : 0);
    }
    const Vec<double> d = -factor.solve(q);
    double tau = 1;
    Index first = -1;
    for (Index s = 0; s < m; ++s) {
      const Index j = moving_[static_cast<std::size_t>(s)];
      if (t_[j] == 0 || u_[j] * d[s] >= 0 || -u_[j] / d[s] >= tau) continue;
      tau = -u_[j] / d[s];
      first = j;
    }
    for (Index s = 0; s < m; ++s) {
      const Index j = moving_[static_cast<std::size_t>(s)];
      u_[j] = j == first ? 0 : u_[j] + tau * d[s];
      slope_ += tau * d[s] * h_.col(j);
    }
    return tau * (0.5 * tau - 1) * q.dot(d);
  }

  const Vec<double>& answer() const { return u_; }

 private:
  double step(Index j) {
    const double curvature = h_(j, j);
    const double next = soft_threshold(u_[j] - slope_[j] / curvature, t_[j] / curvature);
    const double by = next - u_[j];
    if (by == 0) return 0;
    const double gain = -(slope_[j] * by + 0.5 * curvature * by * by +
                          t_[j] * (std::fabs(next) - std::fabs(u_[j])));
    u_[j] = next;
    slope_ += by * h_.col(j);
    return gain;
  }

  void find_moving() {
    moving_.clear();
    for (Index j = 0; j < u_.size(); ++j)
      if (u_[j] != 0 || t_[j] == 0) moving_.push_back(j);
  }

  const Eigen::MatrixXd h_;
  const Vec<double> t_;
  Vec<double> u_, slope_;  // slope: of the quadratic at u
  std::vector<Index> moving_;
};

}  // namespace

Vec<double> coordinate_descent(const Eigen::MatrixXd& lower, ConstVecRef<double> g,
                               ConstVecRef<double> w, ConstVecRef<double> t, double tolerance,
                               double least) {
  constexpr int most_rounds = 200, sweeps_a_round = 30;
  Descent descent(lower, g, w, t);
  double gained = 0;
  for (int round = 0; round < most_rounds; ++round) {
    const double gain = descent.sweep();
    gained += gain;
    if (!(gain > std::fmax(least, tolerance * gained))) break;
    const auto [settled, at_rest] = descent.settle(sweeps_a_round, tolerance);
    gained += settled;
    if (!at_rest) gained += descent.newton_step();
  }
  return descent.answer();
}

}  // namespace svrg
