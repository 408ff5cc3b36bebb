#include "svrg/objective/penalty.hpp"

namespace svrg {

template <class Real>
Penalty<Real>::Penalty(const ParameterLayout& layout, double l2)
    : l2_(l2), curvature_(Vec<double>::Zero(layout.size())) {
  for (const Parameter& p : layout.all())
    curvature_.segment(p.offset, p.size).setConstant(l2 * p.wd_mult);
}

template <class Real>
double Penalty<Real>::value(ConstVecRef<Real> w) const {
  double sum = 0;  // a plain loop: the same bits wherever w lies in memory
  for (Index j = 0; j < w.size(); ++j) {
    const auto v = static_cast<double>(w[j]);
    sum += curvature_[j] * v * v;
  }
  return 0.5 * sum;
}

template <class Real>
void Penalty<Real>::add_gradient(ConstVecRef<Real> w, VecRef<Real> g) const {
  for (Index j = 0; j < w.size(); ++j) g[j] += static_cast<Real>(curvature_[j]) * w[j];
}

template class Penalty<double>;
template class Penalty<float>;

}  // namespace svrg
