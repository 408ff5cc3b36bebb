#pragma once
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "svrg/comm/reducer.hpp"
#include "svrg/core/error.hpp"
#include "svrg/core/parameters.hpp"
#include "svrg/core/state.hpp"
#include "svrg/optimizer/lr_scheduler.hpp"
#include "svrg/optimizer/optimizer.hpp"

namespace svrg {

/// An array of a checkpoint as weights. @throws DataError on another size or type
template <class Real>
Vec<Real> vector_in(const State& state, const std::string& name, Index size) {
  const auto* values = std::get_if<std::vector<Real>>(&state.array(name).data);
  if (!values || static_cast<Index>(values->size()) != size)
    throw DataError("'" + name + "' of the checkpoint is of another network or precision");
  return Eigen::Map<const Vec<Real>>(values->data(), size);
}

/// What training moves. Engines of several symbols over the same parameters may have it in common.
template <class Real>
struct Store {
  Vec<Real> w, aux_given;
  std::vector<Vec<Real>> aux;  // by owned shard
  std::vector<char> moved;     // has the shard's aux moved since it was given?
  std::unique_ptr<Optimizer<Real>> optimizer;
  std::string optimizer_name;
  std::shared_ptr<LrScheduler> scheduler;
  std::optional<double> rescale;
  std::uint64_t updates = 0, draw = 0;
  /// SVRG's: w̃, μ there (empty: there is none, or it is being summed) and its coefficient.
  Vec<Real> w_snap, aux_snap, full_gradient;
  double alpha = 1;
  std::uint64_t snapshot_draw = 0;
  std::unique_ptr<Reducer<Real>> snapshot_sums;

  /// What the optimizer's debts and gradients of rows that batches leave out are along.
  const Real* along() const { return full_gradient.size() > 0 ? full_gradient.data() : nullptr; }
  bool owes() const { return optimizer && optimizer->owes(); }
  /// Rows of `support`, or all, take the steps that they owe.
  void settle(const ParameterLayout& layout, const Support* support = nullptr) {
    if (owes()) optimizer->settle(layout, w, along(), support);
  }
  /// The weights once all steps are taken.
  Vec<Real> settled(const ParameterLayout& layout) const;

  /// Of the shards whose states have moved; as given where none has. Collective.
  Vec<double> mean_auxiliary(const Communicator& comm) const;
  void set_auxiliary(ConstVecRef<double> given);

  /// @throws ConfigError
  void set_optimizer(const std::string& name, const Options& params,
                     std::shared_ptr<LrScheduler> schedule, std::optional<double> rescaling);
  double learning_rate(std::uint64_t update) const;
  /// Optimizer and counters, without debts; snapshot and full gradient. @throws DataError
  void save_optimizer(State& state) const;
  void load_optimizer(const State& state);
  void save_snapshot(State& state) const;
  void load_snapshot(const State& state);
};

inline bool same_parameters(const ParameterLayout& a, const ParameterLayout& b) {
  return std::ranges::equal(a.all(), b.all(), [](const Parameter& p, const Parameter& q) {
    return p.name == q.name && p.shape == q.shape && p.row_sparse == q.row_sparse;
  });
}

}  // namespace svrg
