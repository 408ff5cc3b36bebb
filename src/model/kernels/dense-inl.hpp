// Dots of dense rows, for sweeps and for chains. Included once for each instruction set.
#if defined(SVRG_KERNELS_DENSE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef SVRG_KERNELS_DENSE_INL
#undef SVRG_KERNELS_DENSE_INL
#else
#define SVRG_KERNELS_DENSE_INL
#endif
#include "model/kernels/vector-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace svrg::kernels::HWY_NAMESPACE {

/// Up to this many columns four rows go side by side, one sum each; beyond it four sums a row.
constexpr Index short_row = 128;

template <int R, class T>
HWY_INLINE void margins_side_by_side(const T* row, Index stride, Index n, const double* w,
                                     double* z) {
  Vectors<R> s;
  for (V& v : s) v = hn::Zero(d);
  for_vectors(n, [&](Index j, Index m) HWY_ATTR {
    const V wj = load_n(w + j, m);
    for (int a = 0; a < R; ++a) s[a] = hn::MulAdd(load_n(row + a * stride + j, m), wj, s[a]);
  });
  for (int a = 0; a < R; ++a) z[a] += sum(s[a]);
}

template <class T>
HWY_INLINE double dot(const T* row, Index n, const double* w) {
  V a = hn::Zero(d), b = a, c = a, e = a;
  Index j = 0;
  for (; j + 4 * lanes <= n; j += 4 * lanes) {
    a = hn::MulAdd(load(row + j), load(w + j), a);
    b = hn::MulAdd(load(row + j + lanes), load(w + j + lanes), b);
    c = hn::MulAdd(load(row + j + 2 * lanes), load(w + j + 2 * lanes), c);
    e = hn::MulAdd(load(row + j + 3 * lanes), load(w + j + 3 * lanes), e);
  }
  for_vectors(n - j, [&](Index i, Index m) HWY_ATTR {
    a = hn::MulAdd(load_n(row + j + i, m), load_n(w + j + i, m), a);
  });
  return sum(hn::Add(hn::Add(a, b), hn::Add(c, e)));
}

template <class T>
HWY_INLINE void dense_margins(const DenseRows<T>& x, Index first, Index count, const double* w, double* z) {
  const T* row = x.data + first * x.stride;
  if (x.columns > short_row) {
    for (Index i = 0; i < count; ++i) z[i] += dot(row + i * x.stride, x.columns, w);
    return;
  }
  Index i = 0;
  for (; i + 4 <= count; i += 4)
    margins_side_by_side<4>(row + i * x.stride, x.stride, x.columns, w, z + i);
  for (; i < count; ++i)
    margins_side_by_side<1>(row + i * x.stride, x.stride, x.columns, w, z + i);
}

}  // namespace svrg::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
