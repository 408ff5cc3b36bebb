#pragma once
#include <string>

#include "svrg/core/state.hpp"
#include "svrg/solver/solver.hpp"

namespace svrg {

/// The figure of an epoch that says how good its weights are.
struct Monitored {
  std::string name;  // "valid_acc", one of the epoch's metrics, or `objective`; empty: none
  bool larger_is_better = false;
  static constexpr const char* objective = "train_objective";
};

/// The best epoch so far by one figure, and for how long nothing was better. Local; fed with
/// reduced numbers it is equal on all ranks.
class BestEpoch {
 public:
  explicit BestEpoch(Monitored figure) : figure_(std::move(figure)) { at_.epoch = at_.step = -1; }
  /// Looks at a measured epoch; one that was seen already does not count again.
  /// @return whether it is better than all before it; NaN never is
  bool observe(const Outcome& at, double value);
  const Monitored& figure() const noexcept { return figure_; }
  /// Where the solver stood at the best epoch; epoch and step are −1 where there is none yet.
  const Outcome& at() const noexcept { return at_; }
  double value() const noexcept { return value_; }  // NaN: none yet
  /// Measured epochs in a row that were no better.
  Index epochs_since() const noexcept { return since_; }
  /// `best_epoch`, `best_metric`, and what else goes on from here.
  void save(State& state) const;
  /// False, and nothing is changed, where the state watched another figure or none.
  /// @throws DataError
  bool load(const State& state);

 private:
  Monitored figure_;
  Outcome at_;
  double value_ = std::numeric_limits<double>::quiet_NaN();
  Index seen_ = -1, since_ = 0;
};

}  // namespace svrg
