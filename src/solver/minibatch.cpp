#include "svrg/solver/minibatch.hpp"

#include <fmt/format.h>

#include <cmath>

#include "svrg/core/error.hpp"

namespace svrg {

template <class Real>
MinibatchSolver<Real>::MinibatchSolver(const Communicator& comm, const ParameterLayout& layout,
                                       Objective<Real>& f, BatchSource& source,
                                       GradientEstimator<Real>& estimator,
                                       Optimizer<Real>& optimizer, MinibatchOptions options)
    : comm_(comm),
      layout_(layout),
      f_(f),
      source_(source),
      estimator_(estimator),
      optimizer_(optimizer),
      options_(options),
      g_(layout.size()),
      good_(layout.size()) {
  now_.learning_rate = options.learning_rate;
}

template <class Real>
double MinibatchSolver<Real>::bound(ConstVecRef<Real> w) const {
  const Penalty<double> penalty(layout_, f_.penalty().l2(), f_.penalty().l1());
  return optimality_gap(penalty, w.template cast<double>(), g_.template cast<double>(), {});
}

template <class Real>
void MinibatchSolver<Real>::take_measure(VecRef<Real> w) {
  take_back(w);
  optimizer_.settle(layout_, w, estimator_.rest().along);
  // Root's weights are everybody's: replicas cannot drift from snapshot to snapshot.
  comm_.broadcast(std::span(w.data(), static_cast<std::size_t>(w.size())));
  const Report report = estimator_.measure(f_, w, g_);
  f_.penalty().add_gradient(w, g_);
  now_.objective = report.loss + f_.penalty().value(w);
  // The rate changes: a step of fixed length makes the norms of a run comparable.
  now_.grad_norm = f_.penalty().step_norm(w, g_, options_.learning_rate);
  now_.gap = options_.convex ? bound(w) : std::numeric_limits<double>::quiet_NaN();
  now_.measured = true;
  now_.requests = report.requests;
  if (!report.finite) now_.objective = now_.grad_norm = std::numeric_limits<double>::quiet_NaN();
  if (estimator_.needs_snapshot()) now_.passes += 1;
}

template <class Real>
Outcome MinibatchSolver<Real>::measure(VecRef<Real> w) {
  take_measure(w);
  if (diverged()) roll_back(w);
  return now_;
}

template <class Real>
Outcome MinibatchSolver<Real>::start(VecRef<Real> w) {
  if (!resumed_) {
    take_measure(w);
    if (!std::isfinite(now_.objective))
      throw NumericError("the objective is not finite at the initial weights");
    good_ = w;
    first_objective_ = good_objective_ = now_.objective;
  }
  resumed_ = false;
  return now_;
}

template <class Real>
bool MinibatchSolver<Real>::diverged() const {
  // A rate that the user gave is not judged by one bad snapshot.
  const double limit = options_.may_halve ? 10 * good_objective_ : 1e3 * first_objective_;
  return !(now_.objective <= limit);
}

template <class Real>
void MinibatchSolver<Real>::roll_back(VecRef<Real> w) {
  constexpr Index most = 5;
  const std::string story =
      fmt::format("the objective went from {:.4g} to {:.4g} by epoch {} at learning rate {:.4g}",
                  good_objective_, now_.objective, now_.epoch, now_.learning_rate);
  const Requests seen = now_.requests;
  w = good_;
  f_.forget();
  take_measure(w);  // snapshot and record are those of the last good weights from here on
  now_.requests |= seen;
  if (!options_.may_halve)
    throw NumericError(
        fmt::format("{}; try --learning-rate auto or {:.3g}, with --overwrite or "
                    "another --run-dir",
                    story, now_.learning_rate / 10));
  if (++halvings_ > most) throw NumericError(story + ", after five halvings of the rate in a row");
  now_.learning_rate /= 2;
  now_.note = story + ": back to the last snapshot, at half the rate";
}

template <class Real>
Report MinibatchSolver<Real>::take_step(VecRef<Real> w, const Batch& batch, const Pass& pass) {
  const Penalty<Real>& penalty = f_.penalty();
  Rest<Real> rest = estimator_.rest();
  rest.decay = penalty.l2();
  // Thresholds are not linear, and so are for all weights in every step.
  const Support* support = penalty.l1() > 0 ? nullptr : &f_.support(batch);
  if (support) optimizer_.settle(layout_, w, rest.along, support);
  const Report report = estimator_.estimate(f_, w, batch, pass, g_);
  if (support)
    penalty.add_gradient(w, g_, *support);
  else
    penalty.add_gradient(w, g_);
  const std::span<const Real> values(g_.data(), static_cast<std::size_t>(g_.size()));
  optimizer_.step(layout_, w, {values, support, rest}, now_.learning_rate);
  penalty.shrink(w, now_.learning_rate);
  return report;
}

template <class Real>
void MinibatchSolver<Real>::show_settled(VecRef<Real> w) {
  if (!optimizer_.owes()) return;
  owing_ = w;
  optimizer_.settle_copy(layout_, w, estimator_.rest().along);
}

template <class Real>
void MinibatchSolver<Real>::take_back(VecRef<Real> w) {
  if (owing_.size() == 0) return;
  w = owing_;
  owing_.resize(0);
}

template <class Real>
Outcome MinibatchSolver<Real>::advance(VecRef<Real> w) {
  take_back(w);
  now_.measured = false;
  now_.epoch_ended = false;
  now_.requests = {};
  now_.note.clear();
  now_.objective = now_.grad_norm = now_.gap = std::numeric_limits<double>::quiet_NaN();
  // Drawing rows is work on them, too.
  Index own_rows = 0;
  for (const Part& part : f_.all_rows().parts) own_rows += part.count;
  const auto next_batch = [&](bool first) {
    const ScheduleRecorder::Divided divided(comm_.recorder(), own_rows);
    if (first) source_.start_epoch(now_.epoch, step_in_epoch_);
    return source_.next();
  };
  const auto rows = static_cast<double>(f_.rows());
  bool finite = true;
  for (const Batch* batch = next_batch(true); batch; batch = next_batch(false)) {
    const Pass pass{true, static_cast<std::uint64_t>(now_.step)};
    const Report report = take_step(w, *batch, pass);
    ++now_.step;
    ++step_in_epoch_;
    now_.passes += estimator_.evaluations_per_row() * static_cast<double>(report.rows) / rows;
    now_.requests = report.requests;
    finite = report.finite;
    if (!finite) break;
    // A request inside the last step of an epoch is met at the epoch's end instead.
    if (report.requests.any() && step_in_epoch_ < source_.steps_per_epoch()) {
      show_settled(w);
      return now_;
    }
  }
  optimizer_.settle(layout_, w, estimator_.rest().along);
  step_in_epoch_ = 0;
  ++now_.epoch;
  now_.epoch_ended = true;
  const Requests seen = now_.requests;
  if (now_.epoch % options_.update_freq == 0 || !finite) {
    take_measure(w);
    now_.requests |= seen;
    if (diverged()) {
      roll_back(w);
    } else {
      good_ = w;
      good_objective_ = now_.objective;
      halvings_ = 0;
    }
  }
  return now_;
}

template <class Real>
void MinibatchSolver<Real>::save(State& state) const {
  state.values["epoch"] = now_.epoch;
  state.values["step"] = now_.step;
  state.values["passes"] = now_.passes;
  state.values["learning_rate"] = now_.learning_rate;
  state.values["solver/step_in_epoch"] = step_in_epoch_;
  state.values["solver/halvings"] = halvings_;
  state.values["solver/objective"] = now_.objective;
  state.values["solver/grad_norm"] = now_.grad_norm;
  state.values["solver/gap"] = now_.gap;
  state.values["solver/measured"] = std::int64_t{now_.measured};
  state.values["solver/good_objective"] = good_objective_;
  state.values["solver/first_objective"] = first_objective_;
  state.arrays["solver/good_weights"] = Array::vector<Real>(good_);
  if (owing_.size() > 0) state.arrays["solver/owing_weights"] = Array::vector<Real>(owing_);
  f_.save(state);
  estimator_.save(state);
  optimizer_.save(state);
}

template <class Real>
void MinibatchSolver<Real>::load(const State& state) {
  now_.epoch = state.integer("epoch");
  now_.step = state.integer("step");
  now_.passes = state.real("passes");
  now_.learning_rate = state.real("learning_rate");
  step_in_epoch_ = state.integer("solver/step_in_epoch");
  halvings_ = state.integer("solver/halvings");
  now_.objective = state.real("solver/objective");
  now_.grad_norm = state.real("solver/grad_norm");
  now_.gap = state.real("solver/gap");
  now_.measured = state.integer("solver/measured") != 0;
  now_.epoch_ended = step_in_epoch_ == 0;
  good_objective_ = state.real("solver/good_objective");
  first_objective_ = state.real("solver/first_objective");
  const auto read = [&](const std::string& name) {
    const auto& values = std::get<std::vector<Real>>(state.array(name).data);
    return Vec<Real>(Eigen::Map<const Vec<Real>>(values.data(), static_cast<Index>(values.size())));
  };
  good_ = read("solver/good_weights");
  owing_.resize(0);
  if (state.arrays.contains("solver/owing_weights")) owing_ = read("solver/owing_weights");
  f_.load(state);
  estimator_.load(state);
  optimizer_.load(state);
  resumed_ = true;
}

template class MinibatchSolver<double>;
template class MinibatchSolver<float>;

}  // namespace svrg
