#pragma once
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "module/slices.hpp"
#include "svrg/comm/communicator.hpp"
#include "svrg/comm/packed_sum.hpp"
#include "svrg/core/options.hpp"
#include "svrg/core/state.hpp"
#include "svrg/data/nd_array.hpp"
#include "svrg/model/executor.hpp"
#include "svrg/optimizer/lr_scheduler.hpp"

namespace svrg {

/// The rows of one batch, as far as this rank needs them. Inputs by name; views of equal length.
struct Feed {
  std::vector<std::pair<std::string_view, Rows>> inputs;
  Index rows = 0;
  std::span<const Index> global_rows = {};
};

/// What a module computes with: a replica of the weights, one executor for each of this rank's
/// virtual shards, and the sums over ranks. Knows rows and numbers, no epochs and no files.
/// All but the ones marked are Local.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual const ParameterLayout& layout() const = 0;
  virtual const ParameterLayout& auxiliaries() const = 0;

  /// Weights and auxiliary states as doubles; exact for float.
  virtual Vec<double> weights() const = 0;
  virtual void set_weights(ConstVecRef<double> w) = 0;
  /// Mean of the virtual shards' running statistics. Collective.
  virtual Vec<double> auxiliary_states() const = 0;
  virtual void set_auxiliary_states(ConstVecRef<double> aux) = 0;

  /// Takes the steps that rows of row_sparse parameters owe: all; or, over all ranks, those with
  /// these numbers (from Parameter::first_row on). weights() shows them as taken in any case.
  virtual void settle() const = 0;
  virtual void settle(std::vector<Index> own) = 0;  // Collective

  /// Evaluates own rows at the weights; with `training`, running statistics move.
  /// Collective where there are row_sparse parameters: rows owing steps take them first.
  virtual void forward(const Feed& feed, bool training) = 0;
  /// Gradient sums of the last forward(), SVRG's difference where there is a snapshot.
  /// `out_grads`: whole batch, by output; empty where outputs are losses.
  virtual void backward(const std::vector<NDArray>& out_grads) = 0;
  /// Sum of losses of the last forward(), this rank's rows.
  virtual double loss() const = 0;
  /// Own rows of output i of the last forward().
  virtual NDArray output(Index i) const = 0;
  virtual Index outputs() const = 0;
  /// Are weights and optimizer one and the same?
  virtual bool shares(const Engine& other) const = 0;
  /// Which rows of the last batch are this rank's: [first, second).
  virtual std::pair<Index, Index> own_rows() const = 0;
  virtual NDArray input_gradient(const std::string& name) const = 0;

  /// Sums of what backward() left, over ranks; then one step of the optimizer. Collective.
  virtual void update() = 0;
  /// Are there gradients that wait for update()?
  virtual bool pending() const = 0;
  /// Of the last update, until the next backward(): what the optimizer was given before its
  /// rescale_grad, a sum over rows.
  virtual Vec<double> last_gradient() const = 0;

  /// @param rescale  none: the gradient is divided by the rows it was summed over
  virtual void set_optimizer(const std::string& name, const Options& params,
                             std::shared_ptr<LrScheduler> scheduler,
                             std::optional<double> rescale) = 0;
  virtual double learning_rate() const = 0;  // of the next update

  /// SVRG. start: the weights (root's, everywhere) become the snapshot; add: sums of a batch's
  /// first `rows` rows at the snapshot; finish: their mean over ranks is the full gradient.
  virtual void start_snapshot() = 0;  // Collective
  virtual void add_to_snapshot(const Feed& feed, Index rows) = 0;
  virtual void finish_snapshot() = 0;  // Collective
  virtual bool has_snapshot() const = 0;
  virtual Vec<double> snapshot_weights() const = 0;
  virtual Vec<double> full_gradient() const = 0;  // mean per row
  virtual void set_coefficient(double alpha) = 0;

  /// Restartable: optimizer alone, or snapshot and full gradient.
  virtual void save_optimizer(State& state) const = 0;  // Collective
  virtual void load_optimizer(const State& state) = 0;
  virtual void save_snapshot(State& state) const = 0;
  virtual void load_snapshot(const State& state) = 0;

  virtual void listen(OutputListener listener) = 0;
};

struct EngineOptions {
  ExecutorOptions executor;
  bool accumulate = false;  // gradients add up over backward() until update()
  Compression compression;
  bool exact_mean = false;  // what is compressed is SVRG's difference, without shares of μ
};

/// @param shared  weights, running statistics and optimizer are this engine's, for both from now
/// on; null: own ones. @throws ConfigError where the two do not have the same parameters
template <class Real>
std::unique_ptr<Engine> make_engine(const Communicator& comm, const Symbol& symbol,
                                    const Slices& slices, EngineOptions options,
                                    const Engine* shared);

}  // namespace svrg
