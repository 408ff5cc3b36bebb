// Each element with one number: x + s, s − x, …
#include <cmath>

#include "model/operators/operator.hpp"

namespace svrg::ops {
namespace {

#define SVRG_SCALAR(Name, value_of, slope_of)                             \
  struct Name {                                                           \
    template <class Real>                                                 \
    static Real value(Real x, Real s) {                                   \
      return value_of;                                                    \
    }                                                                     \
    template <class Real>                                                 \
    static Real slope([[maybe_unused]] Real x, [[maybe_unused]] Real s) { \
      return slope_of;                                                    \
    }                                                                     \
  };
SVRG_SCALAR(Plus, x + s, Real{1})
SVRG_SCALAR(Minus, x - s, Real{1})
SVRG_SCALAR(ReverseMinus, s - x, Real{-1})
SVRG_SCALAR(Times, x* s, s)
SVRG_SCALAR(Over, x / s, 1 / s)
SVRG_SCALAR(ReverseOver, s / x, -s / (x * x))
SVRG_SCALAR(Power, std::pow(x, s), s* std::pow(x, s - 1))
SVRG_SCALAR(ReversePower, std::pow(s, x), std::pow(s, x) * std::log(s))
SVRG_SCALAR(Maximum, (x > s ? x : s), (x >= s ? Real{1} : Real{0}))
SVRG_SCALAR(Minimum, (x < s ? x : s), (x <= s ? Real{1} : Real{0}))
// ½(σx)² up to |x| = 1/σ², |x| − ½/σ² beyond; s is σ.
SVRG_SCALAR(SmoothL1,
            (std::abs(x) < 1 / (s * s) ? Real(0.5) * s * s * x * x
                                       : std::abs(x) - Real(0.5) / (s * s)),
            (std::abs(x) < 1 / (s * s) ? s * s * x : static_cast<Real>((x > 0) - (x < 0))))
#undef SVRG_SCALAR

template <class Real, class F>
class Scalar : public Operator<Real> {
 public:
  explicit Scalar(OptionReader& o) : s_(static_cast<Real>(o.real("scalar", 1))) {
    o.ignore("is_int");
  }
  void infer(Shapes& s) const override { unify(s.in[0], s.out[0], "output"); }
  bool backward_reads_output() const override { return false; }
  Takes takes(std::size_t) const override { return Takes::row; }
  void forward(const Call<Real>& c) override {
    const Index n = c.out[0].size();
    for (Index i = 0; i < n; ++i) c.out[0].data[i] = F::value(c.in[0].data[i], s_);
  }
  void backward(const Call<Real>& c) override {
    const Real* dy = c.out_grad[0].data;
    if (!dy || !c.in_grad[0]) return;
    const Index n = c.out_grad[0].size();
    for (Index i = 0; i < n; ++i) c.in_grad[0].data[i] += dy[i] * F::slope(c.in[0].data[i], s_);
  }

 private:
  Real s_;
};

}  // namespace
}  // namespace svrg::ops

#define SVRG_DEFINE_SCALAR(name, Function)     \
  namespace svrg::ops {                        \
  template <class Real>                        \
  using Scalar##name = Scalar<Real, Function>; \
  }                                            \
  SVRG_DEFINE_OPERATOR(name, Scalar##name)
SVRG_DEFINE_SCALAR(_plus_scalar, Plus)
SVRG_DEFINE_SCALAR(_minus_scalar, Minus)
SVRG_DEFINE_SCALAR(_rminus_scalar, ReverseMinus)
SVRG_DEFINE_SCALAR(_mul_scalar, Times)
SVRG_DEFINE_SCALAR(_div_scalar, Over)
SVRG_DEFINE_SCALAR(_rdiv_scalar, ReverseOver)
SVRG_DEFINE_SCALAR(_power_scalar, Power)
SVRG_DEFINE_SCALAR(_rpower_scalar, ReversePower)
SVRG_DEFINE_SCALAR(_maximum_scalar, Maximum)
SVRG_DEFINE_SCALAR(_minimum_scalar, Minimum)
SVRG_DEFINE_SCALAR(smooth_l1, SmoothL1)
