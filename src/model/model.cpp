#include "svrg/model/model.hpp"

namespace svrg {

template <class Real>
double Model<Real>::add_difference(ConstVecRef<Real> w, ConstVecRef<Real> w_snap, double c,
                                   const Batch& batch, const Part& part, const Pass& pass,
                                   VecRef<Real> g) {
  Vec<Real> at_snapshot = Vec<Real>::Zero(g.size());
  add_gradient(w_snap, batch, part, pass, at_snapshot);
  g -= static_cast<Real>(c) * at_snapshot;
  return add_gradient(w, batch, part, pass, g);
}

template class Model<double>;
template class Model<float>;

}  // namespace svrg
