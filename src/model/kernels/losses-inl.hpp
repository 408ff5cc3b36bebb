// The losses of model/losses.hpp on vectors of rows. Included once for each instruction set.
#if defined(SVRG_KERNELS_LOSSES_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef SVRG_KERNELS_LOSSES_INL
#undef SVRG_KERNELS_LOSSES_INL
#else
#define SVRG_KERNELS_LOSSES_INL
#endif
#include "hwy/contrib/math/math-inl.h"
#include "model/kernels/vector-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace svrg::kernels::HWY_NAMESPACE {

/// exp(x) of x ≤ 0; NaN stays NaN, which Exp would take for far below.
template <class T, class W>
HWY_INLINE W exp_of(T tag, W x) {
  const W y = hn::Exp(tag, hn::Max(hn::Set(tag, -700.0), x));
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

/// Each gives φ' and φ'' of vectors of any width, φ from φ' and what else is at hand.
struct SquaredLoss {
  template <class T, class W = hn::Vec<T>>
  HWY_INLINE W residual(T, W z, W y) const {
    return hn::Sub(z, y);
  }
  template <class T, class W = hn::Vec<T>>
  HWY_INLINE W value(T tag, W z, W y, W& r) const {
    r = hn::Sub(z, y);
    return hn::Mul(hn::Set(tag, 0.5), hn::Mul(r, r));
  }
  template <class T, class W = hn::Vec<T>>
  HWY_INLINE W curvature(T tag, W, W, W) const {
    return hn::Set(tag, 1.0);
  }
};

/// exp of a negative number only, so nothing overflows.
struct LogisticLoss {
  template <class T, class W = hn::Vec<T>>
  HWY_INLINE W residual(T tag, W z, W y) const {
    const W m = hn::Mul(y, z), one = hn::Set(tag, 1.0);
    const W e = exp_of(tag, hn::Neg(hn::Abs(m)));
    const W top = hn::IfThenElse(hn::Gt(m, hn::Zero(tag)), e, one);
    return hn::Neg(hn::Mul(y, hn::Div(top, hn::Add(one, e))));
  }
  template <class T, class W = hn::Vec<T>>
  HWY_INLINE W value(T tag, W z, W y, W& r) const {
    const W m = hn::Mul(y, z), one = hn::Set(tag, 1.0);
    const W e = exp_of(tag, hn::Neg(hn::Abs(m)));
    const W top = hn::IfThenElse(hn::Gt(m, hn::Zero(tag)), e, one);
    r = hn::Neg(hn::Mul(y, hn::Div(top, hn::Add(one, e))));
    return hn::Add(hn::Max(hn::Zero(tag), hn::Neg(m)), hn::Log1p(tag, e));
  }
  template <class T, class W = hn::Vec<T>>
  HWY_INLINE W curvature(T tag, W, W, W r) const {
    const W a = hn::Abs(r);
    return hn::Mul(a, hn::Sub(hn::Set(tag, 1.0), a));
  }
};

struct SquaredHingeLoss {
  template <class T, class W = hn::Vec<T>>
  HWY_INLINE W short_by(T tag, W z, W y) const {
    return hn::Max(hn::Zero(tag), hn::Sub(hn::Set(tag, 1.0), hn::Mul(y, z)));
  }
  template <class T, class W = hn::Vec<T>>
  HWY_INLINE W residual(T tag, W z, W y) const {
    return hn::Mul(hn::Set(tag, -2.0), hn::Mul(y, short_by(tag, z, y)));
  }
  template <class T, class W = hn::Vec<T>>
  HWY_INLINE W value(T tag, W z, W y, W& r) const {
    const W s = short_by(tag, z, y);
    r = hn::Mul(hn::Set(tag, -2.0), hn::Mul(y, s));
    return hn::Mul(s, s);
  }
  template <class T, class W = hn::Vec<T>>
  HWY_INLINE W curvature(T tag, W z, W y, W) const {
    return hn::IfThenElseZero(hn::Lt(hn::Mul(y, z), hn::Set(tag, 1.0)), hn::Set(tag, 2.0));
  }
};

struct HuberLoss {
  double delta;
  template <class T, class W = hn::Vec<T>>
  HWY_INLINE W residual(T tag, W z, W y) const {
    const W bound = hn::Set(tag, delta);
    return hn::Min(bound, hn::Max(hn::Neg(bound), hn::Sub(z, y)));
  }
  template <class T, class W = hn::Vec<T>>
  HWY_INLINE W value(T tag, W z, W y, W& r) const {
    r = residual(tag, z, y);
    return hn::Mul(r, hn::Sub(hn::Sub(z, y), hn::Mul(hn::Set(tag, 0.5), r)));
  }
  template <class T, class W = hn::Vec<T>>
  HWY_INLINE W curvature(T tag, W z, W y, W) const {
    const W e = hn::Abs(hn::Sub(z, y)), bound = hn::Set(tag, delta);
    return hn::IfThenElse(hn::Le(e, bound), hn::Set(tag, 1.0),
                          hn::Div(hn::Set(tag, 0.02 * delta), e));
  }
};

template <class F>
HWY_INLINE auto with_loss(LossKind kind, F&& f) {
  switch (kind.loss) {
    case Loss::squared:
      return f(SquaredLoss{});
    case Loss::squared_hinge:
      return f(SquaredHingeLoss{});
    case Loss::huber:
      return f(HuberLoss{kind.delta});
    default:
      return f(LogisticLoss{});
  }
}

}  // namespace svrg::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
