#pragma once
#include <memory>
#include <string_view>

#include "svrg/core/options.hpp"
#include "svrg/core/parameters.hpp"
#include "svrg/core/state.hpp"

namespace svrg {

/// Moves the weights along a gradient. Local; the same on all ranks.
template <class Real>
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  /// One step with gradient g [P] at `learning_rate`, times each parameter's lr_mult; decay is
  /// wd·wd_mult. Fixed parameters stay. Nothing is allocated after the first step.
  /// @throws DataError where the state loaded is of another number of weights
  virtual void step(const ParameterLayout& layout, VecRef<Real> w, ConstVecRef<Real> g,
                    double learning_rate) = 0;
  /// The rate it was made with, for callers without a schedule.
  virtual double learning_rate() const = 0;
  /// How many arrays as long as the weights it keeps.
  virtual Index slots() const = 0;
  /// "optimizer/step" and, once there was a step, one flat array a slot,
  /// "optimizer/<slot>/weights". Loaded, it goes on bit for bit, whatever it did before.
  virtual void save(State&) const = 0;
  /// Takes up what save() left. @throws DataError
  virtual void load(const State&) = 0;
};

/// By MXNet's name: sgd, nag, signum, dcasgd, lars, lbsgd, adam, adamax, nadam, ftml, lamb,
/// adagrad, groupadagrad, rmsprop, adadelta, ftrl. Options as MXNet's: learning_rate, wd,
/// clip_gradient, rescale_grad (of the gradient that step() is given), begin_num_update, and each
/// one's own. @throws ConfigError for an unknown name, option or value.
template <class Real>
std::unique_ptr<Optimizer<Real>> make_optimizer(std::string_view name, const Options& params = {});

}  // namespace svrg
