#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "svrg/comm/communicator.hpp"
#include "svrg/core/log.hpp"
#include "svrg/core/options.hpp"
#include "svrg/model/initializer.hpp"
#include "svrg/model/symbol.hpp"
#include "svrg/module/callback.hpp"
#include "svrg/module/data_iter.hpp"
#include "svrg/module/metric.hpp"
#include "svrg/module/monitor.hpp"
#include "svrg/optimizer/lr_scheduler.hpp"

namespace svrg {

/// Type of a module's weights and arithmetic.
enum class Dtype { float32, float64 };

/// A virtual shard of a module: what MXNet calls a device. Any number of ranks shares them out.
struct Context {
  int id = 0;
};
/// As MXNet's mx.cpu.
inline Context cpu(int id = 0) { return {id}; }

/// Arguments of Module and SVRGModule, with MXNet's names.
struct ModuleOptions {
  std::vector<std::string> data_names = {"data"};
  std::vector<std::string> label_names = {"softmax_label"};
  LogSink logger{};
  /// Empty: 8 virtual shards (more on more ranks than 8), which may go without rows of a batch.
  std::vector<Context> context{};
  std::vector<double> work_load_list{};  // shares of a batch's rows, one a context; empty: even
  std::vector<std::string> fixed_param_names{};
  std::vector<std::string> state_names{};
  Options group2ctxs{};  // not supported yet: refused
  /// {{"type", "2bit"}, {"threshold", 0.5}}: what a context contributes to a step goes as few bits
  /// (packed_sum.hpp); "1bit" and "fp16" likewise. {"what", "difference"} compresses SVRG's
  /// difference of two gradients and adds the full gradient exactly, where MXNet's rule ("sum",
  /// the default) takes them together.
  Options compression_params{};
  Dtype dtype = Dtype::float32;
  std::uint64_t seed = 0;  // of initializers and random layers
  /// SVRGModule only: epochs between full gradients, a whole number above 0; required there.
  Value update_freq{};
  /// SVRGModule only: α of the correction, constant, or falling linearly to 0 over fit()'s epochs.
  double svrg_coefficient = 1;
  bool svrg_coefficient_decays = false;
};

/// A symbol for rows of one kind, and what it calls its inputs.
struct BucketSymbol {
  Symbol symbol;
  std::vector<std::string> data_names = {"data"}, label_names = {"softmax_label"};
};
/// The symbol of a bucket, by its key: the length of its sequences, say.
using SymGen = std::function<BucketSymbol(Index bucket_key)>;

/// What to do with gradients: replace, add up until update(), or none at all.
enum class GradReq { write, add, null };

class Module;

/// Arguments of bind(), with MXNet's names.
struct BindOptions {
  bool for_training = true;
  bool inputs_need_grad = false;
  bool force_rebind = false;
  /// Weights, running statistics, SVRG's snapshot and optimizer are this one's, for both: what one
  /// module's update() moves is moved for the other. Same parameters, dtype and contexts; bound,
  /// and its optimizer made, before this; it must outlive this.
  const Module* shared_module = nullptr;
  GradReq grad_req = GradReq::write;
};

using NDArrays = std::map<std::string, NDArray>;

/// Arguments of init_params().
struct InitParamsOptions {
  std::optional<Initializer> initializer{};  // none: Uniform(0.01)
  NDArrays arg_params{}, aux_params{};
  bool allow_missing = false;
  bool force_init = false;
  bool allow_extra = false;
};

/// Arguments of set_params().
struct SetParamsOptions {
  bool allow_missing = false;
  bool force_init = true;
  bool allow_extra = false;
};

/// Arguments of init_optimizer().
struct InitOptimizerOptions {
  /// Accepted for its meaning: sums always go by Allreduce. A "dist…" name says that every rank
  /// brings batches of its own; "dist_async" is refused.
  std::string kvstore = "local";
  std::string optimizer = "sgd";
  /// {{"learning_rate", 0.01}, {"momentum", 0.9}}; rescale_grad is 1/batch unless given.
  Options optimizer_params{{"learning_rate", 0.01}};
  std::shared_ptr<LrScheduler> lr_scheduler{};
  bool force_init = false;
};

/// Row numbers by row_sparse parameter that a batch needs, beside those that forward() finds out.
using SparseRowIdFn = std::function<NDArrays(const DataBatch&)>;

/// A metric by name, several by names, or one of the caller's own.
struct MetricArgument {
  MetricArgument() = default;
  MetricArgument(const char* name) : metric(metric::create(name)) {}
  MetricArgument(const std::string& name) : metric(metric::create(name)) {}
  MetricArgument(const std::vector<std::string>& names) : metric(metric::create(names)) {}
  MetricArgument(std::initializer_list<const char*> names)
      : metric(metric::create(std::vector<std::string>(names.begin(), names.end()))) {}
  MetricArgument(std::shared_ptr<EvalMetric> own) : metric(std::move(own)) {}
  std::shared_ptr<EvalMetric> metric;
};

/// Arguments of fit(), in MXNet's order.
struct FitOptions {
  DataIter* eval_data = nullptr;
  MetricArgument eval_metric{"acc"};
  std::vector<EpochEndCallback> epoch_end_callback{};
  std::vector<BatchEndCallback> batch_end_callback{};
  std::string kvstore = "local";
  std::string optimizer = "sgd";
  Options optimizer_params{{"learning_rate", 0.01}};
  std::shared_ptr<LrScheduler> lr_scheduler{};
  std::vector<BatchEndCallback> eval_end_callback{};
  std::vector<BatchEndCallback> eval_batch_end_callback{};
  std::optional<Initializer> initializer{};  // none: Uniform(0.01)
  NDArrays arg_params{}, aux_params{};
  bool allow_missing = false;
  bool force_rebind = false;
  bool force_init = false;
  Index begin_epoch = 0;
  std::optional<Index> num_epoch{};    // required
  MetricArgument validation_metric{};  // none: eval_metric itself
  Monitor* monitor = nullptr;
  SparseRowIdFn sparse_row_id_fn{};  // for prepare()
};

/// What fit() saw, by epoch: "mse" and so on.
struct FitHistory {
  /// Metrics by name, and the wall time.
  struct Epoch {
    Index epoch = 0;
    std::map<std::string, double> train, validation;
    double seconds = 0;
  };
  std::vector<Epoch> epochs;
};

/// Arguments of score().
struct ScoreOptions {
  std::optional<Index> num_batch{};
  std::vector<BatchEndCallback> batch_end_callback{};
  std::vector<BatchEndCallback> score_end_callback{};
  bool reset = true;
  Index epoch = 0;
  SparseRowIdFn sparse_row_id_fn{};
};

/// Arguments of predict().
struct PredictOptions {
  std::optional<Index> num_batch{};
  bool reset = true;
  SparseRowIdFn sparse_row_id_fn{};
};

/// MXNet's Module over MPI: a symbol with its weights, run forward and backward over batches that
/// every rank passes alike (or, under a "dist…" kvstore, each its own) and of which each computes
/// its virtual shards. All ranks call the same members in the same order; those marked Local need
/// no other rank. The same answers come out on any number of ranks.
class Module {
 public:
  /// @throws ConfigError for names that are not arguments of the symbol, and contradicting options.
  Module(Symbol symbol, ModuleOptions options, Communicator comm);
  virtual ~Module();
  Module(Module&&) noexcept;

  const Symbol& symbol() const noexcept;
  const std::vector<std::string>& data_names() const noexcept;
  const std::vector<std::string>& label_names() const noexcept;
  std::vector<std::string> output_names() const;
  const std::vector<DataDesc>& data_shapes() const;
  const std::vector<DataDesc>& label_shapes() const;
  bool binded() const noexcept;
  bool params_initialized() const noexcept;
  bool optimizer_initialized() const noexcept;
  const Communicator& communicator() const noexcept;

  /// Plans memory for these shapes. Bound already: a warning, and nothing else, unless
  /// force_rebind.
  void bind(const std::vector<DataDesc>& data_shapes,
            const std::vector<DataDesc>& label_shapes = {}, const BindOptions& options = {});
  /// New batch shapes; weights stay. forward() does it by itself.
  void reshape(const std::vector<DataDesc>& data_shapes,
               const std::vector<DataDesc>& label_shapes = {});
  /// Parameters by name order: from arg_params/aux_params, else by the initializer, as a function
  /// of (seed, name). Collective. @throws ConfigError "… is not presented" for a missing one.
  void init_params(const InitParamsOptions& options = {});
  /// Parameters by name from the caller. Collective. @throws ConfigError on names or shapes
  void set_params(const NDArrays& arg_params, const NDArrays& aux_params,
                  const SetParamsOptions& options = {});
  /// Arguments and auxiliary states by name.
  struct Params {
    NDArrays arg, aux;
  };
  /// Copies; auxiliary states averaged over virtual shards. Collective.
  Params get_params() const;

  /// @throws ConfigError for an unknown kvstore, optimizer or option.
  virtual void init_optimizer(const InitOptimizerOptions& options = {});
  /// Of the shared_module, made after bind(). As MXNet's, it is borrowed at bind() where it is
  /// there.
  void borrow_optimizer(const Module& shared_module);
  /// `is_train` none: training if bound for it. The batch must live until backward(), unless it is
  /// given away.
  void forward(const DataBatch& batch, std::optional<bool> is_train = {});
  /// The same with a batch that is given away.
  void forward(DataBatch&& batch, std::optional<bool> is_train = {});
  /// Gradients of the last forward(); `out_grads` of outputs that are no losses.
  void backward(const std::vector<NDArray>& out_grads = {});
  /// Both, for one batch.
  void forward_backward(const DataBatch& batch);
  /// One optimizer step with the gradient of all ranks. Collective.
  void update();
  /// The combined gradient of the last update, summed over rows, by parameter; before the next
  /// backward() takes its place.
  NDArrays get_gradients() const;
  double learning_rate() const;

  /// Takes this rank's outputs and labels of the last forward(), its padding left out, and adds up
  /// over ranks. Collective. @throws ConfigError unless there is a label for each row of the batch
  void update_metric(EvalMetric& eval_metric, const std::vector<NDArray>& labels);
  /// Whole batch, on every rank. Collective.
  std::vector<NDArray> get_outputs() const;
  std::vector<NDArray> get_input_grads() const;
  /// Sum of the losses of the last forward() over all rows. Collective.
  double get_loss() const;
  std::vector<NDArray> get_states() const;
  /// Whole batch: batches of another size are refused then.
  void set_states(const std::vector<NDArray>& states);
  /// The same value everywhere.
  void set_states(double value);

  /// MXNet's training loop. Collective.
  FitHistory fit(DataIter& train_data, const FitOptions& options);
  /// Metrics over an iterator, as (name, value). Collective.
  std::vector<std::pair<std::string, double>> score(DataIter& eval_data,
                                                    const MetricArgument& eval_metric,
                                                    const ScoreOptions& options = {});
  /// Outputs over an iterator without padding, one array an output. Collective.
  std::vector<NDArray> predict(DataIter& eval_data, const PredictOptions& options = {});
  /// Outputs for the rows of an array, in batches of the bound size. Collective.
  std::vector<NDArray> predict(const NDArray& data);
  /// Calls back with each batch's outputs without padding. Collective.
  void iter_predict(DataIter& eval_data,
                    const std::function<void(const std::vector<NDArray>& outputs, Index batch,
                                             const DataBatch& data)>& each,
                    const PredictOptions& options = {});
  /// Before a batch's forward(): rows of row_sparse parameters, over all ranks, take the steps that
  /// they owe. forward() does so by itself for rows that it reads. Collective with a function.
  /// @throws CollectiveError for a parameter that is not row_sparse, or a row that it does not have
  void prepare(const DataBatch& batch, const SparseRowIdFn& sparse_row_id_fn = {});
  /// Lets it see outputs from now on; it must outlive this.
  void install_monitor(Monitor& monitor);

  /// PREFIX-symbol.json and PREFIX-0001.params as MXNet writes them, and PREFIX-0001.h5, a sealed
  /// checkpoint with all that a resume needs. Collective. @throws CollectiveError (output)
  void save_checkpoint(const std::string& prefix, Index epoch, bool save_optimizer_states = false);
  /// A module from what save_checkpoint() wrote. Collective. @throws DataError
  static Module load(const std::string& prefix, Index epoch, bool load_optimizer_states,
                     ModuleOptions options, Communicator comm);
  /// The optimizer's state by itself. Collective.
  void save_optimizer_states(const std::string& path) const;
  /// Goes on from what save_optimizer_states() wrote. Collective. @throws DataError
  void load_optimizer_states(const std::string& path);

 protected:
  /// With buckets: a symbol for each key that batches name, all over the same weights.
  Module(SymGen sym_gen, Index default_bucket_key, ModuleOptions options, Communicator comm);
  /// The bucket that calls are about from now on, bound to these shapes if it is new. Local.
  void switch_bucket(Index bucket_key, const std::vector<DataDesc>& data_shapes,
                     const std::vector<DataDesc>& label_shapes = {});
  Index bucket_key() const noexcept;
  struct Impl;
  Impl& impl() noexcept { return *impl_; }
  const Impl& impl() const noexcept { return *impl_; }
  /// Around an epoch of fit().
  virtual void begin_epoch(Index epoch, Index num_epoch, DataIter& train_data);
  /// At its end: the data go back to their start.
  virtual void end_epoch(DataIter& train_data);
  /// Resets that end_epoch() makes.
  virtual Index resets_at_end() const { return 1; }
  /// Reads what save_checkpoint() left; used by load().
  void restore(const std::string& prefix, Index epoch, bool load_optimizer_states);

 private:
  /// Memory for the shapes at hand; weights go on, and the optimizer with the same shards.
  void remake(bool same_shards);
  std::unique_ptr<Impl> impl_;
};

/// PREFIX-symbol.json, as load() and users need it.
Symbol load_symbol(const std::string& prefix);

}  // namespace svrg
