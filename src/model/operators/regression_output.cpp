// A link function forward; backward the gradient of its own loss, whatever comes from above:
// slope·grad_scale/k with k the label's elements a row, so that a row counts once.
#include <algorithm>
#include <cmath>

#include "model/operators/operator.hpp"

namespace svrg::ops {
namespace {

struct LinearLink {  // ½(x − y)²
  template <class Real>
  static Real value(Real x) {
    return x;
  }
  template <class Real>
  static Real slope(Real out, Real label) {
    return out - label;
  }
  static double loss(double x, double label) { return 0.5 * (x - label) * (x - label); }
};

struct LogisticLink {  // cross-entropy of σ(x)
  template <class Real>
  static Real value(Real x) {
    return 1 / (1 + std::exp(-x));
  }
  template <class Real>
  static Real slope(Real out, Real label) {
    return out - label;
  }
  static double loss(double x, double label) {
    return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))) - label * x;
  }
};

struct AbsoluteLink {  // |x − y|
  template <class Real>
  static Real value(Real x) {
    return x;
  }
  template <class Real>
  static Real slope(Real out, Real label) {
    return static_cast<Real>((out > label) - (out < label));
  }
  static double loss(double x, double label) { return std::abs(x - label); }
};

template <class Real, class Link>
class RegressionOutput : public Operator<Real> {
 public:
  explicit RegressionOutput(OptionReader& options)
      : scale_(static_cast<Real>(options.real("grad_scale", 1))) {}
  std::vector<std::string> inputs() const override { return {"data", "label"}; }
  void infer(Shapes& s) const override {
    unify(s.in[0], s.out[0], "output");
    const Shape& x = s.in[0];
    // A column of predictions may go with a flat list of labels.
    Shape label = x.size() == 2 && x[1] == 1 && s.in[1].size() != 2 ? Shape{x[0]} : x;
    if (!label.empty() && (s.in[1].empty() || s.in[1].size() == label.size()))
      unify(s.in[1], label, "label");
    else if (known(s.in[1]) && known(x) && size_of(s.in[1]) != size_of(x))
      throw ConfigError("label: shape " + text(s.in[1]) + " against " + text(x));
  }
  bool is_loss() const override { return true; }
  Takes takes(std::size_t) const override { return Takes::row; }
  bool backward_reads_input(std::size_t input) const override { return input == 1; }
  void forward(const Call<Real>& c) override {
    const Index n = c.out[0].size();
    loss_ = 0;
    for (Index i = 0; i < n; ++i) {
      const Real x = c.in[0].data[i];
      if (c.in[1].data)
        loss_ += Link::loss(static_cast<double>(x), static_cast<double>(c.in[1].data[i]));
      c.out[0].data[i] = Link::value(x);
    }
  }
  void backward(const Call<Real>& c) override {
    if (!c.in_grad[0]) return;
    const Index n = c.out[0].size();
    const Real scale =
        static_cast<Real>(c.loss_weight) * scale_ / static_cast<Real>(c.in[1].row_size());
    for (Index i = 0; i < n; ++i)
      c.in_grad[0].data[i] += scale * Link::slope(c.out[0].data[i], c.in[1].data[i]);
  }
  double loss(const Call<Real>& c) const override {
    return loss_ * static_cast<double>(scale_) / static_cast<double>(c.in[1].row_size());
  }

 private:
  Real scale_;
  double loss_ = 0;  // taken in forward(), from the input: outputs saturate
};

template <class Real>
using LinearRegressionOutput = RegressionOutput<Real, LinearLink>;
template <class Real>
using LogisticRegressionOutput = RegressionOutput<Real, LogisticLink>;
template <class Real>
using MAERegressionOutput = RegressionOutput<Real, AbsoluteLink>;

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(LinearRegressionOutput, LinearRegressionOutput)
SVRG_DEFINE_OPERATOR(LogisticRegressionOutput, LogisticRegressionOutput)
SVRG_DEFINE_OPERATOR(MAERegressionOutput, MAERegressionOutput)
