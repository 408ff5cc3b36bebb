// How rows meet a weight vector: dense and sparse, one margin or K. Weights are feature-major,
// w[j·K + k].
#pragma once
#include "model/kernels/kernels.hpp"
#include "svrg/data/batch.hpp"
#include "svrg/data/read_ahead.hpp"

namespace svrg::kernels {

inline double weight_of(const Batch& batch, Index row) {
  return batch.weights.empty() ? 1.0 : batch.weights[static_cast<std::size_t>(row)];
}

/// Calls f(column, value) for each stored entry of row i.
template <class T, class F>
void for_each(const DenseRows<T>& x, Index i, F&& f) {
  const T* row = x.data + i * x.stride;
  for (Index j = 0; j < x.columns; ++j) f(j, static_cast<double>(row[j]));
}
template <class T, class F>
void for_each(const CsrRows<T>& x, Index i, F&& f) {
  for (Index e = x.starts[i]; e < x.starts[i + 1]; ++e)
    f(static_cast<Index>(x.indices[e]), static_cast<double>(x.values[e]));
}

/// y_k += a x_k, K short: by fours, so that it becomes vector instructions without a prologue.
inline void add_scaled(double* __restrict y, double a, const double* __restrict x, Index K) {
  Index k = 0;
  for (; k + 4 <= K; k += 4) {
    y[k] += a * x[k];
    y[k + 1] += a * x[k + 1];
    y[k + 2] += a * x[k + 2];
    y[k + 3] += a * x[k + 3];
  }
  for (; k < K; ++k) y[k] += a * x[k];
}

/// z ← margins of rows [first, first + count), K each, at weights w with intercepts behind them.
template <class R>
void set_margins(const R& x, Index first, Index count, const double* w, Index K, bool intercept,
                 double* z) {
  if (x.ahead != nullptr) x.ahead->at(first);
  const double* intercepts = w + x.columns * K;
  for (Index i = 0; i < count; ++i)
    for (Index k = 0; k < K; ++k) z[i * K + k] = intercept ? intercepts[k] : 0.0;
  if (K == 1)
    rows<R>().add_margins(x, first, count, w, z);
  else
    rows<R>().add_class_margins(x, first, count, w, K, z);
}

/// g += Σ_i x_i r_i, r [count, K], intercepts behind the features.
template <class R>
void add_rows(const R& x, Index first, Index count, const double* r, Index K, bool intercept,
              double* g) {
  if (K == 1)
    rows<R>().add_rows(x, first, count, r, g);
  else
    rows<R>().add_class_rows(x, first, count, r, K, g, K);
  if (!intercept) return;
  double* sums = g + x.columns * K;
  for (Index i = 0; i < count; ++i)
    for (Index k = 0; k < K; ++k) sums[k] += r[i * K + k];
}

/// ‖x_i‖².
template <class R>
double squared_norm(const R& x, Index i) {
  double s = 0;
  for_each(x, i, [&](Index, double v) { s += v * v; });
  return s;
}

}  // namespace svrg::kernels
