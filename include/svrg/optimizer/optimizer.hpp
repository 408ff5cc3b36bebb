#pragma once
#include "svrg/core/parameters.hpp"
#include "svrg/core/state.hpp"

namespace svrg {

/// Moves the weights along a gradient. Local; the same on all ranks.
template <class Real>
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  virtual void step(const ParameterLayout& layout, VecRef<Real> w, ConstVecRef<Real> g,
                    double learning_rate) = 0;
  virtual void save(State&) const {}
  virtual void load(const State&) {}
};

/// w ← w − η·lr_mult·g; fixed parameters stay.
template <class Real>
class Sgd : public Optimizer<Real> {
 public:
  void step(const ParameterLayout& layout, VecRef<Real> w, ConstVecRef<Real> g,
            double learning_rate) override;
};

}  // namespace svrg
