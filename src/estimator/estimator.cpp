#include "svrg/estimator/estimator.hpp"

namespace svrg {

template <class Real>
Report SvrgEstimator<Real>::estimate(Objective<Real>& f, ConstVecRef<Real> w, const Batch& batch,
                                     const Pass& pass, VecRef<Real> g) {
  f.accumulate(w, &snapshot_, batch, pass);  // Σ ∇f_i(w) − α ∇f_i(w̃)
  return f.reduce(&snapshot_, g);            // the only collective of the step; then + α μ
}

template <class Real>
Report SvrgEstimator<Real>::measure(Objective<Real>& f, ConstVecRef<Real> w, VecRef<Real> g) {
  const Report report = full_gradient(f, w, g);
  snapshot_.weights = w;
  snapshot_.full_gradient = g;
  return report;
}

template <class Real>
void SvrgEstimator<Real>::save(State& state) const {
  state.arrays["snapshot/weights"] = Array::vector<Real>(snapshot_.weights);
  state.arrays["full_gradient/weights"] = Array::vector<Real>(snapshot_.full_gradient);
}

template <class Real>
void SvrgEstimator<Real>::load(const State& state) {
  const auto read = [&](const std::string& name) {
    const auto& data = std::get<std::vector<Real>>(state.array(name).data);
    return Vec<Real>(Eigen::Map<const Vec<Real>>(data.data(), static_cast<Index>(data.size())));
  };
  snapshot_.weights = read("snapshot/weights");
  snapshot_.full_gradient = read("full_gradient/weights");
}

template <class Real>
Report PlainEstimator<Real>::estimate(Objective<Real>& f, ConstVecRef<Real> w, const Batch& batch,
                                      const Pass& pass, VecRef<Real> g) {
  f.accumulate(w, nullptr, batch, pass);
  return f.reduce(nullptr, g);
}

template <class Real>
Report PlainEstimator<Real>::measure(Objective<Real>& f, ConstVecRef<Real> w, VecRef<Real> g) {
  return full_gradient(f, w, g);
}

template class SvrgEstimator<double>;
template class SvrgEstimator<float>;
template class PlainEstimator<double>;
template class PlainEstimator<float>;

}  // namespace svrg
