// Chains of row steps for one margin a row, a few rows at a time: their dots, their losses in one
// vector, their updates.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/chain_kernels.cpp"
#include "hwy/foreach_target.h"  // compiles what follows once for each instruction set
//
#include "model/kernels/dense-inl.hpp"
#include "model/kernels/losses-inl.hpp"
#include "svrg/data/read_ahead.hpp"

HWY_BEFORE_NAMESPACE();
namespace svrg::kernels::HWY_NAMESPACE {
namespace {

/// f(first row, rows ≤ group) through the blocks of the plan's order.
template <class F>
HWY_INLINE void for_groups(const ChainPlan& plan, F&& f) {
  for (const Index b : plan.order) {
    const Index from = plan.first + b * plan.block;
    if (plan.ahead != nullptr) plan.ahead->at(from);
    const Index to = std::min(from + plan.block, plan.first + plan.count);
    for (Index i = from; i < to; i += plan.group) f(i, std::min(plan.group, to - i));
  }
}

/// s ← ω(φ'(s) − r) for the n rows from i on; s has most_group values.
template <class L>
HWY_INLINE void change_of_residuals(const L& loss, const ChainPlan& plan, Index i, Index n,
                                    double* s) {
  const hn::CappedTag<double, static_cast<std::size_t>(most_group)> tag;
  constexpr auto width = static_cast<Index>(hn::MaxLanes(tag));
  HWY_ALIGN double y[most_group] = {}, r[most_group] = {}, omega[most_group] = {};
  for (Index a = 0; a < n; ++a) {
    y[a] = plan.labels[i + a];
    r[a] = plan.residuals[i + a];
    omega[a] = plan.weights != nullptr ? plan.weights[i + a] / plan.mean_weight : 1.0;
  }
  for (Index a = 0; a < n; a += width) {
    const auto there = loss.residual(tag, hn::LoadU(tag, s + a), hn::Load(tag, y + a));
    hn::StoreU(hn::Mul(hn::Load(tag, omega + a), hn::Sub(there, hn::Load(tag, r + a))), tag, s + a);
  }
}

/// u ← ρu − (c·drift + Σ s_a x_a).
template <int R, class T>
HWY_INLINE void step_all(const T* row, Index stride, Index n, double rho, double c,
                         const double* drift, const double* s, double* u) {
  Vectors<R> sa;
  for (int a = 0; a < R; ++a) sa[a] = set(s[a]);
  const V rho_v = set(rho), c_v = set(c);
  for_vectors(n, [&](Index j, Index m) SVRG_INLINE {
    V step = hn::Mul(c_v, load_n(drift + j, m));
    for (int a = 0; a < R; ++a) step = hn::MulAdd(sa[a], load_n(row + a * stride + j, m), step);
    store_n(hn::MulSub(rho_v, load_n(u + j, m), step), u + j, m);
  });
}

template <class T>
void run(const DenseRows<T>& x, const ChainPlan& plan, const double* drift, double* u,
         double* bias_out) {
  with_loss(plan.loss, [&](auto loss) SVRG_INLINE {
    double bias = 0;
    HWY_ALIGN double s[most_group] = {};
    for_groups(plan, [&](Index i, Index n) SVRG_INLINE {
      for (Index a = 0; a < n; ++a) s[a] = plan.margins[i + a] + bias;
      dense_margins(x, i, n, u, s);
      change_of_residuals(loss, plan, i, n, s);
      const auto rows = static_cast<double>(n);
      double total = 0;
      for (Index a = 0; a < n; ++a) total += s[a] *= plan.eta;
      const double rho = 1 - rows * (1 - plan.rho), c = rows * plan.eta;
      const T* row = x.data + i * x.stride;
      if (n == 4)
        step_all<4>(row, x.stride, x.columns, rho, c, drift, s, u);
      else if (n == 2)
        step_all<2>(row, x.stride, x.columns, rho, c, drift, s, u);
      else
        for (Index a = 0; a < n; ++a)
          step_all<1>(row + a * x.stride, x.stride, x.columns, a == 0 ? rho : 1.0, a == 0 ? c : 0.0,
                      drift, s + a, u);
      if (plan.intercept)
        bias = (1 - rows * (1 - plan.bias_rho)) * bias - (c * plan.bias_drift + total);
    });
    *bias_out = bias;
  });
}

/// x_i·v and x_i·g of pairs (v_j, g_j) side by side in memory: one cache line serves both.
template <class T>
HWY_INLINE void pair_dots(const CsrRows<T>& x, Index i, const double* pairs, double* out) {
  const hn::CappedTag<double, 2> two;
  if constexpr (hn::MaxLanes(two) < 2) {  // a machine without vectors
    out[0] = out[1] = 0;
    for (Index at = x.starts[i]; at < x.starts[i + 1]; ++at) {
      const auto v = static_cast<double>(x.values[at]);
      out[0] += v * pairs[2 * Index{x.indices[at]}];
      out[1] += v * pairs[2 * Index{x.indices[at]} + 1];
    }
    return;
  }
  using P = hn::Vec<decltype(two)>;
  const auto pair = [&](Index at)
                        SVRG_INLINE { return hn::LoadU(two, pairs + 2 * Index{x.indices[at]}); };
  const auto value = [&](Index at)
                         SVRG_INLINE { return hn::Set(two, static_cast<double>(x.values[at])); };
  P a = hn::Zero(two), b = a, c = a, e = a;
  Index at = x.starts[i];
  const Index end = x.starts[i + 1];
  for (; at + 4 <= end; at += 4) {
    a = hn::MulAdd(value(at), pair(at), a);
    b = hn::MulAdd(value(at + 1), pair(at + 1), b);
    c = hn::MulAdd(value(at + 2), pair(at + 2), c);
    e = hn::MulAdd(value(at + 3), pair(at + 3), e);
  }
  for (; at < end; ++at) a = hn::MulAdd(value(at), pair(at), a);
  hn::StoreU(hn::Add(hn::Add(a, b), hn::Add(c, e)), two, out);
}

/// D = a·v − b·drift with two scalars, so that a step costs the rows' non-zeros.
template <class T>
void run(const CsrRows<T>& x, const ChainPlan& plan, const double* drift, double* u,
         double* bias_out) {
  double* pairs = u;  // [2 columns]
  for (Index j = 0; j < x.columns; ++j) {
    pairs[2 * j] = 0;
    pairs[2 * j + 1] = drift[j];
  }
  with_loss(plan.loss, [&](auto loss) SVRG_INLINE {
    double bias = 0, a = 1, b = 0;
    HWY_ALIGN double s[most_group] = {}, dots[2] = {};
    for_groups(plan, [&](Index i, Index n) SVRG_INLINE {
      for (Index r = 0; r < n; ++r) {
        pair_dots(x, i + r, pairs, dots);
        s[r] = plan.margins[i + r] + bias + a * dots[0] - b * dots[1];
      }
      change_of_residuals(loss, plan, i, n, s);
      const auto count = static_cast<double>(n);
      const double rho = 1 - count * (1 - plan.rho);
      a *= rho;
      b = rho * b + count * plan.eta;
      double total = 0;
      for (Index r = 0; r < n; ++r) {
        const double step = plan.eta * s[r];
        total += step;
        const double scaled = step / a;
        for (Index at = x.starts[i + r]; at < x.starts[i + r + 1]; ++at)
          pairs[2 * Index{x.indices[at]}] -= scaled * static_cast<double>(x.values[at]);
      }
      if (plan.intercept)
        bias =
            (1 - count * (1 - plan.bias_rho)) * bias - (count * plan.eta * plan.bias_drift + total);
      if (a < 1e-8) {  // before v's numbers get too large
        for (Index j = 0; j < x.columns; ++j) pairs[2 * j] *= a;
        a = 1;
      }
    });
    for (Index j = 0; j < x.columns; ++j) u[j] = a * pairs[2 * j] - b * pairs[2 * j + 1];
    *bias_out = bias;
  });
}

template <class R>
const ChainKernels<R> table{run};

}  // namespace
const ChainKernels<DenseRows<double>>* dense_chain_64() { return &table<DenseRows<double>>; }
const ChainKernels<DenseRows<float>>* dense_chain_32() { return &table<DenseRows<float>>; }
const ChainKernels<CsrRows<double>>* sparse_chain_64() { return &table<CsrRows<double>>; }
const ChainKernels<CsrRows<float>>* sparse_chain_32() { return &table<CsrRows<float>>; }
}  // namespace svrg::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace svrg::kernels {
HWY_EXPORT(dense_chain_64);
HWY_EXPORT(dense_chain_32);
HWY_EXPORT(sparse_chain_64);
HWY_EXPORT(sparse_chain_32);
template <>
const ChainKernels<DenseRows<double>>& chains() {
  return *HWY_DYNAMIC_DISPATCH(dense_chain_64)();
}
template <>
const ChainKernels<DenseRows<float>>& chains() {
  return *HWY_DYNAMIC_DISPATCH(dense_chain_32)();
}
template <>
const ChainKernels<CsrRows<double>>& chains() {
  return *HWY_DYNAMIC_DISPATCH(sparse_chain_64)();
}
template <>
const ChainKernels<CsrRows<float>>& chains() {
  return *HWY_DYNAMIC_DISPATCH(sparse_chain_32)();
}
}  // namespace svrg::kernels
#endif
