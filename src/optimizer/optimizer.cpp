#include "svrg/optimizer/optimizer.hpp"

namespace svrg {

template <class Real>
void Sgd<Real>::step(const ParameterLayout& layout, VecRef<Real> w, ConstVecRef<Real> g,
                     double learning_rate) {
  for (const Parameter& p : layout.all()) {
    if (p.fixed) continue;
    const auto eta = static_cast<Real>(learning_rate * p.lr_mult);
    w.segment(p.offset, p.size) -= eta * g.segment(p.offset, p.size);
  }
}

template class Sgd<double>;
template class Sgd<float>;

}  // namespace svrg
