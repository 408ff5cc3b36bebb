#pragma once
#include <algorithm>
#include <cmath>
#include <type_traits>

namespace svrg::ops {

// Functions of one number: value(x), and slope(x, y) with y = value(x). `of_output` says that the
// slope looks at y alone, so that x need not be kept.
#define SVRG_FUNCTION(Name, output_alone, value_of, slope_of)             \
  struct Name {                                                           \
    static constexpr bool of_output = output_alone;                       \
    template <class Real>                                                 \
    static Real value(Real x) {                                           \
      return value_of;                                                    \
    }                                                                     \
    template <class Real>                                                 \
    static Real slope([[maybe_unused]] Real x, [[maybe_unused]] Real y) { \
      return slope_of;                                                    \
    }                                                                     \
  };
SVRG_FUNCTION(Relu, true, x<0 ? Real{0} : x, y> 0 ? Real{1} : Real{0})
SVRG_FUNCTION(Sigmoid, true, 1 / (1 + std::exp(-x)), y*(1 - y))
SVRG_FUNCTION(Tanh, true, std::tanh(x), 1 - y * y)
SVRG_FUNCTION(Softrelu, true, (x > 20 ? x : std::log1p(std::exp(x))), -std::expm1(-y))
SVRG_FUNCTION(Softsign, true, x / (1 + std::abs(x)), (1 - std::abs(y)) * (1 - std::abs(y)))
SVRG_FUNCTION(Square, false, x* x, 2 * x)
SVRG_FUNCTION(Sqrt, true, std::sqrt(x), Real(0.5) / y)
SVRG_FUNCTION(Rsqrt, true, 1 / std::sqrt(x), Real(-0.5) * y * y * y)
SVRG_FUNCTION(Exp, true, std::exp(x), y)
SVRG_FUNCTION(Expm1, true, std::expm1(x), y + 1)
SVRG_FUNCTION(Log, false, std::log(x), 1 / x)
SVRG_FUNCTION(Log1p, false, std::log1p(x), 1 / (1 + x))
SVRG_FUNCTION(Abs, false, std::abs(x), static_cast<Real>((x > 0) - (x < 0)))
SVRG_FUNCTION(Sign, true, static_cast<Real>((x > 0) - (x < 0)), Real{0})
SVRG_FUNCTION(Negative, true, -x, Real{-1})
SVRG_FUNCTION(Reciprocal, true, 1 / x, -y* y)
#undef SVRG_FUNCTION

/// dy times the slope. A choice instead of a product with 0 or 1 lets the loop over relu vectorise.
template <class F, class Real>
Real chained(Real dy, Real x, Real y) {
  if constexpr (std::is_same_v<F, Relu>)
    return y > 0 ? dy : Real{0};
  else
    return dy * F::slope(x, y);
}

}  // namespace svrg::ops
