// Ioffe and Szegedy (2015): each channel standardised by the batch's mean and variance in training,
// by running ones otherwise. Rows of a virtual shard are a batch of their own. What output_mean_var
// shows as "var" is 1/√(variance + ε), as in the original; it passes no gradient on.
#include <cmath>

#include "model/operators/axes.hpp"
#include "model/operators/operator.hpp"

namespace svrg::ops {
namespace {

template <class Real>
class BatchNorm : public Operator<Real> {
 public:
  explicit BatchNorm(OptionReader& o)
      : eps_(o.real("eps", 1e-3)),
        momentum_(o.real("momentum", 0.9)),
        axis_(o.integer("axis", 1)),
        fix_gamma_(o.flag("fix_gamma", true)),
        global_(o.flag("use_global_stats", false)),
        shows_(o.flag("output_mean_var", false)) {
    o.ignore("cudnn_off");
    o.ignore("min_calib_range");
    o.ignore("max_calib_range");
  }
  std::vector<std::string> inputs() const override { return {"data", "gamma", "beta"}; }
  std::vector<std::string> auxiliaries() const override { return {"moving_mean", "moving_var"}; }
  std::vector<std::string> outputs() const override {
    if (shows_) return {"output", "mean", "var"};
    return {"output"};
  }
  void infer(Shapes& s) const override {
    unify(s.in[0], s.out[0], "output");
    const Shape& x = s.in[0];
    if (x.empty()) return;
    Shape channels{x[axis_at(axis_, x.size())]};
    unify(s.in[1], channels, "gamma");
    unify(s.in[2], channels, "beta");
    for (auto& state : s.aux) unify(state, channels, "running statistics");
    for (std::size_t i = 1; i < s.out.size(); ++i) unify(s.out[i], channels, "mean and var");
  }
  bool backward_reads_output() const override { return false; }
  bool backward_reads_input(std::size_t input) const override { return input < 2; }
  void bind(const Shapes& s) override {
    const AxisView v(s.in[0], axis_at(axis_, s.in[0].size()));
    for (auto* scratch : {&mean_, &inverse_}) scratch->assign(static_cast<std::size_t>(v.along), 0);
  }

  void forward(const Call<Real>& c) override {
    const AxisView v(c.in[0].shape, axis_at(axis_, c.in[0].shape.size()));
    const auto count = static_cast<double>(v.before * v.after);
    batch_ = c.training && !global_;
    for (Index a = 0; a < v.along; ++a) {
      double mean = 0, variance = 0;
      if (batch_) {
        each(v, a, [&](Index i) { mean += static_cast<double>(c.in[0].data[i]); });
        mean /= count;
        each(v, a, [&](Index i) {
          const double d = static_cast<double>(c.in[0].data[i]) - mean;
          variance += d * d;
        });
        variance /= count;
        if (c.move_aux) {
          move(c.aux[0].data[a], mean);
          move(c.aux[1].data[a], variance);
        }
      } else {
        mean = static_cast<double>(c.aux[0].data[a]);
        variance = static_cast<double>(c.aux[1].data[a]);
      }
      const double inverse = 1 / std::sqrt(variance + eps_);
      mean_[static_cast<std::size_t>(a)] = mean;
      inverse_[static_cast<std::size_t>(a)] = inverse;
      if (shows_) {
        c.out[1].data[a] = static_cast<Real>(mean);
        c.out[2].data[a] = static_cast<Real>(inverse);
      }
      const auto scale = static_cast<Real>(inverse * gamma(c, a));
      // x − mean first: with large means x·scale and its shift would cancel.
      const auto centre = static_cast<Real>(mean);
      const Real beta = c.in[2].data[a];
      each(v, a, [&](Index i) { c.out[0].data[i] = (c.in[0].data[i] - centre) * scale + beta; });
    }
  }

  void backward(const Call<Real>& c) override {
    const Real* dy = c.out_grad[0].data;
    if (!dy) return;
    const AxisView v(c.in[0].shape, axis_at(axis_, c.in[0].shape.size()));
    const auto count = static_cast<double>(v.before * v.after);
    for (Index a = 0; a < v.along; ++a) {
      const double mean = mean_[static_cast<std::size_t>(a)];
      const double inverse = inverse_[static_cast<std::size_t>(a)];
      double sum = 0, with_x = 0;
      each(v, a, [&](Index i) {
        sum += static_cast<double>(dy[i]);
        with_x += static_cast<double>(dy[i]) * (static_cast<double>(c.in[0].data[i]) - mean);
      });
      if (c.in_grad[1] && !fix_gamma_) c.in_grad[1].data[a] += static_cast<Real>(with_x * inverse);
      if (c.in_grad[2]) c.in_grad[2].data[a] += static_cast<Real>(sum);
      if (!c.in_grad[0]) continue;
      const double scale = gamma(c, a) * inverse;
      const double slope = batch_ ? with_x * inverse * inverse / count : 0;
      const double level = batch_ ? sum / count : 0;
      each(v, a, [&](Index i) {
        const double x = static_cast<double>(c.in[0].data[i]) - mean;
        c.in_grad[0].data[i] +=
            static_cast<Real>(scale * (static_cast<double>(dy[i]) - level - slope * x));
      });
    }
  }

 private:
  template <class Body>
  static void each(const AxisView& v, Index a, const Body& body) {
    for (Index b = 0; b < v.before; ++b) {
      const Index from = (b * v.along + a) * v.after;
      for (Index i = from; i < from + v.after; ++i) body(i);
    }
  }
  double gamma(const Call<Real>& c, Index a) const {
    return fix_gamma_ ? 1 : static_cast<double>(c.in[1].data[a]);
  }
  void move(Real& running, double value) const {
    running = static_cast<Real>(momentum_ * static_cast<double>(running) + (1 - momentum_) * value);
  }
  double eps_, momentum_;
  Index axis_;
  bool fix_gamma_, global_, shows_, batch_ = true;
  std::vector<double> mean_, inverse_;
};

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(BatchNorm, BatchNorm)
