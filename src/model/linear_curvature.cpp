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

double label_of(const Batch& batch, Index row) {
  return batch.labels[static_cast<std::size_t>(row)];
}

/// Sums of a part along W directions; those that are not there are zero. W is fixed so that the
/// short loops are unrolled.
template <std::size_t W>
struct Sums {
  double value = 0, gradient[W] = {}, hessian[W * W] = {};

  /// hessian += scale · row rowᵀ
  void add_square(double scale, const double* row) {
    for (std::size_t a = 0; a < W; ++a) {
      const double t = scale * row[a];
      for (std::size_t b = 0; b < W; ++b) hessian[a * W + b] += t * row[b];
    }
  }
  void add_to(LineSums& sums, std::size_t n) const {
    sums.value += value;
    for (std::size_t a = 0; a < n; ++a) {
      sums.gradient[static_cast<Index>(a)] += gradient[a];
      for (std::size_t b = 0; b < n; ++b)  // from the lower triangle: symmetric to the bit
        sums.hessian(static_cast<Index>(a), static_cast<Index>(b)) +=
            hessian[std::max(a, b) * W + std::min(a, b)];
    }
  }
};

/// One margin a row: φ'' q qᵀ.
template <class L, std::size_t W>
void line_sums(const L& loss, const Batch& batch, const Part& part, Index, const double* z,
               std::span<const float* const> q, std::span<const double> alpha, LineSums& out) {
  Sums<W> sums;
  double qi[W] = {};
  for (Index i = part.first; i < part.first + part.count; ++i) {
    double s = z[i], r = 0, h = 0;
    for (std::size_t a = 0; a < q.size(); ++a) {
      qi[a] = static_cast<double>(q[a][i]);
      s += alpha[a] * qi[a];
    }
    const double weight = weight_of(batch, i);
    const double y = label_of(batch, i);
    sums.value += weight * loss.residual(&s, y, 1, &r);
    loss.curvature(&s, y, 1, &h);
    r *= weight;
    for (std::size_t a = 0; a < W; ++a) sums.gradient[a] += r * qi[a];
    sums.add_square(weight * h, qi);
  }
  sums.add_to(out, q.size());
}

/// K margins a row with φ'' = diag(p) − p pᵀ: Σ_k p_k q_k q_kᵀ − m mᵀ, m = Σ_k p_k q_k, q_k the
/// directions' margins of class k.
template <std::size_t W>
void line_sums_softmax(const Batch& batch, const Part& part, Index K, const double* z,
                       std::span<const float* const> q, std::span<const double> alpha,
                       LineSums& out) {
  Sums<W> sums;
  std::vector<double> s(static_cast<std::size_t>(K)), p(s), qk(W * static_cast<std::size_t>(K));
  for (Index i = part.first; i < part.first + part.count; ++i) {
    std::copy_n(z + i * K, K, s.data());
    for (std::size_t a = 0; a < q.size(); ++a)
      for (Index k = 0; k < K; ++k) {
        const auto margin = static_cast<double>(q[a][i * K + k]);
        qk[static_cast<std::size_t>(k) * W + a] = margin;
        s[static_cast<std::size_t>(k)] += alpha[a] * margin;
      }
    const double weight = weight_of(batch, i);
    const auto label = static_cast<Index>(batch.labels[static_cast<std::size_t>(i)]);
    sums.value += weight * (losses::Softmax::probabilities(s.data(), K, p.data()) -
                            s[static_cast<std::size_t>(label)]);
    double mean[W] = {};
    for (Index k = 0; k < K; ++k) {
      const double* row = qk.data() + static_cast<std::size_t>(k) * W;
      const double share = p[static_cast<std::size_t>(k)];
      for (std::size_t a = 0; a < W; ++a) mean[a] += share * row[a];
      sums.add_square(weight * share, row);
    }
    const double* labelled = qk.data() + static_cast<std::size_t>(label) * W;
    for (std::size_t a = 0; a < W; ++a) sums.gradient[a] += weight * (mean[a] - labelled[a]);
    sums.add_square(-weight, mean);
  }
  sums.add_to(out, q.size());
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

/// φ''(z) as a K x K matrix.
void curvature_matrix(Loss loss, double delta, const double* z, double y, Index K,
                      Eigen::MatrixXd& m) {
  losses::with_loss(loss, delta, [&](auto l) {
    if constexpr (std::is_same_v<decltype(l), losses::Softmax>) {
      Vec<double> p(K);
      losses::Softmax::curvature(z, y, K, p.data());
      m.noalias() = -p * p.transpose();
      m.diagonal() += p;
    } else {
      l.curvature(z, y, 1, m.data());
    }
  });
}

}  // namespace

void LinearModel::add_line_sums(const Batch& batch, const Part& part, const double* z,
                                std::span<const float* const> q, std::span<const double> alpha,
                                LineSums& sums) const {
  SVRG_EXPECT(q.size() <= 6, "line sums take at most 6 directions");
  const auto with_width = [&](auto width) {
    constexpr std::size_t W = decltype(width)::value;
    losses::with_loss(loss_, delta_, [&](auto loss) {
      if constexpr (std::is_same_v<decltype(loss), losses::Softmax>)
        line_sums_softmax<W>(batch, part, margins_, z, q, alpha, sums);
      else
        line_sums<decltype(loss), W>(loss, batch, part, margins_, z, q, alpha, sums);
    });
  };
  if (q.size() <= 2)
    with_width(std::integral_constant<std::size_t, 2>());
  else
    with_width(std::integral_constant<std::size_t, 6>());
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
          losses::with_loss(loss_, delta_, [&](auto l) {
            l.curvature(z + i * K, label_of(batch, i), K, h.data());
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
          curvature_matrix(loss_, delta_, z + i * K, label_of(batch, i), K, m);
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

void LinearModel::add_curvature(const Batch& batch, Index first, Index count, const double* z,
                                std::span<const std::int32_t> slot, Eigen::MatrixXd& h) const {
  struct Entry {
    Index slot, k;
    double value;
  };
  const Index K = margins_;
  std::visit(
      [&](const auto& x) {
        std::vector<Entry> entries;
        Eigen::MatrixXd m(K, K);
        const auto take = [&](Index j, double v) {
          for (Index k = 0; k < K; ++k)
            if (const auto s = slot[static_cast<std::size_t>(j * K + k)]; s >= 0)
              entries.push_back({s, k, v});
        };
        for (Index i = first; i < first + count; ++i) {
          entries.clear();
          kernels::for_each(x, i, [&](Index j, double v) {
            if (v != 0) take(j, v);
          });
          if (intercept_) take(x.columns, 1);
          if (entries.empty()) continue;
          curvature_matrix(loss_, delta_, z + i * K, label_of(batch, i), K, m);
          m *= weight_of(batch, i);
          for (std::size_t f = 0; f < entries.size(); ++f) {
            double* column = h.data() + entries[f].slot * h.rows();
            const double* of_class = m.data() + entries[f].k * K;
            for (std::size_t e = f; e < entries.size(); ++e)
              column[entries[e].slot] +=
                  entries[f].value * entries[e].value * of_class[entries[e].k];
          }
        }
      },
      batch.inputs[0].rows);
}

void LinearModel::add_feature_curvature(const Batch& batch, Index first, Index count,
                                        const double* z, Eigen::MatrixXd& h) const {
  std::visit(
      [&](const auto& x) {
        std::vector<std::pair<Index, double>> entries;
        std::vector<double> of_row(static_cast<std::size_t>(margins_));
        for (Index i = first; i < first + count; ++i) {
          const Part row{0, i, 1};
          std::fill(of_row.begin(), of_row.end(), 0.0);
          add_diagonal_curvature(batch, row, z, of_row);
          double weight = 0;
          for (const double of_class : of_row) weight += of_class;
          weight /= static_cast<double>(margins_);
          collect(x, i, intercept_, entries);
          for (std::size_t f = 0; f < entries.size(); ++f) {
            double* column = h.data() + entries[f].first * h.rows();
            const double scale = weight * entries[f].second;
            for (std::size_t e = f; e < entries.size(); ++e)
              column[entries[e].first] += scale * entries[e].second;
          }
        }
      },
      batch.inputs[0].rows);
}

void LinearModel::add_curvature_bounds(const Batch& batch, const Part& part,
                                       VecRef<double> h) const {
  const Index K = margins_;
  const double c = curvature_bound();
  std::visit(
      [&](const auto& x) {
        for (Index i = part.first; i < part.first + part.count; ++i) {
          const double weight = c * weight_of(batch, i);
          kernels::for_each(x, i, [&](Index j, double v) { h[j * K] += weight * v * v; });
          if (intercept_) h[features_ * K] += weight;
        }
      },
      batch.inputs[0].rows);
  for (Index j = 0; j < h.size(); j += K)
    for (Index k = 1; k < K; ++k) h[j + k] = h[j];
}

double LinearModel::conjugate_sum(const Batch& batch, const Part& part, const double* r,
                                  double s) const {
  std::vector<double> theta(static_cast<std::size_t>(margins_));
  return losses::with_loss(loss_, delta_, [&](auto l) {
    double sum = 0;
    for (Index i = part.first; i < part.first + part.count; ++i) {
      for (Index k = 0; k < margins_; ++k)
        theta[static_cast<std::size_t>(k)] = s * r[i * margins_ + k];
      sum += weight_of(batch, i) * l.conjugate(theta.data(), label_of(batch, i), margins_);
    }
    return sum;
  });
}

void LinearModel::add_diagonal_curvature(const Batch& batch, const Part& part, const double* z,
                                         std::span<double> h) const {
  std::vector<double> row(static_cast<std::size_t>(margins_));
  losses::with_loss(loss_, delta_, [&](auto l) {
    for (Index i = part.first; i < part.first + part.count; ++i) {
      l.curvature(z + i * margins_, label_of(batch, i), margins_, row.data());
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
        curvature_matrix(loss_, delta_, z + row * K, label_of(batch, row), K, m);
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
