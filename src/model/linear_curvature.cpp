// Second-order quantities of a linear model: sums along directions, Hessian products, Hessians.
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "model/losses.hpp"
#include "model/row_kernels.hpp"
#include "svrg/core/error.hpp"
#include "svrg/model/linear_model.hpp"

namespace svrg {
namespace {

using kernels::weight_of;

/// Adds what a part gave; of the Hessian, row-major, the lower triangle is filled.
void add_to(LineSums& sums, double value, const std::vector<double>& gradient,
            const std::vector<double>& hessian) {
  const std::size_t n = gradient.size();
  sums.value += value;
  for (std::size_t a = 0; a < n; ++a) {
    const auto row = static_cast<Index>(a);
    sums.gradient[row] += gradient[a];
    for (std::size_t b = 0; b <= a; ++b) {
      const auto column = static_cast<Index>(b);
      sums.hessian(row, column) += hessian[a * n + b];
      if (b < a) sums.hessian(column, row) += hessian[a * n + b];
    }
  }
}

/// One margin a row: value, gradient and Hessian along the directions.
template <class L>
void line_sums_one(const Batch& batch, const Part& part, const double* z,
                   std::span<const float* const> q, std::span<const double> alpha, LineSums& sums) {
  const auto n = q.size();
  std::vector<double> gradient(n, 0.0), hessian(n * n, 0.0), qi(n);
  double value = 0;
  for (Index i = part.first; i < part.first + part.count; ++i) {
    double s = z[i];
    for (std::size_t a = 0; a < n; ++a) s += alpha[a] * (qi[a] = static_cast<double>(q[a][i]));
    const double weight = weight_of(batch, i);
    double r = 0, h = 0;
    value += weight * L::residual(&s, batch.labels[static_cast<std::size_t>(i)], 1, &r);
    L::curvature(&s, 1, &h);
    r *= weight;
    h *= weight;
    for (std::size_t a = 0; a < n; ++a) {
      gradient[a] += r * qi[a];
      const double ha = h * qi[a];
      for (std::size_t b = 0; b <= a; ++b) hessian[a * n + b] += ha * qi[b];
    }
  }
  add_to(sums, value, gradient, hessian);
}

/// K margins a row with φ'' = diag(p) − p pᵀ.
void line_sums_softmax(const Batch& batch, const Part& part, Index K, const double* z,
                       std::span<const float* const> q, std::span<const double> alpha,
                       LineSums& sums) {
  using losses::Softmax;
  const auto n = static_cast<Index>(q.size());
  // Written out: these loops are a handful of numbers long, too short for matrix expressions.
  std::vector<double> s(static_cast<std::size_t>(K)), p(s), qi(static_cast<std::size_t>(n * K)),
      pq(qi), mean(static_cast<std::size_t>(n)), gradient(mean),
      hessian(static_cast<std::size_t>(n * n));
  double value = 0;
  for (Index i = part.first; i < part.first + part.count; ++i) {
    std::copy_n(z + i * K, K, s.data());
    for (Index a = 0; a < n; ++a) {
      const float* from = q[static_cast<std::size_t>(a)] + i * K;
      double* to = qi.data() + a * K;
      for (Index k = 0; k < K; ++k) to[k] = static_cast<double>(from[k]);
      kernels::add_scaled(s.data(), alpha[static_cast<std::size_t>(a)], to, K);
    }
    const double weight = weight_of(batch, i);
    const auto label = static_cast<Index>(batch.labels[static_cast<std::size_t>(i)]);
    value += weight *
             (Softmax::probabilities(s.data(), K, p.data()) - s[static_cast<std::size_t>(label)]);
    for (Index a = 0; a < n; ++a) {
      const double* qa = qi.data() + a * K;
      double* pa = pq.data() + a * K;
      double m = 0;
      for (Index k = 0; k < K; ++k) m += pa[k] = p[static_cast<std::size_t>(k)] * qa[k];
      mean[static_cast<std::size_t>(a)] = m;
      gradient[static_cast<std::size_t>(a)] += weight * (m - qa[label]);
      for (Index b = 0; b <= a; ++b) {
        const double* qb = qi.data() + b * K;
        double h = 0;
        for (Index k = 0; k < K; ++k) h += pa[k] * qb[k];
        hessian[static_cast<std::size_t>(a * n + b)] +=
            weight * (h - m * mean[static_cast<std::size_t>(b)]);
      }
    }
  }
  add_to(sums, value, gradient, hessian);
}

/// The stored entries of a row, the intercept as one more feature of value 1.
template <class R>
void collect(const R& x, Index i, bool intercept, std::vector<std::pair<Index, double>>& entries) {
  entries.clear();
  kernels::for_each(x, i, [&](Index j, double v) {
    if (v != 0) entries.emplace_back(j, v);
  });
  if (intercept) entries.emplace_back(x.columns, 1.0);
}

/// φ''(z_i) as a K x K matrix.
void curvature_matrix(Loss loss, const double* z, Index K, Eigen::MatrixXd& m) {
  losses::with_loss(loss, [&](auto l) {
    if constexpr (std::is_same_v<decltype(l), losses::Softmax>) {
      Vec<double> p(K);
      losses::Softmax::curvature(z, K, p.data());
      m.noalias() = -p * p.transpose();
      m.diagonal() += p;
    } else {
      decltype(l)::curvature(z, 1, m.data());
    }
  });
}

}  // namespace

void LinearModel::add_line_sums(const Batch& batch, const Part& part, const double* z,
                                std::span<const float* const> q, std::span<const double> alpha,
                                LineSums& sums) const {
  losses::with_loss(loss_, [&](auto loss) {
    if constexpr (std::is_same_v<decltype(loss), losses::Softmax>)
      line_sums_softmax(batch, part, margins_, z, q, alpha, sums);
    else
      line_sums_one<decltype(loss)>(batch, part, z, q, alpha, sums);
  });
}

void LinearModel::add_hessian_product(ConstVecRef<double> p, const Batch& batch, const Part& part,
                                      const double* z, VecRef<double> g) const {
  const Index K = margins_, P = features_ * K;
  std::visit(
      [&](const auto& x) {
        Vec<double> q(K), h(K);
        for (Index i = part.first; i < part.first + part.count; ++i) {
          for (Index k = 0; k < K; ++k) q[k] = intercept_ ? p[P + k] : 0.0;
          kernels::add_margins(x, i, p.data(), K, q.data());
          losses::with_loss(loss_, [&](auto l) {
            decltype(l)::curvature(z + i * K, K, h.data());
            if constexpr (std::is_same_v<decltype(l), losses::Softmax>) {
              const double mean = h.dot(q);
              h = h.cwiseProduct((q.array() - mean).matrix()).eval();
            } else {
              h[0] *= q[0];
            }
          });
          h *= weight_of(batch, i);
          kernels::add_row(x, i, h.data(), K, g.data());
          if (intercept_)
            for (Index k = 0; k < K; ++k) g[P + k] += h[k];
        }
      },
      batch.inputs[0].rows);
}

void LinearModel::add_curvature(const Batch& batch, Index first, Index count, const double* z,
                                Eigen::MatrixXd& h) const {
  const Index K = margins_;
  std::visit(
      [&](const auto& x) {
        std::vector<std::pair<Index, double>> entries;
        Eigen::MatrixXd m(K, K);
        for (Index i = first; i < first + count; ++i) {
          collect(x, i, intercept_, entries);
          curvature_matrix(loss_, z + i * K, K, m);
          m *= weight_of(batch, i);
          for (std::size_t f = 0; f < entries.size(); ++f)
            for (Index b = 0; b < K; ++b) {
              double* column = h.data() + (entries[f].first * K + b) * h.rows();
              for (std::size_t e = f; e < entries.size(); ++e)
                kernels::add_scaled(column + entries[e].first * K,
                                    entries[e].second * entries[f].second, m.data() + b * K, K);
            }
        }
      },
      batch.inputs[0].rows);
}

void LinearModel::add_diagonal_curvature(const Batch& batch, const Part& part, const double* z,
                                         std::span<double> h) const {
  std::vector<double> row(static_cast<std::size_t>(margins_));
  losses::with_loss(loss_, [&](auto l) {
    for (Index i = part.first; i < part.first + part.count; ++i) {
      decltype(l)::curvature(z + i * margins_, margins_, row.data());
      const double weight = weight_of(batch, i);
      for (std::size_t k = 0; k < row.size(); ++k) {
        const bool softmax = std::is_same_v<decltype(l), losses::Softmax>;
        h[k] += weight * (softmax ? row[k] * (1 - row[k]) : row[k]);
      }
    }
  });
}

double LinearModel::row_curvature(const Batch& batch, Index row, const double* z,
                                  const Eigen::MatrixXd& lower) const {
  const Index K = margins_;
  return std::visit(
      [&](const auto& x) {
        std::vector<std::pair<Index, double>> entries;
        collect(x, row, intercept_, entries);
        Eigen::MatrixXd m(K, K);
        curvature_matrix(loss_, z + row * K, K, m);
        double total = 0;
        Vec<double> e(lower.rows());
        for (Index k = 0; k < K; ++k) {
          e.setZero();
          for (const auto& [j, v] : entries) e[j * K + k] = v;
          lower.triangularView<Eigen::Lower>().solveInPlace(e);
          total += m(k, k) * e.squaredNorm();
        }
        return total * weight_of(batch, row);
      },
      batch.inputs[0].rows);
}

}  // namespace svrg
