// What the kernels need of vectors of doubles. Included once for each instruction set.
#if defined(SVRG_KERNELS_VECTOR_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef SVRG_KERNELS_VECTOR_INL
#undef SVRG_KERNELS_VECTOR_INL
#else
#define SVRG_KERNELS_VECTOR_INL
#endif
#include <algorithm>
#include <cstddef>

#include "hwy/highway.h"
#include "model/kernels/kernels.hpp"

HWY_BEFORE_NAMESPACE();
namespace svrg::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<double>;
using V = hn::Vec<D>;
constexpr D d;
constexpr auto lanes = static_cast<Index>(hn::MaxLanes(d));
/// Instruction sets whose masked loads and stores leave memory behind the mask alone.
constexpr bool has_masks = HWY_TARGET <= HWY_AVX2;
constexpr bool many_registers = HWY_TARGET <= HWY_AVX3;

/// R vectors, and R times N of them.
template <int R>
using Vectors = V[static_cast<std::size_t>(R)];
template <int R, int N>
using Tile = V[static_cast<std::size_t>(R)][static_cast<std::size_t>(N)];

HWY_INLINE V load(const double* p) { return hn::LoadU(d, p); }
HWY_INLINE V load(const float* p) { return hn::PromoteTo(d, hn::LoadU(hn::Rebind<float, D>(), p)); }
HWY_INLINE V set(double a) { return hn::Set(d, a); }
HWY_INLINE double sum(V v) { return hn::GetLane(hn::SumOfLanes(d, v)); }

/// The first n < lanes values, zeros behind them.
HWY_INLINE V load_some(const double* p, Index n) {
  if constexpr (has_masks) return hn::MaskedLoad(hn::FirstN(d, static_cast<std::size_t>(n)), d, p);
  HWY_ALIGN double copy[lanes] = {};
  for (Index i = 0; i < n; ++i) copy[i] = p[i];
  return hn::Load(d, copy);
}
HWY_INLINE V load_some(const float* p, Index n) {
  const hn::Rebind<float, D> narrow;
  if constexpr (has_masks)
    return hn::PromoteTo(
        d, hn::MaskedLoad(hn::FirstN(narrow, static_cast<std::size_t>(n)), narrow, p));
  HWY_ALIGN double copy[lanes] = {};
  for (Index i = 0; i < n; ++i) copy[i] = static_cast<double>(p[i]);
  return hn::Load(d, copy);
}
HWY_INLINE void store(V v, double* p) { hn::StoreU(v, d, p); }
HWY_INLINE void store_some(V v, double* p, Index n) {
  if constexpr (has_masks) {
    hn::BlendedStore(v, hn::FirstN(d, static_cast<std::size_t>(n)), d, p);
    return;
  }
  HWY_ALIGN double copy[lanes];
  hn::Store(v, d, copy);
  for (Index i = 0; i < n; ++i) p[i] = copy[i];
}

/// f(at, load, store) for every vector of n values: whole ones, then what is left.
template <class F>
HWY_INLINE void for_vectors(Index n, F&& f) {
  Index i = 0;
  for (; i + lanes <= n; i += lanes) f(i, lanes);
  if (i < n) f(i, n - i);
}
template <class T>
HWY_INLINE V load_n(const T* p, Index n) {
  return n == lanes ? load(p) : load_some(p, n);
}
HWY_INLINE void store_n(V v, double* p, Index n) {
  if (n == lanes)
    store(v, p);
  else
    store_some(v, p, n);
}

}  // namespace svrg::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
