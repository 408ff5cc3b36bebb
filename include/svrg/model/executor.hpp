#pragma once
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "svrg/core/parameters.hpp"
#include "svrg/data/batch.hpp"
#include "svrg/model/model.hpp"
#include "svrg/model/symbol.hpp"

namespace svrg {

/// How a symbol is to be run.
struct ExecutorOptions {
  /// Shapes by name of the arguments that are fed (data, labels, states); axis 0 is the batch. All
  /// other arguments are parameters.
  std::map<std::string, std::vector<Index>> inputs;
  bool training = true;                  // plan memory for backward()
  std::vector<std::string> fixed{};      // parameters without a gradient
  std::vector<std::string> gradients{};  // inputs whose gradient is wanted
  std::uint64_t seed = 0;                // of random layers
};

/// Called with every operator's outputs right after it has run: "fc1_output", row-major.
using OutputListener = std::function<void(const std::string& name, std::span<const double> values,
                                          std::span<const Index> shape)>;

/// Names and shapes of a symbol's parameters, in order of arguments. lr_mult and wd_mult are the
/// variables' own; wd_mult is 0 for names that end in neither _weight nor _gamma, as MXNet has it.
/// A parameter is row_sparse where its readers say so (an Embedding with sparse_grad, or one or a
/// dot() of a variable whose stype is row_sparse) and where the rows they read are known from an
/// input; any other is dense.
/// @throws ConfigError where shapes do not follow, or a name of the options is not an argument.
ParameterLayout parameter_layout(const Symbol& symbol, const ExecutorOptions& options);
/// Of the auxiliary states.
ParameterLayout auxiliary_layout(const Symbol& symbol, const ExecutorOptions& options);

/// Runs a symbol forward and backward at any weights. Memory is planned once per number of rows and
/// shared by all of them; a step allocates nothing once its number of rows has been seen. Local.
template <class Real>
class Executor {
 public:
  Executor(const Symbol& symbol, ExecutorOptions options);
  ~Executor();
  Executor(Executor&&) noexcept;

  const ParameterLayout& layout() const noexcept;
  const ParameterLayout& auxiliaries() const noexcept;

  /// The rows to come: begin(rows), then load() for every input. `rows` may differ from call to
  /// call.
  void begin(Index rows);
  /// Feeds rows pick[first … first+count) of the views (rows first … where pick is empty). The
  /// views must stay valid until backward() has been called. @throws ConfigError on an unknown name
  /// or a row of another size.
  void load(std::string_view input, const Rows& views, std::span<const Index> pick, Index first);

  /// The rows that another executor of the symbol was given, as many as were begun here, without
  /// another copy of them; as long as they are loaded there.
  void load_as(const Executor& other);

  /// Adds the numbers (from Parameter::first_row on, in any order) of the rows of row_sparse
  /// parameters that the loaded rows make forward() read; their gradient is 0 in all others.
  void list_rows(std::vector<Index>& rows) const;

  /// What a pass knows beside weights and rows.
  struct Context {
    Pass pass;
    bool move_auxiliaries = false;            // in training, running statistics follow the batch
    std::span<const Index> global_rows = {};  // of the rows fed: random layers depend on them
    Index batch_rows = 0;  // of the batch of which these rows are some, for losses normalised by it
  };
  /// @param w [layout().size()]   @param aux [auxiliaries().size()], moved where the context says
  /// so
  void forward(ConstVecRef<Real> w, VecRef<Real> aux, const Context& context);
  /// The sum of gradients that backward() adds to.
  struct Sum {
    double weight = 1;    // of the gradient in it
    bool begins = false;  // it holds nothing yet, and is overwritten
  };
  /// Adds the gradient of the outputs' losses, summed over the rows, to g [layout().size()]. Must
  /// follow a forward() with the same w. `out_grads`: of each output, row-major; empty: the outputs
  /// are losses. @throws ConfigError naming an output that is no loss and has no gradient.
  void backward(ConstVecRef<Real> w, std::span<const std::span<const Real>> out_grads,
                VecRef<Real> g, const Sum& sum);
  /// The same with a weight of 1.
  void backward(ConstVecRef<Real> w, std::span<const std::span<const Real>> out_grads,
                VecRef<Real> g) {
    backward(w, out_grads, g, {});
  }
  /// May a batch be evaluated in any pieces of its rows? Their gradients' sum is the same then, but
  /// for rounding.
  bool rows_apart() const;

  Index outputs() const noexcept;
  /// Of the last forward(), row-major; shape of the last begin(). Valid until the next begin().
  std::span<const Real> output(Index i) const;
  /// Of output i for all rows of the last begin().
  const std::vector<Index>& output_shape(Index i) const;
  /// Of an input named in the options, of the last backward().
  std::span<const Real> input_gradient(std::string_view input) const;
  /// Of the last forward(): the losses' sum over the rows, of which backward() gives the gradient.
  double loss() const;
  /// Size of the planned memory, in values of Real.
  Index arena_values() const noexcept;

  /// Called with each node's output in forward(); an empty one ends it.
  void listen(OutputListener listener);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace svrg
