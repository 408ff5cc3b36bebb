// Sparse rows against vectors and matrices.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/sparse_kernels.cpp"
#include "hwy/foreach_target.h"  // compiles what follows once for each instruction set
//
#include "model/kernels/vector-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace svrg::kernels::HWY_NAMESPACE {
namespace {

/// The next multiplication waits for none of the last three.
template <class T>
void add_margins(const CsrRows<T>& x, Index first, Index count, const double* w, double* z) {
  for (Index i = 0; i < count; ++i) {
    double a = 0, b = 0, c = 0, e = 0;
    Index at = x.starts[first + i];
    const Index end = x.starts[first + i + 1];
    for (; at + 4 <= end; at += 4) {
      a += static_cast<double>(x.values[at]) * w[x.indices[at]];
      b += static_cast<double>(x.values[at + 1]) * w[x.indices[at + 1]];
      c += static_cast<double>(x.values[at + 2]) * w[x.indices[at + 2]];
      e += static_cast<double>(x.values[at + 3]) * w[x.indices[at + 3]];
    }
    for (; at < end; ++at) a += static_cast<double>(x.values[at]) * w[x.indices[at]];
    z[i] += (a + b) + (c + e);
  }
}

template <class T>
void add_rows(const CsrRows<T>& x, Index first, Index count, const double* r, double* g) {
  for (Index i = 0; i < count; ++i) {
    const double s = r[i];
    if (s == 0) continue;
    const Index end = x.starts[first + i + 1];
    for (Index at = x.starts[first + i]; at < end; ++at)
      g[x.indices[at]] += s * static_cast<double>(x.values[at]);
  }
}

/// f(first class, vectors as a constant, classes in the last of them): up to 32 classes at a time.
template <class F>
HWY_INLINE void for_classes(Index K, F&& f) {
  for (Index k = 0; k < K; k += 4 * lanes) {
    const Index left = std::min(K - k, 4 * lanes), last = (left - 1) % lanes + 1;
    switch ((left + lanes - 1) / lanes) {
      case 1:
        f(k, std::integral_constant<int, 1>(), last);
        break;
      case 2:
        f(k, std::integral_constant<int, 2>(), last);
        break;
      case 3:
        f(k, std::integral_constant<int, 3>(), last);
        break;
      default:
        f(k, std::integral_constant<int, 4>(), last);
    }
  }
}

template <class T>
void add_class_margins(const CsrRows<T>& x, Index first, Index count, const double* w, Index K,
                       double* z) {
  for_classes(K, [&](Index k, auto vectors, Index m) SVRG_INLINE {
    constexpr int N = decltype(vectors)::value;
    const Tail last(m);
    for (Index i = 0; i < count; ++i) {
      Vectors<N> s;
      double* zi = z + i * K + k;
      for (int b = 0; b < N; ++b) s[b] = load_n(zi + b * lanes, b + 1 < N ? lanes : m);
      const Index end = x.starts[first + i + 1];
      for (Index at = x.starts[first + i]; at < end; ++at) {
        const double* wj = w + x.indices[at] * K + k;
        const V v = set(static_cast<double>(x.values[at]));
        for (int b = 0; b + 1 < N; ++b) s[b] = hn::MulAdd(v, load(wj + b * lanes), s[b]);
        s[N - 1] = hn::MulAdd(v, last.load(wj + (N - 1) * lanes), s[N - 1]);
      }
      for (int b = 0; b < N; ++b) store_n(s[b], zi + b * lanes, b + 1 < N ? lanes : m);
    }
  });
}

template <class T>
void add_class_rows(const CsrRows<T>& x, Index first, Index count, const double* r, Index K,
                    double* g, Index apart) {
  for_covers(K, [&](auto cover) SVRG_INLINE {
    using C = decltype(cover);
    for (Index i = 0; i < count; ++i) {
      typename C::All ri, gj;
      cover.load_own(r + i * K, ri);
      const Index end = x.starts[first + i + 1];
      for (Index at = x.starts[first + i]; at < end; ++at) {
        double* here = g + x.indices[at] * apart;
        const auto v = hn::Set(cover.tag, static_cast<double>(x.values[at]));
        for (int b = 0; b < C::vectors; ++b)
          gj[b] = hn::MulAdd(v, ri[b], hn::LoadU(cover.tag, here + cover.at(b)));
        for (int b = C::vectors - 1; b >= 0; --b) hn::StoreU(gj[b], cover.tag, here + cover.at(b));
      }
    }
  });
}

template <class T>
const RowKernels<CsrRows<T>> table{add_margins<T>, add_rows<T>, add_class_margins<T>,
                                   add_class_rows<T>};

}  // namespace
const RowKernels<CsrRows<double>>* sparse_table_64() { return &table<double>; }
const RowKernels<CsrRows<float>>* sparse_table_32() { return &table<float>; }
}  // namespace svrg::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace svrg::kernels {
HWY_EXPORT(sparse_table_64);
HWY_EXPORT(sparse_table_32);
template <>
const RowKernels<CsrRows<double>>& rows() {
  return *HWY_DYNAMIC_DISPATCH(sparse_table_64)();
}
template <>
const RowKernels<CsrRows<float>>& rows() {
  return *HWY_DYNAMIC_DISPATCH(sparse_table_32)();
}
}  // namespace svrg::kernels
#endif
