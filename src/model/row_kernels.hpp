// How one row meets a weight vector: dense and sparse, one margin or K. Everything above is written
// once in terms of these. Weights are feature-major: w[j·K + k].
#pragma once
#include "svrg/data/batch.hpp"

namespace svrg::kernels {

inline double weight_of(const Batch& batch, Index row) {
  return batch.weights.empty() ? 1.0 : batch.weights[static_cast<std::size_t>(row)];
}

/// x_i · w for one margin: four sums, so that the additions overlap.
template <class T>
double dot(const DenseRows<T>& x, Index i, const double* w) {
  const T* row = x.data + i * x.stride;
  double a = 0, b = 0, c = 0, d = 0;
  Index j = 0;
  for (; j + 4 <= x.columns; j += 4) {
    a += static_cast<double>(row[j]) * w[j];
    b += static_cast<double>(row[j + 1]) * w[j + 1];
    c += static_cast<double>(row[j + 2]) * w[j + 2];
    d += static_cast<double>(row[j + 3]) * w[j + 3];
  }
  for (; j < x.columns; ++j) a += static_cast<double>(row[j]) * w[j];
  return (a + b) + (c + d);
}
template <class T>
double dot(const CsrRows<T>& x, Index i, const double* w) {
  double a = 0, b = 0, c = 0, d = 0;
  Index e = x.starts[i];
  const Index end = x.starts[i + 1];
  for (; e + 4 <= end; e += 4) {
    a += static_cast<double>(x.values[e]) * w[x.indices[e]];
    b += static_cast<double>(x.values[e + 1]) * w[x.indices[e + 1]];
    c += static_cast<double>(x.values[e + 2]) * w[x.indices[e + 2]];
    d += static_cast<double>(x.values[e + 3]) * w[x.indices[e + 3]];
  }
  for (; e < end; ++e) a += static_cast<double>(x.values[e]) * w[x.indices[e]];
  return (a + b) + (c + d);
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

/// z_k += Σ_j x_ij w[j·K + k].
template <class R>
void add_margins(const R& x, Index i, const double* w, Index K, double* z) {
  if (K == 1) {
    z[0] += dot(x, i, w);
    return;
  }
  for_each(x, i, [&](Index j, double v) { add_scaled(z, v, w + j * K, K); });
}

/// g[j·K + k] += x_ij r_k.
template <class R>
void add_row(const R& x, Index i, const double* r, Index K, double* g) {
  if (K == 1) {
    const double s = r[0];
    for_each(x, i, [&](Index j, double v) { g[j] += s * v; });
    return;
  }
  for_each(x, i, [&](Index j, double v) { add_scaled(g + j * K, v, r, K); });
}

/// ‖x_i‖².
template <class R>
double squared_norm(const R& x, Index i) {
  double s = 0;
  for_each(x, i, [&](Index, double v) { s += v * v; });
  return s;
}

}  // namespace svrg::kernels
