#pragma once
#include "svrg/model/executor.hpp"
#include "svrg/model/model.hpp"

namespace svrg {

/// A symbol that ends in losses, as a function of weights and rows: what solvers and objectives
/// train. Rows are evaluated in blocks, so that memory does not grow with a part's length. Local.
template <class Real>
class SymbolModel : public Model<Real> {
 public:
  /// `data` is fed from the batch's inputs[0], `label` from its labels; the options' inputs give
  /// their shapes, of which axis 0 is the block. Auxiliary states are not supported: statistics
  /// over a block would make the gradient depend on where blocks begin.
  /// @throws ConfigError for a symbol with such states, or with a loss normalised by the batch
  SymbolModel(const Symbol& symbol, ExecutorOptions options, std::string data = "data",
              std::string label = "softmax_label");

  const ParameterLayout& layout() const override { return executor_.layout(); }
  double add_gradient(ConstVecRef<Real> w, const Batch& batch, const Part& part, const Pass& pass,
                      VecRef<Real> g) override;
  void predict(ConstVecRef<Real> w, const Batch& batch, const Part& part,
               std::span<double> scores) override;
  Index scores_per_row() const override { return scores_; }

 private:
  /// Runs forward over blocks of the part; each(first row of the block in the part, its rows).
  template <class Each>
  void each_block(ConstVecRef<Real> w, const Batch& batch, const Part& part, const Pass& pass,
                  const Each& each);
  Executor<Real> executor_;
  std::string data_, label_;
  Index block_, scores_;
  std::vector<Index> rows_, global_rows_;
  Vec<Real> no_states_;
};

}  // namespace svrg
