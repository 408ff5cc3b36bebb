#include "svrg/objective/penalty.hpp"

#include <cmath>

#include "svrg/core/soft_threshold.hpp"

namespace svrg {

template <class Real>
Penalty<Real>::Penalty(const ParameterLayout& layout, double l2, double l1)
    : l2_(l2),
      l1_(l1),
      curvature_(Vec<double>::Zero(layout.size())),
      threshold_(Vec<double>::Zero(layout.size())) {
  for (const Parameter& p : layout.all()) {
    curvature_.segment(p.offset, p.size).setConstant(l2 * p.wd_mult);
    threshold_.segment(p.offset, p.size).setConstant(l1 * p.wd_mult);
  }
}

template <class Real>
double Penalty<Real>::value(ConstVecRef<Real> w) const {
  double squares = 0, sizes = 0;  // plain loops: the same bits wherever w lies in memory
  for (Index j = 0; j < w.size(); ++j) {
    const auto v = static_cast<double>(w[j]);
    squares += curvature_[j] * v * v;
  }
  if (l1_ > 0)
    for (Index j = 0; j < w.size(); ++j)
      sizes += threshold_[j] * std::fabs(static_cast<double>(w[j]));
  return 0.5 * squares + sizes;
}

template <class Real>
void Penalty<Real>::add_gradient(ConstVecRef<Real> w, VecRef<Real> g) const {
  for (Index j = 0; j < w.size(); ++j) g[j] += static_cast<Real>(curvature_[j]) * w[j];
}

template <class Real>
void Penalty<Real>::add_gradient(ConstVecRef<Real> w, VecRef<Real> g,
                                 const Support& support) const {
  for (const Stretch& s : support.stretches())
    for (Index j = s.begin; j < s.begin + s.size; ++j)
      g[j] += static_cast<Real>(curvature_[j]) * w[j];
}

template <class Real>
void Penalty<Real>::shrink(VecRef<Real> w, double eta) const {
  if (l1_ <= 0) return;
  for (Index j = 0; j < w.size(); ++j)
    w[j] = static_cast<Real>(soft_threshold(static_cast<double>(w[j]), eta * threshold_[j]));
}

template <class Real>
double Penalty<Real>::step_norm(ConstVecRef<Real> w, ConstVecRef<Real> g, double eta) const {
  if (l1_ <= 0) return g.template cast<double>().stableNorm();
  Vec<double> step(w.size());
  for (Index j = 0; j < w.size(); ++j) {
    const auto at = static_cast<double>(w[j]), slope = static_cast<double>(g[j]);
    const double next = soft_threshold(at - eta * slope, eta * threshold_[j]);
    // Without the detour by w where the sign stays, which would round.
    const bool same_sign = (next > 0 && at > 0) || (next < 0 && at < 0) || threshold_[j] == 0;
    step[j] = same_sign ? slope + std::copysign(threshold_[j], next) : (at - next) / eta;
  }
  return step.stableNorm();
}

template class Penalty<double>;
template class Penalty<float>;

}  // namespace svrg
