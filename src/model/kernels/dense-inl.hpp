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

/// Four sums, and no multiplication waits for the one before it.
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
  if (j + 2 * lanes <= n) {
    a = hn::MulAdd(load(row + j), load(w + j), a);
    b = hn::MulAdd(load(row + j + lanes), load(w + j + lanes), b);
    j += 2 * lanes;
  }
  if (j + lanes <= n) {
    c = hn::MulAdd(load(row + j), load(w + j), c);
    j += lanes;
  }
  if (j < n) e = hn::MulAdd(load_some(row + j, n - j), load_some(w + j, n - j), e);
  return sum(hn::Add(hn::Add(a, b), hn::Add(c, e)));
}

/// Row after row: side by side their lines would come in an order that is not foreseen.
template <class T>
HWY_INLINE void dense_margins(const DenseRows<T>& x, Index first, Index count, const double* w,
                              double* z) {
  const T* row = x.data + first * x.stride;
  for (Index i = 0; i < count; ++i) z[i] += dot(row + i * x.stride, x.columns, w);
}

}  // namespace svrg::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
