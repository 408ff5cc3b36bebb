// Loops over rows and margins, compiled once for each instruction set and chosen when the program
// starts. Everything is in double; rows may be stored in float. Results of one instruction set are
// the same bits at every call, and a margin does not depend on the rows beside it.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "svrg/data/batch.hpp"
#include "svrg/model/linear_model.hpp"

namespace svrg::kernels {

/// Rows of a block: it stays in cache between the margins and the sum of the gradient.
constexpr Index block_rows = 64;
/// Row steps of a chain are taken up to this many at a time.
constexpr Index most_group = 4;
/// Directions of the subspace search.
constexpr std::size_t most_directions = 6;

/// A linear loss: Huber's δ with it.
struct LossKind {
  Loss loss;
  double delta;
};

/// What the losses make of margins, z and y [n].
struct LossKernels {
  /// r ← φ'(z); returns Σ σ_i φ(z_i). σ [n], or null: all 1. Not for softmax.
  double (*residuals)(LossKind, const double* z, const double* y, const double* sigma, Index n,
                      double* r);
  /// r ← φ'(z) alone. Not for softmax.
  void (*derivatives)(LossKind, const double* z, const double* y, Index n, double* r);
  /// h ← φ''(z), given r = φ'(z); h may be r. Not for softmax.
  void (*curvatures)(LossKind, const double* z, const double* y, const double* r, Index n,
                     double* h);
  /// p ← probabilities of K classes a row, z and p [n, K]; returns Σ σ_i log Σ_k exp(z_ik).
  double (*probabilities)(const double* z, const double* sigma, Index n, Index K, double* p);
  /// s ← z + Σ_a α_a q_a, all [n].
  void (*combine)(const double* z, const float* const* q, const double* alpha, std::size_t k,
                  Index n, double* s);
  /// gradient[a] += Σ r_i q_a,i;  hessian[a·k + b] += Σ h_i q_a,i q_b,i for b ≤ a.
  void (*add_products)(const double* r, const double* h, const float* const* q, std::size_t k,
                       Index n, double* gradient, double* hessian);
};
const LossKernels& losses();

/// Rows [first, first + count) of x meet vectors. z, r and h start at the first of these rows.
template <class R>
struct RowKernels {
  /// z_i += x_i·w.
  void (*add_margins)(const R& x, Index first, Index count, const double* w, double* z);
  /// g += Σ r_i x_i.
  void (*add_rows)(const R& x, Index first, Index count, const double* r, double* g);
  /// z_ik += Σ_j x_ij w_jk: K classes, w [columns, K], z [count, K].
  void (*add_class_margins)(const R& x, Index first, Index count, const double* w, Index K,
                            double* z);
  /// g_jk += Σ_i x_ij r_ik, features `apart` values from each other in g.
  void (*add_class_rows)(const R& x, Index first, Index count, const double* r, Index K, double* g,
                         Index apart);
};
template <class R>
const RowKernels<R>& rows();

/// Adds Σ h_i x_i x_iᵀ to the lower triangle of m, column-major with `stride` between columns; the
/// rows have a last column of ones where `intercept`. `work` is scratch.
template <class T>
void add_gram(const DenseRows<T>& x, Index first, Index count, const double* h, bool intercept,
              double* m, Index stride, std::vector<double>& work);

/// One chain of row steps on one margin a row (linear_chain.cpp has the recurrence). Visits the
/// rows of `order`'s blocks, `group` at a time. `drift` is ∇F(w̃) on features; u [columns] starts at
/// zero and ends as the displacement; *bias likewise for the intercept.
struct ChainPlan {
  LossKind loss;
  const double *labels, *margins, *residuals;
  const double* weights;  // null: all 1
  double mean_weight;
  Index first, count, block, group;
  std::span<const Index> order;  // of blocks
  ReadAhead* ahead;              // null: rows in memory
  double eta, rho, bias_rho, bias_drift;
  bool intercept;
};
template <class R>
struct ChainKernels {
  void (*run)(const R& x, const ChainPlan& plan, const double* drift, double* u, double* bias);
};
template <class R>
const ChainKernels<R>& chains();

}  // namespace svrg::kernels
