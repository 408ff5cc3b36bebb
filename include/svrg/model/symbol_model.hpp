#pragma once
#include "svrg/model/executor.hpp"
#include "svrg/model/model.hpp"
#include "svrg/model/net.hpp"

namespace svrg {

/// A net as a function of weights and rows: what solvers and objectives train. Labels are as
/// LinearModel takes them: −1/+1, class numbers, numbers. Rows are evaluated in blocks, so that
/// memory does not grow with a part's length. Local.
template <class Real>
class SymbolModel : public Model<Real> {
 public:
  /// The net's data are fed from the batch's inputs[0]; the options' inputs give their shape, of
  /// which axis 0 is the block. Auxiliary states are not supported: statistics over a block would
  /// make the gradient depend on where blocks begin.
  /// @throws ConfigError for a net with such states
  SymbolModel(const Net& net, ExecutorOptions options);

  const ParameterLayout& layout() const override { return executor_.layout(); }
  double add_gradient(ConstVecRef<Real> w, const Batch& batch, const Part& part, const Pass& pass,
                      VecRef<Real> g) override;
  double add_difference(ConstVecRef<Real> w, ConstVecRef<Real> w_snap, double c, const Batch& batch,
                        const Part& part, const Pass& pass, VecRef<Real> g) override;
  void list_rows(const Batch& batch, const Part& part, std::vector<Index>& rows) override;
  void predict(ConstVecRef<Real> w, const Batch& batch, const Part& part,
               std::span<double> scores) override;
  Index scores_per_row() const override { return scores_; }

 private:
  /// Feeds blocks of the part; each(first row of the block in the part, its rows).
  template <class Each>
  void each_block(const Batch& batch, const Part& part, const Each& each);
  void forward(ConstVecRef<Real> w, const Pass& pass);
  /// Adds `times` times the gradient's sum, returns that of the losses.
  double add(ConstVecRef<Real> w, double times, const Batch& batch, const Part& part,
             const Pass& pass, VecRef<Real> g);
  Loss loss_;
  std::string data_;
  Executor<Real> executor_;
  Index block_, scores_;
  std::vector<Index> global_rows_;
  std::vector<double> z_, r_;
  std::vector<Real> residuals_;
  Vec<Real> no_states_;
};

}  // namespace svrg
