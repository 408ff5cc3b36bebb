// Functions of each element by themselves.
#include "model/operators/functions.hpp"
#include "model/operators/operator.hpp"

namespace svrg::ops {
namespace {

template <class Real, class F>
class Unary : public Operator<Real> {
 public:
  explicit Unary(OptionReader&) {}
  void infer(Shapes& s) const override { unify(s.in[0], s.out[0], "output"); }
  bool backward_reads_input(std::size_t) const override { return !F::of_output; }
  bool backward_reads_output() const override { return F::of_output; }
  Takes takes(std::size_t) const override { return Takes::row; }
  void forward(const Call<Real>& c) override {
    const Index n = c.out[0].size();
    for (Index i = 0; i < n; ++i) c.out[0].data[i] = F::value(c.in[0].data[i]);
  }
  void backward(const Call<Real>& c) override {
    const Real* dy = c.out_grad[0].data;
    if (!dy || !c.in_grad[0]) return;
    const Index n = c.out_grad[0].size();
    for (Index i = 0; i < n; ++i)
      c.in_grad[0].data[i] += F::of_output ? chained<F>(dy[i], Real{0}, c.out[0].data[i])
                                           : chained<F>(dy[i], c.in[0].data[i], Real{0});
  }
};

}  // namespace
}  // namespace svrg::ops

#define SVRG_UNARY(name, Function)            \
  namespace svrg::ops {                       \
  template <class Real>                       \
  using Unary_##name = Unary<Real, Function>; \
  }                                           \
  SVRG_DEFINE_OPERATOR(name, Unary_##name)
SVRG_UNARY(square, Square)
SVRG_UNARY(sqrt, Sqrt)
SVRG_UNARY(rsqrt, Rsqrt)
SVRG_UNARY(exp, Exp)
SVRG_UNARY(expm1, Expm1)
SVRG_UNARY(log, Log)
SVRG_UNARY(log1p, Log1p)
SVRG_UNARY(abs, Abs)
SVRG_UNARY(sign, Sign)
SVRG_UNARY(negative, Negative)
SVRG_UNARY(reciprocal, Reciprocal)
SVRG_UNARY(relu, Relu)
SVRG_UNARY(sigmoid, Sigmoid)
SVRG_UNARY(tanh, Tanh)
SVRG_UNARY(softsign, Softsign)
