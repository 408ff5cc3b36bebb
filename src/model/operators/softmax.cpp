// softmax and log_softmax along an axis, of x/temperature.
#include <algorithm>
#include <cmath>
#include <limits>

#include "model/operators/axes.hpp"
#include "model/operators/operator.hpp"

namespace svrg::ops {
namespace {

template <class Real, bool log>
class SoftmaxAlong : public Operator<Real> {
 public:
  explicit SoftmaxAlong(OptionReader& o)
      : axis_(o.integer("axis", -1)),
        temperature_(static_cast<Real>(o.real("temperature", 1))),
        lengths_(o.flag("use_length", false)) {
    o.ignore("dtype");
    if (!(temperature_ > 0)) o.fail("temperature", "must be above 0");
  }
  std::vector<std::string> inputs() const override {
    return lengths_ ? std::vector<std::string>{"data", "length"} : std::vector<std::string>{"data"};
  }
  bool backward_reads_input(std::size_t input) const override { return input == 1; }
  void infer(Shapes& s) const override {
    unify(s.in[0], s.out[0], "output");
    if (!lengths_ || s.in[0].empty()) return;
    Shape length = s.in[0];
    length.erase(length.begin() + static_cast<std::ptrdiff_t>(axis_at(axis_, length.size())));
    unify(s.in[1], length, "length");
  }
  void forward(const Call<Real>& c) override {
    each_line(c, c.out[0].shape, [&](Index at, Index step, Index n, Index whole) {
      const Real* x = c.in[0].data + at;
      Real* y = c.out[0].data + at;
      Real largest = std::numeric_limits<Real>::lowest(), sum = 0;
      for (Index k = 0; k < n; ++k) largest = std::max(largest, x[k * step] / temperature_);
      for (Index k = 0; k < n; ++k) sum += std::exp(x[k * step] / temperature_ - largest);
      for (Index k = 0; k < whole; ++k) {
        const Real z = x[k * step] / temperature_ - largest;
        y[k * step] = k >= n ? Real{0} : log ? z - std::log(sum) : std::exp(z) / sum;
      }
    });
  }
  void backward(const Call<Real>& c) override {
    const Real* all = c.out_grad[0].data;
    if (!all || !c.in_grad[0]) return;
    each_line(c, c.out_grad[0].shape, [&](Index at, Index step, Index n, Index) {
      const Real *dy = all + at, *y = c.out[0].data + at;
      Real sum = 0;
      for (Index k = 0; k < n; ++k) sum += log ? dy[k * step] : dy[k * step] * y[k * step];
      for (Index k = 0; k < n; ++k) {
        const Real slope =
            log ? dy[k * step] - std::exp(y[k * step]) * sum : y[k * step] * (dy[k * step] - sum);
        c.in_grad[0].data[at + k * step] += slope / temperature_;
      }
    });
  }

 private:
  template <class Body>
  void each_line(const Call<Real>& c, std::span<const Index> shape, const Body& body) const {
    const AxisView v(shape, axis_at(axis_, shape.size()));
    for (Index b = 0; b < v.before; ++b)
      for (Index a = 0; a < v.after; ++a) {
        const Index line = b * v.after + a;
        const Index n = lengths_
                            ? std::clamp<Index>(static_cast<Index>(c.in[1].data[line]), 0, v.along)
                            : v.along;
        body(b * v.along * v.after + a, v.after, n, v.along);
      }
  }
  Index axis_;
  Real temperature_;
  bool lengths_;
};

template <class Real>
using Softmax = SoftmaxAlong<Real, false>;
template <class Real>
using LogSoftmax = SoftmaxAlong<Real, true>;

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(softmax, Softmax)
SVRG_DEFINE_OPERATOR(log_softmax, LogSoftmax)
