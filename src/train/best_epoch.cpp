#include "svrg/train/best_epoch.hpp"

#include <cmath>

namespace svrg {

bool BestEpoch::observe(const Outcome& at, double value) {
  // A resumed run may measure again where it stands.
  if (at.epoch <= seen_) return false;
  seen_ = at.epoch;
  const bool first = std::isnan(value_) && !std::isnan(value);
  if (!first && !(figure_.larger_is_better ? value > value_ : value < value_)) {
    ++since_;
    return false;
  }
  at_ = at;
  value_ = value;
  since_ = 0;
  return true;
}

void BestEpoch::save(State& state) const {
  state.values["best_epoch"] = at_.epoch;
  state.values["best_metric"] = value_;
  state.values["best/figure"] = figure_.name;
  state.values["best/seen_epoch"] = seen_;
  state.values["best/epochs_since"] = since_;
  state.values["best/step"] = at_.step;
  state.values["best/passes"] = at_.passes;
  state.values["best/objective"] = at_.objective;
  state.values["best/grad_norm"] = at_.grad_norm;
}

bool BestEpoch::load(const State& state) {
  if (!state.values.contains("best/figure") || state.text("best/figure") != figure_.name)
    return false;
  at_.epoch = state.integer("best_epoch");
  value_ = state.real("best_metric");
  seen_ = state.integer("best/seen_epoch");
  since_ = state.integer("best/epochs_since");
  at_.step = state.integer("best/step");
  at_.passes = state.real("best/passes");
  at_.objective = state.real("best/objective");
  at_.grad_norm = state.real("best/grad_norm");
  return true;
}

}  // namespace svrg
