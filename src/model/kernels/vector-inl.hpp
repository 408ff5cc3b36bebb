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

/// Of lambdas: they belong into the loop that calls them.
#undef SVRG_INLINE
#define SVRG_INLINE HWY_ATTR __attribute__((always_inline))

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

/// Loads of the first m ≤ lanes values, over and over: no branch where there are masks.
struct Tail {
  HWY_INLINE explicit Tail(Index m) : count(m), mask(hn::FirstN(d, static_cast<std::size_t>(m))) {}
  HWY_INLINE V load(const double* p) const {
    if constexpr (has_masks) return hn::MaskedLoad(mask, d, p);
    return load_n(p, count);
  }
  Index count;
  hn::Mask<D> mask;
};

/// Vectors of `Tag` that cover K ≥ its lanes values, the last one reaching back over the one before
/// it rather than past the end: a store through a mask would hold up the load of what follows it.
/// All are to be loaded before any is stored, and the last one stored first.
template <class Tag, int N>
struct Cover {
  static constexpr Tag tag{};
  static constexpr auto width = static_cast<Index>(hn::MaxLanes(Tag()));
  static constexpr int vectors = N;
  using W = hn::Vec<Tag>;
  using All = W[static_cast<std::size_t>(N)];
  Index first, K;  // number of the first vector
  HWY_INLINE Index at(int b) const { return std::min((first + b) * width, K - width); }
  /// Values that no other vector covers as well; zeros in place of the others.
  HWY_INLINE void load_own(const double* p, All& v) const {
    for (int b = 0; b < N; ++b) {
      const Index shared = (first + b) * width - at(b);
      v[b] = hn::LoadU(tag, p + at(b));
      v[b] = hn::IfThenZeroElse(hn::FirstN(tag, static_cast<std::size_t>(shared)), v[b]);
    }
  }
};

/// f(cover of some of K ≥ 2 values) until all are covered, up to four vectors at a time.
template <class Tag, class F>
HWY_INLINE void cover_with(Index K, F&& f) {
  constexpr auto width = static_cast<Index>(hn::MaxLanes(Tag()));
  const Index vectors = (K + width - 1) / width;
  for (Index b = 0; b < vectors; b += 4) switch (vectors - b) {
      case 1:
        f(Cover<Tag, 1>{b, K});
        break;
      case 2:
        f(Cover<Tag, 2>{b, K});
        break;
      case 3:
        f(Cover<Tag, 3>{b, K});
        break;
      default:
        f(Cover<Tag, 4>{b, K});
    }
}
template <class F>
HWY_INLINE void for_covers(Index K, F&& f) {
  if (K >= 8)
    cover_with<hn::CappedTag<double, 8>>(K, f);
  else if (K >= 4)
    cover_with<hn::CappedTag<double, 4>>(K, f);
  else
    cover_with<hn::CappedTag<double, 2>>(K, f);
}

}  // namespace svrg::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
