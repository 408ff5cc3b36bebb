#pragma once
#include <vector>

#include "svrg/solver/engine.hpp"
#include "svrg/solver/solver.hpp"

namespace svrg {

/// The solver that needs no tuning, for linear models with an L1 penalty. An outer iteration: full
/// gradient with all margins, a step, a search along it on margins. The step is
/// - while few weights are not 0: the minimum of the penalised quadratic on a working set of
///   coordinates, the non-zeros and those that most want to be, with a Hessian from a sample of the
///   rows of all ranks, found on every rank by itself. The sample grows where the last iterations
///   contracted little. One more reduction, of (working set)² values;
/// - else: the mean of chains of proximal variance-reduced row steps, without communication.
/// Source: Xiao & Zhang (2014), "A proximal stochastic gradient method with progressive variance
/// reduction"; Lee, Sun, Saunders (2014), "Proximal Newton-type methods for minimizing composite
/// functions"; working sets as in Yuan, Ho, Lin (2012), "An improved GLMNET for L1-regularized
/// logistic regression".
class ProximalSvrg : public Solver<double> {
 public:
  /// Of a working set that is not all coordinates, and the most coordinates to work on all.
  static constexpr Index largest_working_set = 1024, most_parameters = 2048;
  /// The objective must outlive this. Collective.
  ProximalSvrg(MarginObjective& objective, EngineOptions options);
  Outcome start(VecRef<double> w) override;
  Outcome advance(VecRef<double> w) override;
  Outcome measure(VecRef<double>) override { return now_; }  // always known
  void save(State& state) const override;
  void load(const State& state) override;

 private:
  static constexpr Index most_rejected = 5;
  static constexpr double least_damping = 1e-10;
  void take(ConstVecRef<double> w, const MarginObjective::Measurement& m);
  /// Empty: more non-zeros than a working set takes.
  std::vector<Index> working_set(ConstVecRef<double> w) const;
  Index sample_size(std::size_t coordinates) const;
  Vec<double> newton_step(ConstVecRef<double> w, const std::vector<Index>& set);
  /// α of w + α·step, 0 where nothing is gained; `best` where the search would have gone.
  double search(ConstVecRef<double> w, const Vec<double>& step, double& best);

  MarginObjective& f_;
  RowEngine rows_;
  Outcome now_;
  Vec<double> g_;                   // of the smooth part
  double eta_ = 0;                  // of the proximal step whose length is the gradient norm
  double growth_ = 1;               // of the sample
  double damping_ = least_damping;  // of each of the Hessian's diagonal elements, added to it
  Index slow_ = 0, rejected_ = 0;   // outers running
  bool by_rows_ = false, resumed_ = false;
};

}  // namespace svrg
