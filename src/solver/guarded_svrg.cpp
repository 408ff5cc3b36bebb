#include "svrg/solver/guarded_svrg.hpp"

#include <cmath>
#include <utility>

#include "svrg/core/error.hpp"
#include "svrg/model/instruction_set.hpp"

namespace svrg {

GuardedSvrg::GuardedSvrg(MarginObjective& objective, GuardedSvrgOptions options)
    : f_(objective),
      options_(options),
      costs_(costs_of_root()),
      engine_(make_engine(options.engine)),
      g_(objective.size()) {}

void GuardedSvrg::check(Index parameters, EngineChoice engine) {
  if (engine != EngineChoice::ssn && engine != EngineChoice::newton) return;
  if (parameters <= SubsampledNewtonEngine::most_parameters) return;
  throw ConfigError(
      "--engine ssn and newton keep a matrix of parameters x parameters and take at most " +
      std::to_string(SubsampledNewtonEngine::most_parameters) + " of them; this model has " +
      std::to_string(parameters));
}

std::array<EngineCost, 3> GuardedSvrg::costs_of_root() const {
  // Where chains are those of virtual shards, the path must not depend on the ranks or threads.
  const Index workers = options_.stands_for > 0           ? options_.stands_for
                        : options_.chains.chain_per_shard ? 1
                                                          : f_.workers();
  const Workload work =
      workload_of(f_.shard(), f_.model().loss(), f_.size(), f_.model().margins_per_row(), workers,
                  f_.chains(options_.chains.chain_per_shard));
  auto costs = engine_costs(work, options_.rates.value_or(rates_of(instruction_set())));
  // Machines of a job may have different instructions; all must choose alike.
  std::array<double, 3> seconds{};
  for (std::size_t i = 0; i < costs.size(); ++i) seconds[i] = costs[i].outer;
  f_.comm().broadcast(std::span<double>(seconds));
  for (std::size_t i = 0; i < costs.size(); ++i) costs[i].outer = seconds[i];
  return costs;
}

std::unique_ptr<Engine> GuardedSvrg::make_engine(EngineChoice choice) {
  if (choice == EngineChoice::automatic)
    choice = std::array{EngineChoice::row, EngineChoice::ssn,
                        EngineChoice::newton}[static_cast<std::size_t>(cheapest(costs_))];
  if (choice == EngineChoice::row) return std::make_unique<RowEngine>(f_, options_.chains);
  return std::make_unique<SubsampledNewtonEngine>(f_, options_.chains,
                                                  choice == EngineChoice::newton);
}

void GuardedSvrg::take(ConstVecRef<double> w, const MarginObjective::Measurement& m) {
  now_.objective = m.objective;
  now_.grad_norm = g_.stableNorm();
  now_.gap = optimality_gap(f_.penalty(), w, g_, free_intercepts(f_));
  now_.gap = std::fmin(now_.gap, engine_->exact_gap(g_));  // NaN is no bound
  // By a factor in which machines of a job may round differently, and runs end by it.
  if (std::string_view(engine_->name()) == "direct")
    f_.comm().broadcast(std::span<double>(&now_.gap, 1));
  now_.measured = true;
  now_.requests = m.requests;
  now_.learning_rate = engine_->step_size();
}

Outcome GuardedSvrg::start(VecRef<double> w) {
  if (resumed_) {
    // Margins are functions of weights: the ring's are computed again from its iterates.
    ring_.clear();
    for (std::size_t i = iterates_.size(); i-- > 0;) {
      f_.remember();
      f_.margins(iterates_[i]);
      if (i + 1 < iterates_.size())
        ring_.push_front({iterates_[i] - iterates_[i + 1], f_.step_margins()});
    }
  } else {
    iterates_ = {w};
  }
  engine_->require_finite_squares(f_);
  const auto m = f_.gradient(w, g_);
  if (!m.finite) throw NumericError("the objective is not finite at the initial weights");
  take(w, m);
  if (!resumed_) {
    now_.passes += 1;
    first_norm_ = std::max(now_.grad_norm, 1e-300);
  }
  resumed_ = false;
  return now_;
}

double GuardedSvrg::contraction() const {
  if (decreases_.size() < 3 || !(decreases_[2] > 0)) return 0;
  return std::sqrt(std::max(decreases_[0], 0.0) / decreases_[2]);
}

bool GuardedSvrg::worth_a_hessian() const {
  // As many more outers of row steps as the last contraction asks for to a relative error of 1e-9,
  // against those an engine with a Hessian usually takes in all.
  constexpr double target = 1e-9;
  const double left = decreases_.front() / (target * std::fabs(now_.objective) + 1e-300);
  const double outers = std::log(std::fmax(left, 1)) / -std::log(std::fmin(contraction(), 0.99));
  // Rank 0's answer: logarithms may differ in the last bit between machines.
  std::uint8_t yes = outers * costs_[0].outer > std::fmin(costs_[1].seconds(), costs_[2].seconds());
  f_.comm().broadcast(std::span<std::uint8_t>(&yes, 1));
  return yes != 0;
}

void GuardedSvrg::maybe_escalate() {
  // Rows first, the Hessian where two outers running contract too little: shared where a factor is
  // small enough to keep, else by products, which are tried once.
  const bool small = f_.size() <= SubsampledNewtonEngine::most_parameters;
  if (options_.engine != EngineChoice::automatic || now_.epoch < 4 ||
      std::string_view(engine_->name()) != "row" || (!small && tried_newton_cg_))
    return;
  // Newton's own outers cost dozens of passes where there is no factor: rows may be slower for
  // that.
  slow_ = contraction() > (small ? 1.0 / 3 : 0.6) ? slow_ + 1 : 0;
  if (slow_ < 2 || (small && !worth_a_hessian())) return;
  if (small) {
    engine_ = make_engine(costs_[1].seconds() <= costs_[2].seconds() ? EngineChoice::ssn
                                                                     : EngineChoice::newton);
  } else {
    tried_newton_cg_ = true;
    rows_ = std::exchange(engine_, std::make_unique<NewtonCgEngine>());
  }
  now_.note =
      std::string("inner engine row -> ") + engine_->name() + ": the last outers contracted slowly";
}

void GuardedSvrg::maybe_return() {
  if (!engine_->gave_up() || !rows_) return;
  engine_ = std::move(rows_);
  now_.note = "inner engine newton-cg -> row: a Newton step costs too many passes here";
}

SearchResult GuardedSvrg::search(ConstVecRef<double> w, const Direction& newest, bool verify) {
  std::vector<const Direction*> directions{&newest};
  for (const Direction& d : ring_) directions.push_back(&d);
  SearchResult found = subspace_search(f_, now_.objective, w, g_, directions, verify);
  f_.comm().broadcast(std::span(found.alpha.data(), static_cast<std::size_t>(found.alpha.size())));
  return found;
}

Vec<double> GuardedSvrg::step_of(const SearchResult& result, const Direction& newest) const {
  Vec<double> step = result.alpha[0] * newest.step;
  for (std::size_t i = 0; i < ring_.size(); ++i)
    step += result.alpha[static_cast<Index>(i) + 1] * ring_[i].step;
  return step;
}

void GuardedSvrg::remember_step(ConstVecRef<double> before, ConstVecRef<double> after) {
  ring_.push_front({after - before, f_.step_margins()});
  iterates_.push_front(after);
  if (ring_.size() > ring_size) ring_.pop_back();
  if (iterates_.size() > ring_size + 1) iterates_.pop_back();
}

Outcome GuardedSvrg::advance(VecRef<double> w) {
  now_.note.clear();
  maybe_escalate();
  const Vec<double> w_snap = w, g_snap = g_;
  const double f_snap = now_.objective;
  Direction newest;
  newest.step = engine_->displacement(
      f_, {w_snap, g_, now_.epoch, contraction(), now_.grad_norm / first_norm_, now_.passes});
  now_.passes += engine_->passes();
  f_.remember();

  double alpha = 1;
  bool accepted = false, asked_to_save = false;
  const auto accepts = [&](const Vec<double>& step, double most) {
    w = w_snap + step;  // of equal bits on all ranks: the same sums of the same vectors
    const auto m = f_.gradient(w, g_);
    now_.passes += 1;
    accepted = m.finite && m.objective <= most + 1e-13 * std::fabs(f_snap);
    if (accepted) {
      take(w, m);
    } else {
      f_.restore();
      g_ = g_snap;
      now_.requests = m.requests;
      asked_to_save |= m.requests.save;
    }
    return accepted;
  };
  if (!engine_->is_whole() || !accepts(newest.step, f_snap + 0.25 * g_snap.dot(newest.step))) {
    newest.margins = f_.direction_margins(newest.step);
    now_.passes += 0.5;
    // Optimistic first; if F rose after all, once more with every value checked.
    for (const bool verify : {false, true}) {
      const SearchResult found = search(w_snap, newest, verify);
      alpha = found.alpha[0];
      if (accepts(step_of(found, newest), f_snap)) break;
    }
  }
  now_.requests.save |= asked_to_save;
  ++now_.epoch;
  now_.step = now_.epoch;
  now_.epoch_ended = true;
  if (accepted) {
    rejected_ = 0;
    remember_step(w_snap, w);
    decreases_.push_front(f_snap - now_.objective);
    if (decreases_.size() > 3) decreases_.pop_back();
    engine_->adapt(alpha);
    maybe_return();
    return now_;
  }
  // Nothing along these directions: shorter steps from the same point, without the history.
  w = w_snap;
  ring_.clear();
  iterates_ = {w};
  engine_->reject();
  maybe_return();
  if (++rejected_ >= most_rejected) {
    now_.finished = true;
    now_.note = "no further decrease in double precision";
  }
  return now_;
}

void GuardedSvrg::save(State& state) const {
  state.values["epoch"] = now_.epoch;
  state.values["step"] = now_.step;
  state.values["passes"] = now_.passes;
  state.values["learning_rate"] = now_.learning_rate;
  state.values["solver/engine"] = std::string(engine_->name());
  state.values["solver/slow"] = slow_;
  state.values["solver/rejected"] = rejected_;
  state.values["solver/iterates"] = static_cast<std::int64_t>(iterates_.size());
  for (std::size_t i = 0; i < iterates_.size(); ++i)
    state.arrays["solver/iterate_" + std::to_string(i)] = Array::vector<double>(iterates_[i]);
  state.arrays["solver/decreases"] =
      Array::vector(std::vector<double>(decreases_.begin(), decreases_.end()));
  state.values["solver/tried_newton_cg"] = std::int64_t{tried_newton_cg_};
  state.values["solver/first_norm"] = first_norm_;
  std::vector<double> costs;
  for (const EngineCost& cost : costs_) costs.push_back(cost.outer);
  state.arrays["solver/costs"] = Array::vector(std::move(costs));
  if (rows_) rows_->save(state);
  engine_->save(state);
}

void GuardedSvrg::load(const State& state) {
  now_.epoch = state.integer("epoch");
  now_.step = state.integer("step");
  now_.passes = state.real("passes");
  slow_ = state.integer("solver/slow");
  rejected_ = state.integer("solver/rejected");
  now_.finished = rejected_ >= most_rejected;
  iterates_.clear();
  const Index count = state.integer("solver/iterates");
  for (Index i = 0; i < count; ++i)
    iterates_.push_back(state.vector("solver/iterate_" + std::to_string(i), f_.size()));
  const auto& decreases = std::get<std::vector<double>>(state.array("solver/decreases").data);
  decreases_.assign(decreases.begin(), decreases.end());
  tried_newton_cg_ = state.integer("solver/tried_newton_cg") != 0;
  first_norm_ = state.real("solver/first_norm");
  // Those it began with: another machine's would have it change engines elsewhere.
  const auto costs = state.vector("solver/costs", static_cast<Index>(costs_.size()));
  for (std::size_t i = 0; i < costs_.size(); ++i) costs_[i].outer = costs[static_cast<Index>(i)];
  const std::string engine = state.text("solver/engine");
  engine_ = make_engine(engine == "ssn"                            ? EngineChoice::ssn
                        : engine == "direct" || engine == "newton" ? EngineChoice::newton
                                                                   : EngineChoice::row);
  if (engine == "newton-cg") {
    engine_->load(f_, state);
    rows_ = std::exchange(engine_, std::make_unique<NewtonCgEngine>());
  }
  engine_->load(f_, state);
  resumed_ = true;
}

}  // namespace svrg
