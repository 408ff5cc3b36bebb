#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/net_kernels.cpp"
#include "hwy/foreach_target.h"  // compiles what follows once for each instruction set
//
#include <algorithm>
#include <cmath>

#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"
#include "model/kernels/net_kernels.hpp"

HWY_BEFORE_NAMESPACE();
namespace svrg::kernels::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

#undef SVRG_INLINE
#define SVRG_INLINE HWY_ATTR __attribute__((always_inline))

template <class Tag>
constexpr Index width_of() {
  return static_cast<Index>(hn::MaxLanes(Tag()));
}

/// f(tag, at) for whole vectors of n values, then for single ones.
template <class Real, class F>
HWY_INLINE void each(Index n, F&& f) {
  const hn::ScalableTag<Real> wide;
  const hn::CappedTag<Real, 1> one;
  Index i = 0;
  for (; i + width_of<decltype(wide)>() <= n; i += width_of<decltype(wide)>()) f(wide, i);
  for (; i < n; ++i) f(one, i);
}
/// The same where lines are short: by vectors of half the width, too.
template <class Real, class F>
HWY_INLINE void each_of_short(Index n, F&& f) {
  const hn::CappedTag<Real, 8> eight;
  const hn::CappedTag<Real, 4> four;
  const hn::CappedTag<Real, 1> one;
  Index i = 0;
  for (; i + width_of<decltype(eight)>() <= n; i += width_of<decltype(eight)>()) f(eight, i);
  for (; i + width_of<decltype(four)>() <= n; i += width_of<decltype(four)>()) f(four, i);
  for (; i < n; ++i) f(one, i);
}

/// exp(x) of x ≤ 0; NaN stays NaN, which Exp would take for far below; far below it need not go.
template <class Tag, class V>
HWY_INLINE V exp_of(Tag tag, V x) {
  using Real = hn::TFromD<Tag>;
  const V e = hn::Exp(tag, hn::Max(hn::Set(tag, sizeof(Real) == 4 ? Real(-100) : Real(-740)), x));
  return hn::IfThenElse(hn::IsNaN(x), x, e);
}

template <class Real>
void relu(const Real* x, Index n, Real* y) {
  each<Real>(n, [&](auto tag, Index i) SVRG_INLINE {
    const auto v = hn::LoadU(tag, x + i);
    hn::StoreU(hn::IfThenZeroElse(hn::Lt(v, hn::Zero(tag)), v), tag, y + i);
  });
}

template <class Real>
void sigmoid(const Real* x, Index n, Real* y) {
  each<Real>(n, [&](auto tag, Index i) SVRG_INLINE {
    const auto v = hn::LoadU(tag, x + i), one = hn::Set(tag, Real{1});
    const auto e = exp_of(tag, hn::Neg(hn::Abs(v)));  // nothing overflows
    const auto top = hn::IfThenElse(hn::Lt(v, hn::Zero(tag)), e, one);
    hn::StoreU(hn::Div(top, hn::Add(one, e)), tag, y + i);
  });
}

template <class Real>
void tanh(const Real* x, Index n, Real* y) {
  each<Real>(n, [&](auto tag, Index i) SVRG_INLINE {
    const auto v = hn::LoadU(tag, x + i);
    hn::StoreU(hn::IfThenElse(hn::IsNaN(v), v, hn::Tanh(tag, v)), tag, y + i);
  });
}

template <class Real>
void relu_slope(const Real* dy, const Real* y, Index n, bool begins, Real* dx) {
  each<Real>(n, [&](auto tag, Index i) SVRG_INLINE {
    auto v =
        hn::IfThenElseZero(hn::Gt(hn::LoadU(tag, y + i), hn::Zero(tag)), hn::LoadU(tag, dy + i));
    if (!begins) v = hn::Add(v, hn::LoadU(tag, dx + i));
    hn::StoreU(v, tag, dx + i);
  });
}

/// The larger, NaN if either is.
template <class V>
HWY_INLINE V larger(V a, V b) {
  return hn::IfThenElse(hn::Or(hn::Gt(b, a), hn::IsNaN(b)), b, a);
}

/// Every `step`th value from p; nothing is read at `end` or behind it.
template <class Tag, class Real>
HWY_INLINE auto spread(Tag tag, const Real* p, Index step, const Real* end) {
  constexpr Index lanes = width_of<Tag>();
  if (step == 1 || lanes == 1) return hn::LoadU(tag, p);
  if (step == 2 && p + 2 * lanes <= end) {
    hn::Vec<Tag> even, odd;
    hn::LoadInterleaved2(tag, p, even, odd);
    return even;
  }
  HWY_ALIGN Real copy[static_cast<std::size_t>(lanes)];
  for (Index i = 0; i < lanes; ++i) copy[i] = p[i * step];
  return hn::Load(tag, copy);
}

template <class Real>
void max_pool(const Windows& w, const Real* x, Index images, Real* y) {
  const Real* end = x + images * w.in_height * w.in_width;
  for (Index m = 0; m < images; ++m, x += w.in_height * w.in_width)
    for (Index oy = 0; oy < w.out_height; ++oy, y += w.out_width) {
      const Real* top = x + oy * w.step_y * w.in_width;
      each_of_short<Real>(w.out_width, [&](auto tag, Index ox) SVRG_INLINE {
        const Real* corner = top + ox * w.step_x;
        auto most = spread(tag, corner, w.step_x, end);
        for (Index ky = 0; ky < w.height; ++ky)
          for (Index kx = ky == 0 ? 1 : 0; kx < w.width; ++kx)
            most = larger(most, spread(tag, corner + ky * w.in_width + kx, w.step_x, end));
        hn::StoreU(most, tag, y + ox);
      });
    }
}

template <class Real>
void max_pool_slope(const Windows& w, const Real* x, const Real* y, const Real* dy, Index images,
                    bool begins, Real* dx) {
  const Index size = w.in_height * w.in_width;
  if (begins && (w.in_height > 2 * w.out_height || w.in_width > 2 * w.out_width))
    std::fill_n(dx, images * size, Real{0});
  for (Index m = 0; m < images; ++m, x += size, dx += size)
    for (Index oy = 0; oy < w.out_height; ++oy, y += w.out_width, dy += w.out_width) {
      const Real *x0 = x + 2 * oy * w.in_width, *x1 = x0 + w.in_width;
      Real *d0 = dx + 2 * oy * w.in_width, *d1 = d0 + w.in_width;
      each_of_short<Real>(w.out_width, [&](auto tag, Index ox) SVRG_INLINE {
        if constexpr (width_of<decltype(tag)>() == 1) {
          Real* to[] = {d0 + 2 * ox, d0 + 2 * ox + 1, d1 + 2 * ox, d1 + 2 * ox + 1};
          const Real from[] = {x0[2 * ox], x0[2 * ox + 1], x1[2 * ox], x1[2 * ox + 1]};
          bool given = false;
          for (int k = 0; k < 4; ++k) {
            const bool here = !given && from[k] == y[ox];
            *to[k] = (begins ? Real{0} : *to[k]) + (here ? dy[ox] : Real{0});
            given |= here;
          }
        } else {
          using V = hn::Vec<decltype(tag)>;
          const V top = hn::LoadU(tag, y + ox), g = hn::LoadU(tag, dy + ox);
          V a, b, c, e, p, q;
          hn::LoadInterleaved2(tag, x0 + 2 * ox, a, b);
          hn::LoadInterleaved2(tag, x1 + 2 * ox, c, e);
          const auto at_a = hn::Eq(a, top), at_b = hn::AndNot(at_a, hn::Eq(b, top));
          const auto before = hn::Or(at_a, at_b);
          const auto at_c = hn::AndNot(before, hn::Eq(c, top));
          const auto at_e = hn::AndNot(hn::Or(before, at_c), hn::Eq(e, top));
          V ga = hn::IfThenElseZero(at_a, g), gb = hn::IfThenElseZero(at_b, g);
          V gc = hn::IfThenElseZero(at_c, g), ge = hn::IfThenElseZero(at_e, g);
          if (!begins) {
            hn::LoadInterleaved2(tag, d0 + 2 * ox, p, q);
            ga = hn::Add(p, ga), gb = hn::Add(q, gb);
            hn::LoadInterleaved2(tag, d1 + 2 * ox, p, q);
            gc = hn::Add(p, gc), ge = hn::Add(q, ge);
          }
          hn::StoreInterleaved2(ga, gb, tag, d0 + 2 * ox);
          hn::StoreInterleaved2(gc, ge, tag, d1 + 2 * ox);
        }
      });
    }
}

/// The last vector reaches back over the one before it: short lines are two vectors and no loop.
template <class Tag, class Real>
HWY_INLINE void copy_by(Tag tag, const Real* from, Index n, Real* to) {
  constexpr Index lanes = width_of<Tag>();
  for (Index i = 0; i + lanes < n; i += lanes) hn::StoreU(hn::LoadU(tag, from + i), tag, to + i);
  hn::StoreU(hn::LoadU(tag, from + n - lanes), tag, to + n - lanes);
}
template <class Tag, class Real>
HWY_INLINE void add_by(Tag tag, const Real* from, Index n, Real* to) {
  constexpr Index lanes = width_of<Tag>();
  const Index last = n - lanes;  // summed before what it shares with others is written
  const auto end = hn::Add(hn::LoadU(tag, to + last), hn::LoadU(tag, from + last));
  for (Index i = 0; i < last; i += lanes)
    hn::StoreU(hn::Add(hn::LoadU(tag, to + i), hn::LoadU(tag, from + i)), tag, to + i);
  hn::StoreU(end, tag, to + last);
}
/// f(tag) with the widest vectors that n values fill.
template <class Real, class F>
HWY_INLINE void fitting(Index n, F&& f) {
  const hn::CappedTag<Real, 16> sixteen;
  const hn::CappedTag<Real, 8> eight;
  const hn::CappedTag<Real, 4> four;
  if (n >= width_of<decltype(sixteen)>())
    f(sixteen);
  else if (n >= width_of<decltype(eight)>())
    f(eight);
  else if (n >= width_of<decltype(four)>())
    f(four);
  else
    f(hn::CappedTag<Real, 1>());
}

/// The lines of columns that belong to one element of the window: `lines` of them from `column` on,
/// of whose places [first, end) meet the image, in lines from `line` on; what lies above and below
/// these is padding.
struct Strip {
  Index column, line, above, lines, first, end;
};

/// f(strip) for each element of the window.
template <class F>
HWY_INLINE void each_strip(const Patches& p, F&& f) {
  const Windows& w = p.at;
  // Places whose element, at place·step + shift, lies within n.
  const auto first_of = [](Index shift, Index step, Index places) {
    return std::min(places, shift < 0 ? (step - 1 - shift) / step : 0);
  };
  const auto end_of = [](Index shift, Index step, Index places, Index n, Index first) {
    return shift > n - 1 ? first : std::max(first, std::min(places, (n - 1 - shift) / step + 1));
  };
  Index column = 0;
  for (Index ch = 0; ch < p.channels; ++ch)
    for (Index ky = 0; ky < w.height; ++ky) {
      const Index down = ky * p.dilate_y - p.pad_y;
      const Index above = first_of(down, w.step_y, w.out_height);
      const Index below = end_of(down, w.step_y, w.out_height, w.in_height, above);
      for (Index kx = 0; kx < w.width; ++kx, column += w.out_height * w.out_width) {
        const Index right = kx * p.dilate_x - p.pad_x;
        const Index first = first_of(right, w.step_x, w.out_width);
        const Index end = end_of(right, w.step_x, w.out_width, w.in_width, first);
        const Index y = above * w.step_y + down;
        f(Strip{column, (ch * w.in_height + y) * w.in_width + first * w.step_x + right, above,
                below - above, first, end});
      }
    }
}

template <class Real>
void to_columns(const Patches& p, const Real* image, Real* columns) {
  const Windows& w = p.at;
  const Index width = w.out_width, apart = w.in_width * w.step_y;
  each_strip(p, [&](const Strip& s) SVRG_INLINE {
    Real* to = columns + s.column;
    const Index n = s.end - s.first, inside = s.above * width, end = inside + s.lines * width;
    if (s.lines < w.out_height || n < width) std::fill_n(to, w.out_height * width, Real{0});
    if (n == 0) return;
    if (w.step_x > 1) {
      for (Index k = 0; k < s.lines; ++k)
        for (Index i = 0; i < n; ++i)
          to[inside + k * width + s.first + i] = image[s.line + k * apart + i * w.step_x];
      return;
    }
    fitting<Real>(n, [&](auto tag) SVRG_INLINE {
      const Real* from = image + s.line;
      for (Real *line = to + inside + s.first, *last = to + end; line < last;
           line += width, from += apart)
        copy_by(tag, from, n, line);
    });
  });
}

template <class Real>
void add_columns(const Patches& p, const Real* columns, Real* image) {
  const Windows& w = p.at;
  const Index width = w.out_width, apart = w.in_width * w.step_y;
  each_strip(p, [&](const Strip& s) SVRG_INLINE {
    const Real* from = columns + s.column + s.above * width + s.first;
    const Index n = s.end - s.first;
    if (n == 0) return;
    if (w.step_x > 1) {
      for (Index k = 0; k < s.lines; ++k)
        for (Index i = 0; i < n; ++i)
          image[s.line + k * apart + i * w.step_x] += from[k * width + i];
      return;
    }
    fitting<Real>(n, [&](auto tag) SVRG_INLINE {
      Real* to = image + s.line;
      for (Index k = 0; k < s.lines; ++k, from += width, to += apart) add_by(tag, from, n, to);
    });
  });
}

template <class Real>
void repeat(const Real* bias, Index rows, Index n, Real* y) {
  for (Index r = 0; r < rows; ++r, y += n)
    each<Real>(n, [&](auto tag, Index i)
                      SVRG_INLINE { hn::StoreU(hn::LoadU(tag, bias + i), tag, y + i); });
}

template <class Real>
void add_rows(const Real* y, Index rows, Index n, bool begins, Real* sums) {
  each<Real>(n, [&](auto tag, Index i) SVRG_INLINE {
    auto sum = hn::Zero(tag);
    for (Index r = 0; r < rows; ++r) sum = hn::Add(sum, hn::LoadU(tag, y + r * n + i));
    if (!begins) sum = hn::Add(hn::LoadU(tag, sums + i), sum);
    hn::StoreU(sum, tag, sums + i);
  });
}

template <class Real>
void exponentials(const Real* x, Index rows, Index n, Real* p) {
  for (Index r = 0; r < rows; ++r) {
    const Real* from = x + r * n;
    Real top = from[0];
    for (Index k = 1; k < n; ++k) top = std::max(top, from[k]);
    for (Index k = 0; k < n; ++k) p[r * n + k] = from[k] - top;
  }
  each<Real>(rows * n, [&](auto tag, Index i) SVRG_INLINE {
    hn::StoreU(exp_of(tag, hn::LoadU(tag, p + i)), tag, p + i);
  });
}

template <class Real>
Real sum(const Real* y, Index n) {
  const hn::ScalableTag<Real> tag;
  constexpr Index lanes = width_of<decltype(tag)>();
  auto a = hn::Zero(tag), b = a, c = a, e = a;
  Index i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    a = hn::Add(a, hn::LoadU(tag, y + i));
    b = hn::Add(b, hn::LoadU(tag, y + i + lanes));
    c = hn::Add(c, hn::LoadU(tag, y + i + 2 * lanes));
    e = hn::Add(e, hn::LoadU(tag, y + i + 3 * lanes));
  }
  for (; i + lanes <= n; i += lanes) a = hn::Add(a, hn::LoadU(tag, y + i));
  Real total = hn::GetLane(hn::SumOfLanes(tag, hn::Add(hn::Add(a, b), hn::Add(c, e))));
  for (; i < n; ++i) total += y[i];
  return total;
}

template <class Real>
const NetKernels<Real> table{relu<Real>,       sigmoid<Real>,     tanh<Real>,
                             relu_slope<Real>, max_pool<Real>,    max_pool_slope<Real>,
                             to_columns<Real>, add_columns<Real>, repeat<Real>,
                             add_rows<Real>,   sum<Real>,         exponentials<Real>};

}  // namespace
const NetKernels<float>* float_table() { return &table<float>; }
const NetKernels<double>* double_table() { return &table<double>; }
}  // namespace svrg::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace svrg::kernels {
HWY_EXPORT(float_table);
HWY_EXPORT(double_table);
template <>
const NetKernels<float>& nets<float>() {
  return *HWY_DYNAMIC_DISPATCH(float_table)();
}
template <>
const NetKernels<double>& nets<double>() {
  return *HWY_DYNAMIC_DISPATCH(double_table)();
}
}  // namespace svrg::kernels
#endif
