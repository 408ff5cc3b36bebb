#pragma once
#include <memory>

#include "svrg/data/sampler.hpp"
#include "svrg/estimator/estimator.hpp"
#include "svrg/optimizer/optimizer.hpp"
#include "svrg/solver/solver.hpp"

namespace svrg {

/// Arguments of MinibatchSolver.
struct MinibatchOptions {
  double learning_rate = 0.01;
  bool may_halve = false;  // the rate is the program's own choice: roll back and halve if it fails
  bool convex = true;      // the gradient then bounds the distance to the optimum
  Index update_freq = 2;   // epochs between snapshots (measurements)
};

/// MXNet's scheme: global minibatches, one reduction a step, an optimizer's step, a full gradient
/// every update_freq epochs. With the plain estimator it is SGD, with one batch an epoch gradient
/// descent.
template <class Real>
class MinibatchSolver : public Solver<Real> {
 public:
  /// All references must outlive this.
  MinibatchSolver(const Communicator& comm, const ParameterLayout& layout, Objective<Real>& f,
                  BatchSource& source, GradientEstimator<Real>& estimator,
                  Optimizer<Real>& optimizer, MinibatchOptions options);
  Outcome start(VecRef<Real> w) override;
  Outcome advance(VecRef<Real> w) override;
  Outcome measure(VecRef<Real> w) override;
  void collect() override { f_.collect(); }
  void save(State& state) const override;
  void load(const State& state) override;

 private:
  void take_measure(VecRef<Real> w);
  Report take_step(VecRef<Real> w, const Batch& batch, const Pass& pass);
  /// Whoever sees the weights between two calls sees no debts of row_sparse rows: they are paid at
  /// the end of an epoch, and within one in a copy, so that a stop leaves no trace in the bits.
  void show_settled(VecRef<Real> w);
  void take_back(VecRef<Real> w);
  double bound(ConstVecRef<Real> w) const;
  bool diverged() const;
  void roll_back(VecRef<Real> w);

  Communicator comm_;
  const ParameterLayout& layout_;
  Objective<Real>& f_;
  BatchSource& source_;
  GradientEstimator<Real>& estimator_;
  Optimizer<Real>& optimizer_;
  MinibatchOptions options_;
  Outcome now_;
  Index step_in_epoch_ = 0, halvings_ = 0;
  bool resumed_ = false;
  Vec<Real> g_, good_;
  Vec<Real> owing_;  // the weights of show_settled(), with what they owe
  double good_objective_ = 0, first_objective_ = 0;
};

}  // namespace svrg
