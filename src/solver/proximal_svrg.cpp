#include "svrg/solver/proximal_svrg.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "solver/coordinate_descent.hpp"
#include "svrg/core/error.hpp"
#include "svrg/core/soft_threshold.hpp"

namespace svrg {

ProximalSvrg::ProximalSvrg(MarginObjective& objective, EngineOptions options)
    : f_(objective), rows_(objective, options), g_(objective.size()) {}

void ProximalSvrg::take(ConstVecRef<double> w, const MarginObjective::Measurement& m) {
  now_.objective = m.objective;
  now_.grad_norm = f_.penalty().step_norm(w, g_, eta_);
  now_.gap = optimality_gap(f_.penalty(), w, g_, free_intercepts(f_));
  now_.gap = std::fmin(now_.gap, f_.scaled_duality_gap(w, g_, m.objective));  // NaN is no bound
  now_.measured = true;
  now_.requests = m.requests;
  now_.learning_rate = by_rows_ ? rows_.step_size() : 1;
}

Outcome ProximalSvrg::start(VecRef<double> w) {
  const auto smoothness = f_.smoothness();
  if (!std::isfinite(smoothness.largest))
    throw NumericError(
        "a row's squared norm overflows: divide the features by their largest value");
  eta_ = 1 / std::max(smoothness.mean + f_.penalty().l2(), 1e-300);
  const auto m = f_.gradient(w, g_);
  if (!m.finite) throw NumericError("the objective is not finite at the initial weights");
  take(w, m);
  if (!resumed_) now_.passes += 1;
  resumed_ = false;
  return now_;
}

std::vector<Index> ProximalSvrg::working_set(ConstVecRef<double> w) const {
  const Index P = f_.size();
  std::vector<Index> set;
  if (P <= most_parameters) {
    set.resize(static_cast<std::size_t>(P));
    std::iota(set.begin(), set.end(), Index{0});
    return set;
  }
  // How much a coordinate wants to move: its smallest subgradient.
  const Vec<double>& t = f_.penalty().threshold();
  std::vector<std::pair<double, Index>> wanted;
  Index there = 0;
  for (Index j = 0; j < P; ++j) {
    const bool inside = w[j] != 0 || t[j] == 0;
    const double urge = w[j] != 0 ? std::fabs(g_[j] + std::copysign(t[j], w[j]))
                                  : std::fabs(soft_threshold(g_[j], t[j]));
    there += inside;
    if (inside || urge > 0) wanted.emplace_back(inside ? -urge - 1e300 : -urge, j);
  }
  // Without room for most of those that want in, a set would come to rest where it is.
  if (static_cast<Index>(wanted.size()) > largest_working_set && 2 * there > largest_working_set)
    return {};
  const Index most = std::clamp<Index>(2 * there, 256, largest_working_set);
  const auto count = std::min(wanted.size(), static_cast<std::size_t>(most));
  std::partial_sort(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(count),
                    wanted.end());
  for (std::size_t i = 0; i < count; ++i) set.push_back(wanted[i].second);
  std::sort(set.begin(), set.end());
  return set;
}

Index ProximalSvrg::sample_size(std::size_t coordinates) const {
  const double n = static_cast<double>(f_.rows());
  const double wanted = growth_ * std::max(100.0 * static_cast<double>(coordinates), n / 20);
  return static_cast<Index>(std::min(n, wanted));
}

Vec<double> ProximalSvrg::newton_step(ConstVecRef<double> w, const std::vector<Index>& set) {
  const Index samples = sample_size(set.size());
  Eigen::MatrixXd h = f_.curvature(set, samples, static_cast<std::uint64_t>(now_.epoch) + 1);
  now_.passes += 0.5 * static_cast<double>(samples) / static_cast<double>(f_.rows());
  // A part of each diagonal element, as columns may differ in size by powers of ten; after a step
  // that failed, of the largest it can be: in a sample a rare column has hardly any.
  if (damping_ <= least_damping) {
    h.diagonal().array() *= 1 + damping_;
  } else {
    const Vec<double>& bounds = f_.curvature_bounds();
    for (Index s = 0; s < h.rows(); ++s)
      h(s, s) += damping_ * std::max(h(s, s), bounds[set[static_cast<std::size_t>(s)]]);
  }
  h.diagonal().array() += 1e-300;
  const auto m = static_cast<Index>(set.size());
  Vec<double> g(m), at(m), t(m);
  for (Index s = 0; s < m; ++s) {
    const Index j = set[static_cast<std::size_t>(s)];
    g[s] = g_[j];
    at[s] = w[j];
    t[s] = f_.penalty().threshold()[j];
  }
  const Vec<double> next =
      coordinate_descent(h, g, at, t, 1e-10, 1e-22 * std::fabs(now_.objective));
  Vec<double> step = Vec<double>::Zero(f_.size());
  for (Index s = 0; s < m; ++s) step[set[static_cast<std::size_t>(s)]] = next[s] - at[s];
  return step;
}

double ProximalSvrg::search(ConstVecRef<double> w, const Vec<double>& step, double& best) {
  constexpr int most_trials = 20, most_newton = 3;
  const DirectionMargins q = f_.direction_margins(step);
  now_.passes += 0.5;
  const DirectionMargins* const direction[] = {&q};
  const auto sums_at = [&](double alpha) { return f_.line_sums(direction, {&alpha, 1}); };
  const auto penalty_at = [&](double alpha) { return f_.penalty().value(w + alpha * step); };
  const Vec<double>&l2 = f_.penalty().curvature(), &t = f_.penalty().threshold();
  const double l2_square = l2.cwiseProduct(step).dot(step);
  // Slope of the penalty to the right of α.
  const auto penalty_slope = [&](double alpha) {
    double sum = 0;
    for (Index j = 0; j < step.size(); ++j) {
      if (step[j] == 0) continue;
      const double at = w[j] + alpha * step[j];
      sum += l2[j] * at * step[j] + t[j] * (at * step[j] >= 0 ? 1 : -1) * std::fabs(step[j]);
    }
    return sum;
  };
  const LineSums here = sums_at(0);
  const double before = here.value + penalty_at(0);
  const double promised = here.gradient[0] + penalty_at(1) - penalty_at(0);
  const double rounding = 1e-15 * std::fabs(now_.objective);
  double alpha = 1;
  LineSums there = sums_at(1);
  double change = there.value + penalty_at(1) - before;
  for (int i = 0; i < most_trials && !(change <= 1e-3 * alpha * promised + rounding); ++i) {
    alpha /= 2;
    there = sums_at(alpha);
    change = there.value + penalty_at(alpha) - before;
  }
  best = alpha;
  if (!(change <= rounding)) return 0;
  if (!by_rows_ || alpha < 1) return alpha;
  // How far the mean of the chains should have gone; taken where it gains much, as weights that
  // ended at 0 do so at α = 1 alone.
  double best_change = change;
  for (int i = 0; i < most_newton; ++i) {
    const double slope = there.gradient[0] + penalty_slope(best);
    const double curvature = there.hessian(0, 0) + l2_square;
    const double next = std::clamp(best - slope / std::max(curvature, 1e-300), 0.1, 8.0);
    if (std::fabs(next - best) < 0.05 * best) break;
    const LineSums trial = sums_at(next);
    const double its_change = trial.value + penalty_at(next) - before;
    if (!(its_change < best_change)) break;
    best = next;
    best_change = its_change;
    there = trial;
  }
  return best_change < 1.1 * change ? best : 1;
}

Outcome ProximalSvrg::advance(VecRef<double> w) {
  now_.note.clear();
  const Vec<double> w_snap = w, g_snap = g_;
  const double f_snap = now_.objective, norm_snap = now_.grad_norm;
  const std::vector<Index> set = working_set(w_snap);
  by_rows_ = set.empty();
  Vec<double> direction;
  if (!by_rows_) f_.use_rounded_rows(false);
  if (by_rows_) {
    direction = rows_.displacement(f_, {w_snap, g_, now_.epoch, 0});
    now_.passes += rows_.passes();
    // Long rows make for steps too short for an intercept: it then gets a Newton step of its own.
    if (const Index free = f_.model().free_intercepts(); free > 0 && f_.intercept_curvature() > 0) {
      const Vec<double> own = -g_.tail(free) / f_.intercept_curvature();
      if (direction.tail(free).norm() < 0.1 * own.norm()) direction.tail(free) = own;
    }
  } else {
    direction = newton_step(w_snap, set);
  }
  f_.remember();
  double best = 1;
  const double alpha = search(w_snap, direction, best);
  // A whole step makes exact zeros: −w_j was the step of a coordinate that leaves.
  w = w_snap + alpha * direction;
  f_.comm().broadcast(std::span(w.data(), static_cast<std::size_t>(w.size())));
  const auto m = f_.gradient(w, g_);
  now_.passes += 1;
  ++now_.epoch;
  now_.step = now_.epoch;
  now_.epoch_ended = true;
  const double decrease = f_snap - m.objective;
  const bool accepted = alpha > 0 && m.finite && decrease >= -1e-13 * std::fabs(f_snap);
  if (accepted) {
    take(w, m);
    // Twice slow: what the sample does not know of the Hessian holds it back. (Once is how Newton
    // steps begin, far from the minimum.)
    slow_ = !by_rows_ && alpha == 1 && now_.grad_norm > 0.3 * norm_snap ? slow_ + 1 : 0;
    if (slow_ >= 2) growth_ *= 4;
    if (by_rows_) rows_.adapt(best);
    // Where columns are large the gradient still falls after the objective's digits have ended.
    const bool gains = decrease > 1e-15 * std::fabs(f_snap) || now_.grad_norm < 0.5 * norm_snap;
    rejected_ = gains ? 0 : rejected_ + 1;
    // A step that had to be cut was one where the quadratic is not the objective.
    damping_ = alpha < 0.3 ? std::max(1e-4, damping_ * 10)
                           : std::max(least_damping, damping_ / (alpha == 1 ? 100 : 10));
  } else {
    w = w_snap;
    g_ = g_snap;
    f_.restore();
    now_.requests = m.requests;
    if (by_rows_) {
      rows_.reject();
    } else {
      growth_ *= 4;
      damping_ = std::max(1e-4, damping_ * 100);
    }
    ++rejected_;
  }
  if (rejected_ >= most_rejected) {
    now_.finished = true;
    now_.note = "no further decrease in double precision";
  }
  return now_;
}

void ProximalSvrg::save(State& state) const {
  state.values["epoch"] = now_.epoch;
  state.values["step"] = now_.step;
  state.values["passes"] = now_.passes;
  state.values["learning_rate"] = now_.learning_rate;
  state.values["solver/engine"] = std::string("proximal");
  state.values["solver/growth"] = growth_;
  state.values["solver/damping"] = damping_;
  state.values["solver/slow"] = slow_;
  state.values["solver/rejected"] = rejected_;
  state.values["solver/by_rows"] = std::int64_t{by_rows_};
  rows_.save(state);
}

void ProximalSvrg::load(const State& state) {
  now_.epoch = state.integer("epoch");
  now_.step = state.integer("step");
  now_.passes = state.real("passes");
  growth_ = state.real("solver/growth");
  damping_ = state.real("solver/damping");
  slow_ = state.integer("solver/slow");
  rejected_ = state.integer("solver/rejected");
  by_rows_ = state.integer("solver/by_rows") != 0;
  rows_.load(f_, state);
  now_.finished = rejected_ >= most_rejected;
  resumed_ = true;
}

}  // namespace svrg
