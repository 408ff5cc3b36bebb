// Ba, Kiros and Hinton (2016): each line along an axis standardised by its own mean and
// variance.
#include <cmath>

#include "model/operators/axes.hpp"

namespace svrg::ops {
namespace {

template <class Real>
class LayerNorm : public Operator<Real> {
 public:
  explicit LayerNorm(OptionReader& o)
      : axis_(o.integer("axis", -1)),
        eps_(o.real("eps", 1e-5)),
        shows_(o.flag("output_mean_var", false)) {}
  std::vector<std::string> inputs() const override { return {"data", "gamma", "beta"}; }
  std::vector<std::string> outputs() const override {
    if (shows_) return {"output", "mean", "std"};  // the last two pass no gradient on
    return {"output"};
  }
  bool backward_reads_input(std::size_t input) const override { return input < 2; }
  bool backward_reads_output() const override { return false; }
  void infer(Shapes& s) const override {
    unify(s.in[0], s.out[0], "output");
    if (s.in[0].empty()) return;
    Shape moments = s.in[0];
    Index& along = moments[axis_at(axis_, moments.size())];
    Shape line{along};
    unify(s.in[1], line, "gamma");
    unify(s.in[2], line, "beta");
    along = 1;
    for (std::size_t i = 1; i < s.out.size(); ++i) unify(s.out[i], moments, "mean and std");
  }
  void bind(const Shapes& s) override {
    const AxisView v(s.in[0], axis_at(axis_, s.in[0].size()));
    for (auto* scratch : {&mean_, &std_})
      scratch->assign(static_cast<std::size_t>(v.before * v.after), 0);
  }

  void forward(const Call<Real>& c) override {
    each_line(c.in[0].shape, [&](std::size_t line, Index at, Index step, Index n) {
      const Real* x = c.in[0].data + at;
      double mean = 0, variance = 0;
      for (Index k = 0; k < n; ++k) mean += static_cast<double>(x[k * step]);
      mean /= static_cast<double>(n);
      for (Index k = 0; k < n; ++k) {
        const double d = static_cast<double>(x[k * step]) - mean;
        variance += d * d;
      }
      mean_[line] = mean;
      std_[line] = std::sqrt(variance / static_cast<double>(n) + eps_);
      const auto centre = static_cast<Real>(mean), scale = static_cast<Real>(1 / std_[line]);
      for (Index k = 0; k < n; ++k)
        c.out[0].data[at + k * step] =
            (x[k * step] - centre) * scale * c.in[1].data[k] + c.in[2].data[k];
      if (!shows_) return;
      c.out[1].data[line] = centre;
      c.out[2].data[line] = static_cast<Real>(std_[line]);
    });
  }

  // With z = (x − mean)/std and e = γ dy: dx = (e − mean(e) − z mean(e z))/std.
  void backward(const Call<Real>& c) override {
    const Real* all = c.out_grad[0].data;
    if (!all) return;
    each_line(c.in[0].shape, [&](std::size_t line, Index at, Index step, Index n) {
      const Real *x = c.in[0].data + at, *dy = all + at, *gamma = c.in[1].data;
      const double mean = mean_[line], std = std_[line];
      double sum = 0, with_z = 0;
      for (Index k = 0; k < n; ++k) {
        const double d = static_cast<double>(dy[k * step]);
        const double z = (static_cast<double>(x[k * step]) - mean) / std;
        sum += d * static_cast<double>(gamma[k]);
        with_z += d * static_cast<double>(gamma[k]) * z;
        if (c.in_grad[1]) c.in_grad[1].data[k] += static_cast<Real>(d * z);
        if (c.in_grad[2]) c.in_grad[2].data[k] += dy[k * step];
      }
      if (!c.in_grad[0]) return;
      sum /= static_cast<double>(n);
      with_z /= static_cast<double>(n);
      for (Index k = 0; k < n; ++k) {
        const double e = static_cast<double>(dy[k * step]) * static_cast<double>(gamma[k]);
        const double z = (static_cast<double>(x[k * step]) - mean) / std;
        c.in_grad[0].data[at + k * step] += static_cast<Real>((e - sum - z * with_z) / std);
      }
    });
  }

 private:
  // body(number of the line, its first element, step along it, its length)
  template <class Body>
  void each_line(std::span<const Index> shape, const Body& body) const {
    const AxisView v(shape, axis_at(axis_, shape.size()));
    for (Index b = 0; b < v.before; ++b)
      for (Index a = 0; a < v.after; ++a)
        body(static_cast<std::size_t>(b * v.after + a), b * v.along * v.after + a, v.after,
             v.along);
  }
  Index axis_;
  double eps_;
  bool shows_;
  std::vector<double> mean_, std_;
};

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(LayerNorm, LayerNorm)
