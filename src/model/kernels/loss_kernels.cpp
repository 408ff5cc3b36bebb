// Losses over the margins of many rows, and the sums that a search along directions needs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/loss_kernels.cpp"
#include "hwy/foreach_target.h"  // compiles what follows once for each instruction set
//
#include "model/kernels/losses-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace svrg::kernels::HWY_NAMESPACE {
namespace {

double residuals(LossKind kind, const double* z, const double* y, const double* sigma, Index n,
                 double* r) {
  return with_loss(kind, [&](auto loss) SVRG_INLINE {
    V total = hn::Zero(d);
    for_vectors(n, [&](Index i, Index m) SVRG_INLINE {
      V ri;
      V value = loss.value(d, load_n(z + i, m), load_n(y + i, m), ri);
      store_n(ri, r + i, m);
      if (sigma != nullptr) value = hn::Mul(value, load_n(sigma + i, m));
      if (m < lanes) value = hn::IfThenElseZero(hn::FirstN(d, static_cast<std::size_t>(m)), value);
      total = hn::Add(total, value);
    });
    return sum(total);
  });
}

void derivatives(LossKind kind, const double* z, const double* y, Index n, double* r) {
  with_loss(kind, [&](auto loss) SVRG_INLINE {
    for_vectors(n, [&](Index i, Index m) SVRG_INLINE {
      store_n(loss.residual(d, load_n(z + i, m), load_n(y + i, m)), r + i, m);
    });
  });
}

void curvatures(LossKind kind, const double* z, const double* y, const double* r, Index n,
                double* h) {
  with_loss(kind, [&](auto loss) SVRG_INLINE {
    for_vectors(n, [&](Index i, Index m) SVRG_INLINE {
      store_n(loss.curvature(d, load_n(z + i, m), load_n(y + i, m), load_n(r + i, m)), h + i, m);
    });
  });
}

double probabilities(const double* z, const double* sigma, Index n, Index K, double* p) {
  // Less the row's largest margin, then exp over all of them at once, then each row's share.
  double total = 0;
  for (Index i = 0; i < n; ++i) {
    const double* zi = z + i * K;
    double top = zi[0];
    for (Index k = 1; k < K; ++k) top = zi[k] > top ? zi[k] : top;
    for (Index k = 0; k < K; ++k) p[i * K + k] = zi[k] - top;
    total += (sigma != nullptr ? sigma[i] : 1.0) * top;
  }
  for_vectors(
      n * K, [&](Index i, Index m) SVRG_INLINE { store_n(exp_of(d, load_n(p + i, m)), p + i, m); });
  HWY_ALIGN double sums[block_rows];
  for (Index from = 0; from < n; from += block_rows) {
    const Index count = std::min(block_rows, n - from);
    for (Index i = 0; i < count; ++i) {
      double* pi = p + (from + i) * K;
      V s = hn::Zero(d);
      for_vectors(K, [&](Index k, Index m) SVRG_INLINE { s = hn::Add(s, load_n(pi + k, m)); });
      sums[i] = sum(s);
      const V scale = set(1 / sums[i]);
      for_vectors(K, [&](Index k, Index m)
                         SVRG_INLINE { store_n(hn::Mul(scale, load_n(pi + k, m)), pi + k, m); });
    }
    V logs = hn::Zero(d);
    for_vectors(count, [&](Index i, Index m) SVRG_INLINE {
      const auto there = hn::FirstN(d, static_cast<std::size_t>(m));
      V log = hn::Log(d, hn::IfThenElse(there, load_n(sums + i, m), set(1)));
      if (sigma != nullptr) log = hn::Mul(log, load_n(sigma + from + i, m));
      logs = hn::Add(logs, hn::IfThenElseZero(there, log));
    });
    total += sum(logs);
  }
  return total;
}

void combine(const double* z, const float* const* q, const double* alpha, std::size_t k, Index n,
             double* s) {
  for_vectors(n, [&](Index i, Index m) SVRG_INLINE {
    V v = load_n(z + i, m);
    for (std::size_t a = 0; a < k; ++a) v = hn::MulAdd(set(alpha[a]), load_n(q[a] + i, m), v);
    store_n(v, s + i, m);
  });
}

/// With the number of directions known, all sums stay in registers.
template <std::size_t k>
void add_products_of(const double* r, const double* h, const float* const* q, Index n,
                     double* gradient, double* hessian) {
  V slope[k], square[k * (k + 1) / 2];
  for (V& v : slope) v = hn::Zero(d);
  for (V& v : square) v = hn::Zero(d);
  for_vectors(n, [&](Index i, Index m) SVRG_INLINE {
    const V ri = load_n(r + i, m), hi = load_n(h + i, m);
    V qi[k];
    for (std::size_t a = 0, at = 0; a < k; ++a) {
      qi[a] = load_n(q[a] + i, m);
      slope[a] = hn::MulAdd(ri, qi[a], slope[a]);
      const V scaled = hn::Mul(hi, qi[a]);
      for (std::size_t b = 0; b <= a; ++b, ++at) square[at] = hn::MulAdd(scaled, qi[b], square[at]);
    }
  });
  for (std::size_t a = 0, at = 0; a < k; ++a) {
    gradient[a] += sum(slope[a]);
    for (std::size_t b = 0; b <= a; ++b, ++at) hessian[a * k + b] += sum(square[at]);
  }
}

void add_products(const double* r, const double* h, const float* const* q, std::size_t k, Index n,
                  double* gradient, double* hessian) {
  switch (k) {
    case 1:
      return add_products_of<1>(r, h, q, n, gradient, hessian);
    case 2:
      return add_products_of<2>(r, h, q, n, gradient, hessian);
    case 3:
      return add_products_of<3>(r, h, q, n, gradient, hessian);
    case 4:
      return add_products_of<4>(r, h, q, n, gradient, hessian);
    case 5:
      return add_products_of<5>(r, h, q, n, gradient, hessian);
    default:
      return add_products_of<6>(r, h, q, n, gradient, hessian);
  }
}

const LossKernels table{residuals, derivatives, curvatures, probabilities, combine, add_products};

}  // namespace
const LossKernels* loss_table() { return &table; }
}  // namespace svrg::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace svrg::kernels {
HWY_EXPORT(loss_table);
const LossKernels& losses() { return *HWY_DYNAMIC_DISPATCH(loss_table)(); }
}  // namespace svrg::kernels
#endif
