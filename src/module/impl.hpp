#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "module/engine.hpp"
#include "svrg/module/module.hpp"

namespace svrg {

/// Rows [begin, end) of an array, copied.
NDArray rows_between(const NDArray& array, Index begin, Index end);
/// An array as it would be with no rows.
NDArray without_rows(const DataDesc& desc);
NDArray filled(std::vector<Index> shape, double value);

/// A symbol as it is bound: what a module with buckets has several of.
struct Bound {
  Symbol symbol;
  std::vector<std::string> data_names;
  std::vector<std::string> label_names;  // those that are arguments of the symbol
  std::vector<DataDesc> data_shapes{}, label_shapes{};
  std::map<std::string, std::vector<Index>> input_shapes{};  // data, labels and states
  std::vector<std::vector<Index>> output_shapes{};
  std::unique_ptr<Engine> engine{};
  std::vector<NDArray> blank_labels{};         // fed where a batch has none
  std::map<std::string, std::string> inits{};  // __init__ of variables
};

struct Module::Impl : Bound {
  ModuleOptions options;
  Communicator comm;
  LogSink log;  // prints on root only
  BindOptions bound{};
  bool binded = false, params_initialized = false;
  bool private_batches = false;  // every rank brings rows of its own
  SymGen sym_gen;                // none: there is one symbol
  Index bucket_key = 0, default_bucket_key = 0;
  std::map<Index, Bound> other_buckets;
  const Impl* shared = nullptr;  // of the module whose weights and optimizer these are
  std::optional<InitOptimizerOptions> optimizer;
  std::optional<double> state_value = 0;  // what states are filled with; none: arrays were given
  std::vector<NDArray> no_states;         // of a batch without rows
  std::vector<NDArray> states;            // by state_names, whole batch
  Monitor* monitor = nullptr;
  DataBatch held;                   // the last batch, where it was given away
  Index fed_rows = 0, fed_pad = 0;  // of the last forward()
  /// Resets of the training iterator by the end of the last epoch of fit(): where a run that goes
  /// on finds its shuffled order again.
  Index train_resets = 0;

  Impl(const BucketSymbol& s, ModuleOptions o, Communicator c);

  void say(LogLevel level, const std::string& message) const {
    if (log) log(level, message);
  }
  void require(bool condition, const char* what) const;
  /// Collective. @throws ConfigError on all ranks unless all were given the argument, or none.
  void require_same(bool given, const char* argument) const;
  /// Names of a symbol's inputs, checked. @throws ConfigError
  void take_symbol(const BucketSymbol& given);
  /// Makes the engine for the shapes bound; what it had to remember goes over to the new one.
  /// `common`: weights and optimizer are that engine's; null: new ones.
  void make_engine_for_shapes(const Engine* common);
  /// `same_shards`: they stay where they are, for modules that share them.
  const Engine* common_engine(bool same_shards) const {
    return shared ? shared->engine.get() : same_shards ? engine.get() : nullptr;
  }
  /// Puts the bucket in the place of the one in use, made and bound to these shapes if need be.
  void use_bucket(Index key, const std::vector<DataDesc>& data,
                  const std::vector<DataDesc>& labels);
  /// Likewise the batch's own, if it has one.
  void use_bucket_of(const DataBatch& batch);
  /// Of the default bucket.
  Symbol main_symbol() const { return sym_gen ? sym_gen(default_bucket_key).symbol : symbol; }
  std::map<std::string, std::vector<Index>> infer_input_shapes() const;
  OutputListener monitor_listener() const;
  /// Valid until the next one is asked for.
  const Feed& feed_of(const DataBatch& batch);
  /// Own rows of the last forward()'s outputs.
  std::vector<NDArray> local_outputs() const;
  std::vector<NDArray> gathered(std::vector<NDArray> local) const;
  /// update_metric() without the sum over ranks.
  void take_metric(EvalMetric& metric, const std::vector<NDArray>& labels) const;
  /// Batches that all ranks go through together, and this rank's next one of them; null at the end,
  /// on all ranks at once.
  Index agreed_batches(DataIter& data) const;
  const DataBatch* next_or_empty(DataIter& data);
  NDArrays named(ConstVecRef<double> flat, const ParameterLayout& layout) const;
  DataBatch empty_batch;
  Feed feed;
  /// What load() read, until bind() and init_optimizer() have places for it.
  struct Restored {
    NDArrays arg, aux;
    std::optional<State> state;
    bool with_optimizer = false;
  };
  std::optional<Restored> restored;
};

}  // namespace svrg
