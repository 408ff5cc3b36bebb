#pragma once
#include "svrg/core/parameters.hpp"

namespace svrg {

/// R(w) = ½ Σ_j λ·wd_mult_j·w_j²; intercepts have wd_mult 0. Exact and Local.
template <class Real>
class Penalty {
 public:
  Penalty(const ParameterLayout& layout, double l2);
  double l2() const noexcept { return l2_; }
  /// R(w).
  double value(ConstVecRef<Real> w) const;
  /// g ← g + ∇R(w).
  void add_gradient(ConstVecRef<Real> w, VecRef<Real> g) const;
  /// λ·wd_mult, per coordinate. [P]
  const Vec<double>& curvature() const noexcept { return curvature_; }

 private:
  double l2_;
  Vec<double> curvature_;
};

}  // namespace svrg
