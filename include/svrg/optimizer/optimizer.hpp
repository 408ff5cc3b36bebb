#pragma once
#include <memory>
#include <string_view>

#include "svrg/core/gradient.hpp"
#include "svrg/core/options.hpp"
#include "svrg/core/parameters.hpp"
#include "svrg/core/state.hpp"

namespace svrg {

/// Moves the weights along a gradient. Local; the same on all ranks.
template <class Real>
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  /// One step with gradient g at `learning_rate`, times each parameter's lr_mult; decay is
  /// wd·wd_mult. Fixed parameters stay. Nothing is allocated after the first dense step.
  /// Outside of g's support rows are left alone: sgd, nag and ccsgd owe them the step and make up
  /// for it in settle(), to the same result but for rounding; adam, adagrad, groupadagrad and ftrl
  /// never take it, as MXNet's lazy_update means; the others, and all with lazy_update = false,
  /// move all rows every time, and so do exact ones that clip a gradient with a penalty in it.
  /// @throws DataError where the state loaded is of another number of weights
  virtual void step(const ParameterLayout& layout, VecRef<Real> w, const Gradient<Real>& g,
                    double learning_rate) = 0;
  /// The same with a gradient [P] of everything.
  void step(const ParameterLayout& layout, VecRef<Real> w, ConstVecRef<Real> g,
            double learning_rate) {
    const std::span<const Real> values(g.data(), static_cast<std::size_t>(g.size()));
    step(layout, w, Gradient<Real>{values}, learning_rate);
  }
  /// Takes the steps that rows of `support` owe, or all rows (null). `along` as in the gradients
  /// that left them: before it changes, or weights are set, all rows must be settled. To be called
  /// before such rows are read; which rows were settled when may change the last bits.
  /// One that moves all rows in every step, as these three are here, owes nothing.
  virtual void settle(const ParameterLayout& /*layout*/, VecRef<Real> /*w*/, const Real* /*along*/,
                      const Support* /*support*/ = nullptr) {}
  /// Does any row owe a step?
  virtual bool owes() const { return false; }
  /// Makes a copy of the weights what settle() would make of them, and leaves the debts.
  virtual void settle_copy(const ParameterLayout& /*layout*/, VecRef<Real> /*w*/,
                           const Real* /*along*/) const {}
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
/// clip_gradient, rescale_grad (of the gradient that step() is given), begin_num_update,
/// lazy_update where rows may be left alone, and each one's own. @throws ConfigError for an unknown
/// name, option or value.
template <class Real>
std::unique_ptr<Optimizer<Real>> make_optimizer(std::string_view name, const Options& params = {});

}  // namespace svrg
