// Dense rows against vectors and matrices. Memory is read row after row, as prefetchers like it.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/dense_kernels.cpp"
#include "hwy/foreach_target.h"  // compiles what follows once for each instruction set
//
#include "model/kernels/dense-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace svrg::kernels::HWY_NAMESPACE {
namespace {

template <int R, class T>
HWY_INLINE void add_some_rows(const T* row, Index stride, Index n, const double* r, double* g) {
  Vectors<R> ri;
  for (int a = 0; a < R; ++a) ri[a] = set(r[a]);
  for_vectors(n, [&](Index j, Index m) SVRG_INLINE {
    V s = load_n(g + j, m), t = hn::Zero(d);
    for (int a = 0; a + 1 < R; a += 2) {
      s = hn::MulAdd(ri[a], load_n(row + a * stride + j, m), s);
      t = hn::MulAdd(ri[a + 1], load_n(row + (a + 1) * stride + j, m), t);
    }
    if constexpr (R % 2 == 1) s = hn::MulAdd(ri[R - 1], load_n(row + (R - 1) * stride + j, m), s);
    store_n(hn::Add(s, t), g + j, m);
  });
}

template <class T>
void add_rows(const DenseRows<T>& x, Index first, Index count, const double* r, double* g) {
  const T* row = x.data + first * x.stride;
  Index i = 0;
  for (; i + 8 <= count; i += 8)
    add_some_rows<8>(row + i * x.stride, x.stride, x.columns, r + i, g);
  for (; i < count; ++i) add_some_rows<1>(row + i * x.stride, x.stride, x.columns, r + i, g);
}

/// R rows by N vectors of classes, the last of which has `m` of them.
template <int R, int N, class T>
HWY_INLINE void class_margins(const T* row, Index stride, Index n, const double* w, Index K,
                              Index m, double* z) {
  const Tail last(m);
  Tile<R, N> s;
  for (auto& of_row : s)
    for (V& v : of_row) v = hn::Zero(d);
  for (Index j = 0; j < n; ++j) {
    Vectors<N> wj;
    for (int b = 0; b + 1 < N; ++b) wj[b] = load(w + j * K + b * lanes);
    wj[N - 1] = last.load(w + j * K + (N - 1) * lanes);
    for (int a = 0; a < R; ++a) {
      const V v = set(static_cast<double>(row[a * stride + j]));
      for (int b = 0; b < N; ++b) s[a][b] = hn::MulAdd(v, wj[b], s[a][b]);
    }
  }
  for (int a = 0; a < R; ++a)
    for (int b = 0; b < N; ++b) {
      double* at = z + a * K + b * lanes;
      const Index some = b + 1 < N ? lanes : m;
      store_n(hn::Add(load_n(at, some), s[a][b]), at, some);
    }
}

template <int R, class C, class T>
HWY_INLINE void class_rows(const C& cover, const T* row, Index stride, Index n, const double* r,
                           Index K, double* g, Index apart) {
  constexpr int N = C::vectors;
  typename C::All ri[static_cast<std::size_t>(R)], gj;
  for (int a = 0; a < R; ++a) cover.load_own(r + a * K, ri[a]);
  for (Index j = 0; j < n; ++j) {
    double* here = g + j * apart;
    for (int b = 0; b < N; ++b) gj[b] = hn::LoadU(cover.tag, here + cover.at(b));
    for (int a = 0; a < R; ++a) {
      const auto v = hn::Set(cover.tag, static_cast<double>(row[a * stride + j]));
      for (int b = 0; b < N; ++b) gj[b] = hn::MulAdd(v, ri[a][b], gj[b]);
    }
    for (int b = N - 1; b >= 0; --b) hn::StoreU(gj[b], cover.tag, here + cover.at(b));
  }
}

/// f(first class, whole number of vectors as a constant, classes in the last one) over all classes.
template <class F>
HWY_INLINE void for_classes(Index K, F&& f) {
  Index k = 0;
  for (; K - k > 2 * lanes; k += 2 * lanes) f(k, std::integral_constant<int, 2>(), lanes);
  if (K - k > lanes)
    f(k, std::integral_constant<int, 2>(), K - k - lanes);
  else
    f(k, std::integral_constant<int, 1>(), K - k);
}

template <class T>
void add_class_margins(const DenseRows<T>& x, Index first, Index count, const double* w, Index K,
                       double* z) {
  constexpr int R = 4;
  const T* row = x.data + first * x.stride;
  for_classes(K, [&](Index k, auto vectors, Index m) SVRG_INLINE {
    constexpr int N = decltype(vectors)::value;
    Index i = 0;
    for (; i + R <= count; i += R)
      class_margins<R, N>(row + i * x.stride, x.stride, x.columns, w + k, K, m, z + i * K + k);
    for (; i < count; ++i)
      class_margins<1, N>(row + i * x.stride, x.stride, x.columns, w + k, K, m, z + i * K + k);
  });
}

template <class T>
void add_class_rows(const DenseRows<T>& x, Index first, Index count, const double* r, Index K,
                    double* g, Index apart) {
  constexpr int R = 4;
  const T* row = x.data + first * x.stride;
  for_covers(K, [&](auto cover) SVRG_INLINE {
    Index i = 0;
    for (; i + R <= count; i += R)
      class_rows<R>(cover, row + i * x.stride, x.stride, x.columns, r + i * K, K, g, apart);
    for (; i < count; ++i)
      class_rows<1>(cover, row + i * x.stride, x.stride, x.columns, r + i * K, K, g, apart);
  });
}

constexpr Index cache_line = 64;  // bytes

/// Rows of doubles that lie `stride` apart.
struct Block {
  const double* first;
  Index stride;
};

/// m[j, i] += Σ_rows scaled[row, i]·plain[row, j] for columns i … i+C and vectors of rows from j
/// on; both blocks begin there. Meanwhile a cache line a row comes in from `ahead` on.
template <int C, int N>
HWY_INLINE void gram_tile(Block scaled, Block plain, Index rows, double* m, Index stride,
                          const char* ahead) {
  Tile<C, N> s;
  for (auto& of_column : s)
    for (V& v : of_column) v = hn::Zero(d);
  for (Index i = 0; i < rows; ++i) {
    __builtin_prefetch(ahead + i * cache_line);
    Vectors<N> p;
    for (int b = 0; b < N; ++b) p[b] = load(plain.first + i * plain.stride + b * lanes);
    for (int a = 0; a < C; ++a) {
      const V v = set(scaled.first[i * scaled.stride + a]);
      for (int b = 0; b < N; ++b) s[a][b] = hn::MulAdd(v, p[b], s[a][b]);
    }
  }
  for (int a = 0; a < C; ++a)
    for (int b = 0; b < N; ++b) {
      double* at = m + a * stride + b * lanes;
      store(hn::Add(load(at), s[a][b]), at);
    }
}

/// The lower triangle of a padded [width, width] matrix, with some of what is above it; while that
/// is computed the `bytes` after `next` come into the cache.
void gram_block(Block scaled, Block plain, Index width, Index rows, double* m, const void* next,
                Index bytes) {
  constexpr int C = many_registers ? 8 : 4, N = many_registers ? 3 : 2;
  const auto from = [](Block block, Index column) {
    return Block{block.first + column, block.stride};
  };
  Index fetched = 0;
  const auto ahead = [&] {
    const Index at = fetched < bytes ? fetched : 0;
    fetched += rows * cache_line;
    return static_cast<const char*>(next) + at;
  };
  for (Index i = 0; i < width; i += C) {
    Index j = i / lanes * lanes;
    for (; j + N * lanes <= width; j += N * lanes)
      gram_tile<C, N>(from(scaled, i), from(plain, j), rows, m + i * width + j, width, ahead());
    for (; j < width; j += lanes)
      gram_tile<C, 1>(from(scaled, i), from(plain, j), rows, m + i * width + j, width, ahead());
  }
}

/// Rows as they are, read up to 8 values past their end: what is made of those is dropped.
Block in_place(const double* rows, Index stride) { return {rows, stride}; }
Block in_place(const float*, Index) { return {nullptr, 0}; }

template <class T>
void add_gram_of(const DenseRows<T>& x, Index first, Index count, const double* h, bool intercept,
                 double* m, Index stride, std::vector<double>& work) {
  const Index columns = x.columns, width = (columns + 7) / 8 * 8;
  work.assign(static_cast<std::size_t>((width + 1 + 2 * block_rows) * width), 0.0);
  double *sums = work.data(), *of_rows = sums + width * width, *plain_rows = of_rows + width,
         *scaled_rows = plain_rows + block_rows * width;
  double of_h = 0;
  // One weight for all rows is a factor of the whole.
  const bool alike = std::all_of(h, h + count, [&](double of_row) { return of_row == h[0]; });
  for (Index from = 0; from < count; from += block_rows) {
    const Index rows = std::min(block_rows, count - from);
    const T* begin = x.data + (first + from) * x.stride;
    // Rows that enough values follow need no copy to be read past their end.
    const bool followed = (count - from - rows) * x.stride >= width - columns;
    Block plain = followed && from + rows < count ? in_place(begin, x.stride) : Block{nullptr, 0};
    const bool copies = plain.first == nullptr;
    if (copies) plain = {plain_rows, width};
    const Block scaled = alike ? plain : Block{scaled_rows, width};
    for (Index i = 0; i < rows && (copies || !alike || intercept); ++i) {
      const V hi = set(alike ? 1 : h[from + i]);
      for_vectors(columns, [&](Index j, Index n) SVRG_INLINE {
        const V v = load_n(begin + i * x.stride + j, n), hv = hn::Mul(hi, v);
        if (copies) store_n(v, plain_rows + i * width + j, n);
        if (!alike) store_n(hv, scaled_rows + i * width + j, n);
        if (intercept) store_n(hn::Add(load_n(of_rows + j, n), hv), of_rows + j, n);
      });
    }
    for (Index i = 0; i < rows; ++i) of_h += h[from + i];
    gram_block(scaled, plain, width, rows, sums, begin + rows * x.stride,
               rows * x.stride * static_cast<Index>(sizeof(T)));
  }
  const double factor = alike && count > 0 ? h[0] : 1;
  for (Index i = 0; i < columns; ++i) {
    for (Index j = i; j < columns; ++j) m[i * stride + j] += factor * sums[i * width + j];
    if (intercept) m[i * stride + columns] += factor * of_rows[i];
  }
  if (intercept) m[columns * stride + columns] += of_h;
}

template <class T>
const RowKernels<DenseRows<T>> table{dense_margins<T>, add_rows<T>, add_class_margins<T>,
                                     add_class_rows<T>};

}  // namespace
const RowKernels<DenseRows<double>>* dense_table_64() { return &table<double>; }
const RowKernels<DenseRows<float>>* dense_table_32() { return &table<float>; }
void gram_64(const DenseRows<double>& x, Index first, Index count, const double* h, bool intercept,
             double* m, Index stride, std::vector<double>& work) {
  add_gram_of(x, first, count, h, intercept, m, stride, work);
}
void gram_32(const DenseRows<float>& x, Index first, Index count, const double* h, bool intercept,
             double* m, Index stride, std::vector<double>& work) {
  add_gram_of(x, first, count, h, intercept, m, stride, work);
}
}  // namespace svrg::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace svrg::kernels {
HWY_EXPORT(dense_table_64);
HWY_EXPORT(dense_table_32);
HWY_EXPORT(gram_64);
HWY_EXPORT(gram_32);
template <>
const RowKernels<DenseRows<double>>& rows() {
  return *HWY_DYNAMIC_DISPATCH(dense_table_64)();
}
template <>
const RowKernels<DenseRows<float>>& rows() {
  return *HWY_DYNAMIC_DISPATCH(dense_table_32)();
}
template <>
void add_gram(const DenseRows<double>& x, Index first, Index count, const double* h, bool intercept,
              double* m, Index stride, std::vector<double>& work) {
  HWY_DYNAMIC_DISPATCH(gram_64)(x, first, count, h, intercept, m, stride, work);
}
template <>
void add_gram(const DenseRows<float>& x, Index first, Index count, const double* h, bool intercept,
              double* m, Index stride, std::vector<double>& work) {
  HWY_DYNAMIC_DISPATCH(gram_32)(x, first, count, h, intercept, m, stride, work);
}
}  // namespace svrg::kernels
#endif
