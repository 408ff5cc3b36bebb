#pragma once
#include "svrg/core/support.hpp"

namespace svrg {

/// R(w) = Σ_j wd_mult_j (½ λ₂ w_j² + λ₁ |w_j|); intercepts have wd_mult 0. Exact and Local.
template <class Real>
class Penalty {
 public:
  Penalty(const ParameterLayout& layout, double l2, double l1 = 0);
  double l2() const noexcept { return l2_; }
  double l1() const noexcept { return l1_; }
  /// R(w).
  double value(ConstVecRef<Real> w) const;
  /// Of the smooth half: g ← g + λ₂·wd_mult·w.
  void add_gradient(ConstVecRef<Real> w, VecRef<Real> g) const;
  /// The same in the support alone.
  void add_gradient(ConstVecRef<Real> w, VecRef<Real> g, const Support& support) const;
  /// λ₂·wd_mult, per coordinate. [P]
  const Vec<double>& curvature() const noexcept { return curvature_; }
  /// λ₁·wd_mult, per coordinate. [P]
  const Vec<double>& threshold() const noexcept { return threshold_; }
  /// w ← argmin_u ½‖u − w‖² + η λ₁‖u‖₁: soft thresholds. Nothing where λ₁ = 0.
  void shrink(VecRef<Real> w, double eta) const;
  /// ‖w − shrink(w − η g)‖/η, g the gradient of the smooth part: ‖g‖ where λ₁ = 0, and 0 at the
  /// minimum only.
  double step_norm(ConstVecRef<Real> w, ConstVecRef<Real> g, double eta) const;

 private:
  double l2_, l1_;
  Vec<double> curvature_, threshold_;
};

}  // namespace svrg
