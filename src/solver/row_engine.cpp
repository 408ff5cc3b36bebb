#include <algorithm>
#include <cmath>

#include "svrg/core/error.hpp"
#include "svrg/solver/engine.hpp"

namespace svrg {

FreeIntercepts free_intercepts(MarginObjective& f) {
  const Index count = f.model().free_intercepts();
  if (count == 0) return {0, 0, 0};  // a sweep less
  return {count, f.intercept_curvature(), f.smoothness().mean};
}

void fail_overflow() {
  throw NumericError("a row's squared norm overflows: divide the features by their largest value");
}

void RowEngine::require_finite_squares(MarginObjective& f) const {
  if (!std::isfinite(f.smoothness().largest)) fail_overflow();
}

RowEngine::RowEngine(MarginObjective& f, EngineOptions options) : options_(options) {
  const double l2 = f.penalty().l2();
  const double largest = std::max(f.smoothness().largest, 1e-300);
  const Index chains = f.chains(options.chain_per_shard);
  // The mean over many chains takes more noise than one chain's end does.
  const double factor = chains < 4 ? 1.0 / 3 : chains < 16 ? 1.0 : 2.0;
  eta_ = factor / (largest + l2);
  largest_eta_ = std::min(l2 > 0 ? 0.5 / l2 : 1e300, 100 / largest);
}

Vec<double> RowEngine::displacement(MarginObjective& f, const OuterPoint& at) {
  const auto chains = static_cast<std::uint64_t>(f.chain_numbers(options_.chain_per_shard));
  f.use_rounded_rows(options_.rounded_rows);
  return f.displacement(
      options_.chain_per_shard,
      [&](const ChainRows& rows, Index chain,
          VecRef<double> u) {  // NOLINT(performance-unnecessary-value-param)
        ChainStep step;
        step.eta = eta_;
        step.l2 = f.penalty().l2();
        step.group = group_;
        while (step.group > 1 && static_cast<double>(step.group) * eta_ * step.l2 > 0.5)
          step.group /= 2;
        // Enough blocks that their order is worth shuffling.
        step.block = std::clamp<Index>(rows.count / 150, 1, 64);
        step.run = (f.shard().rows_a_run() + step.block - 1) / step.block;
        step.order = CounterRandom(options_.seed, static_cast<std::uint64_t>(at.outer) * chains +
                                                      static_cast<std::uint64_t>(chain));
        if (f.penalty().l1() > 0)
          f.model().run_proximal_chain(rows, step, at.weights, at.gradient, f.penalty().threshold(),
                                       u);
        else
          f.model().run_chain(rows, step, at.gradient, u);
      });
}

void RowEngine::adapt(double alpha) {
  if (alpha < 0.3)
    eta_ *= 0.6;
  else if (alpha < 0.6)
    eta_ *= 0.8;
  else if (alpha > 2.5)
    eta_ *= 1.6;
  else if (alpha > 1.4)
    eta_ *= 1.25;
  eta_ = std::min(eta_, largest_eta_);
}

void RowEngine::save(State& state) const {
  state.values["solver/eta"] = eta_;
  state.values["solver/group"] = group_;
}

void RowEngine::load(MarginObjective&, const State& state) {
  eta_ = state.real("solver/eta");
  group_ = state.integer("solver/group");
}

}  // namespace svrg
