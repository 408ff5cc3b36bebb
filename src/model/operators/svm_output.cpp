// Scores forward; backward the gradient of a hinge, class by class against the rest: margin − x for
// the true class, margin + x for the others, where above 0; squared unless use_linear.
#include <algorithm>

#include "model/operators/operator.hpp"

namespace svrg::ops {
namespace {

template <class Real>
class SVMOutput : public Operator<Real> {
 public:
  explicit SVMOutput(OptionReader& o)
      : margin_(static_cast<Real>(o.real("margin", 1))),
        weight_(static_cast<Real>(o.real("regularization_coefficient", 1))),
        linear_(o.flag("use_linear", false)) {}
  std::vector<std::string> inputs() const override { return {"data", "label"}; }
  bool is_loss() const override { return true; }
  Takes takes(std::size_t) const override { return Takes::row; }
  bool backward_reads_input(std::size_t input) const override { return input == 1; }
  void infer(Shapes& s) const override {
    unify(s.in[0], s.out[0], "output");
    if (s.in[0].empty()) return;
    Shape label{s.in[0][0]};
    unify(s.in[1], label, "label");
  }
  void forward(const Call<Real>& c) override {
    for (Index i = 0; i < c.out[0].size(); ++i) c.out[0].data[i] = c.in[0].data[i];
  }
  void backward(const Call<Real>& c) override {
    if (!c.in_grad[0]) return;
    const Real weight = weight_ * static_cast<Real>(c.loss_weight);
    each(c, [&](Index i, Real sign, Real gap) {
      if (gap > 0) c.in_grad[0].data[i] -= sign * weight * (linear_ ? Real{1} : 2 * gap);
    });
  }
  double loss(const Call<Real>& c) const override {
    double sum = 0;
    each(c, [&](Index, Real, Real gap) {
      if (gap > 0) sum += static_cast<double>(linear_ ? gap : gap * gap);
    });
    return static_cast<double>(weight_) * sum;
  }

 private:
  template <class Body>
  void each(const Call<Real>& c, const Body& body) const {
    const Index rows = c.out[0].shape[0], classes = c.out[0].size() / std::max<Index>(rows, 1);
    for (Index r = 0; r < rows; ++r)
      for (Index k = 0; k < classes; ++k) {
        const Real sign = static_cast<Index>(c.in[1].data[r]) == k ? Real{1} : Real{-1};
        const Index i = r * classes + k;
        body(i, sign, margin_ - sign * c.out[0].data[i]);
      }
  }
  Real margin_, weight_;
  bool linear_;
};

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(SVMOutput, SVMOutput)
