// x/√(Σx² + ε): over all of a row (instance), over its channels at each place (channel), or over
// the places of each channel (spatial).
#include <cmath>

#include "model/operators/operator.hpp"

namespace svrg::ops {
namespace {

template <class Real>
class L2Normalization : public Operator<Real> {
 public:
  explicit L2Normalization(OptionReader& o)
      : eps_(o.real("eps", 1e-10)),
        mode_(o.choice("mode", "instance", {"instance", "channel", "spatial"})) {}
  void infer(Shapes& s) const override { unify(s.in[0], s.out[0], "output"); }
  void forward(const Call<Real>& c) override {
    each_group(c.out[0].shape, [&](Index at, Index step, Index n) {
      const auto scale = static_cast<Real>(1 / norm(c.in[0].data, at, step, n));
      for (Index k = 0; k < n; ++k)
        c.out[0].data[at + k * step] = scale * c.in[0].data[at + k * step];
    });
  }
  void backward(const Call<Real>& c) override {
    const Real* dy = c.out_grad[0].data;
    if (!dy || !c.in_grad[0]) return;
    each_group(c.out_grad[0].shape, [&](Index at, Index step, Index n) {
      const double length = norm(c.in[0].data, at, step, n);
      double along = 0;
      for (Index k = 0; k < n; ++k)
        along += static_cast<double>(dy[at + k * step]) *
                 static_cast<double>(c.out[0].data[at + k * step]);
      for (Index k = 0; k < n; ++k) {
        const Index i = at + k * step;
        c.in_grad[0].data[i] += static_cast<Real>(
            (static_cast<double>(dy[i]) - along * static_cast<double>(c.out[0].data[i])) / length);
      }
    });
  }

 private:
  double norm(const Real* x, Index at, Index step, Index n) const {
    double sum = eps_;
    for (Index k = 0; k < n; ++k)
      sum += static_cast<double>(x[at + k * step]) * static_cast<double>(x[at + k * step]);
    return std::sqrt(sum);
  }
  template <class Body>
  void each_group(std::span<const Index> shape, const Body& body) const {
    const Index rows = shape[0], row = size_of(shape.subspan(1));
    const Index channels = shape.size() > 1 ? shape[1] : 1, places = row / channels;
    for (Index r = 0; r < rows; ++r) {
      if (mode_ == "instance") body(r * row, 1, row);
      if (mode_ == "channel")
        for (Index p = 0; p < places; ++p) body(r * row + p, places, channels);
      if (mode_ == "spatial")
        for (Index ch = 0; ch < channels; ++ch) body(r * row + ch * places, 1, places);
    }
  }
  double eps_;
  std::string mode_;
};

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(L2Normalization, L2Normalization)
