// Hessians of a linear model, whole or of some coordinates, and how smooth rows are in their
// metric.
#include <algorithm>
#include <utility>
#include <vector>

#include "model/losses.hpp"
#include "model/row_kernels.hpp"
#include "svrg/model/linear_model.hpp"

namespace svrg {
namespace {

using kernels::weight_of;

double label_of(const Batch& batch, Index row) {
  return batch.labels[static_cast<std::size_t>(row)];
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

/// Adds Σ h_i x_i x_iᵀ to the lower triangle of m, a last column of ones where `intercept`; h has
/// the rows from `first` on.
template <class T>
void add_weighted_gram(const DenseRows<T>& x, Index first, const std::vector<double>& h,
                       bool intercept, Eigen::MatrixXd& m) {
  std::vector<double> work;
  kernels::add_gram(x, first, static_cast<Index>(h.size()), h.data(), intercept, m.data(), m.rows(),
                    work);
}
template <class T>
void add_weighted_gram(const CsrRows<T>& x, Index first, const std::vector<double>& h,
                       bool intercept, Eigen::MatrixXd& m) {
  const Index last = m.rows() - 1;
  for (std::size_t i = 0; i < h.size(); ++i) {
    const Index row = first + static_cast<Index>(i);
    const Index end = x.starts[row + 1];
    for (Index f = x.starts[row]; f < end; ++f) {
      double* __restrict column = m.data() + x.indices[f] * m.rows();
      const double scale = h[i] * static_cast<double>(x.values[f]);
      for (Index e = f; e < end; ++e)
        column[x.indices[e]] += scale * static_cast<double>(x.values[e]);
      if (intercept) column[last] += scale;
    }
    if (intercept) m(last, last) += h[i];
  }
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

template <class T>
void LinearModel::add_dense_curvature(const DenseRows<T>& x, const Batch& batch, Index first,
                                      Index count, const double* z, Eigen::MatrixXd& h) const {
  const Index K = margins_, m = features_ + (intercept_ ? 1 : 0);
  std::vector<double> work, weights(static_cast<std::size_t>(count));
  if (K == 1) {
    curvatures_of(batch, first, count, z, weights.data());
    return add_weighted_gram(x, first, weights, intercept_, h);
  }
  // A Gram matrix for each pair of classes: half the products of the one over all parameters.
  std::vector<double> p(static_cast<std::size_t>(count * K));
  kernels::losses().probabilities(z + first * K, nullptr, count, K, p.data());
  Eigen::MatrixXd gram(m, m);
  for (Index a = 0; a < K; ++a)
    for (Index b = 0; b <= a; ++b) {
      for (Index i = 0; i < count; ++i) {
        const double pa = p[static_cast<std::size_t>(i * K + a)];
        const double pb = p[static_cast<std::size_t>(i * K + b)];
        weights[static_cast<std::size_t>(i)] =
            weight_of(batch, first + i) * (a == b ? pa * (1 - pa) : -pa * pb);
      }
      gram.setZero();
      kernels::add_gram(x, first, count, weights.data(), intercept_, gram.data(), m, work);
      for (Index i = 0; i < m; ++i) {
        h(i * K + a, i * K + b) += gram(i, i);
        for (Index j = i + 1; j < m; ++j) {
          h(j * K + a, i * K + b) += gram(j, i);
          if (a != b) h(j * K + b, i * K + a) += gram(j, i);
        }
      }
    }
}

template <class T>
void LinearModel::add_sparse_curvature(const CsrRows<T>& x, const Batch& batch, Index first,
                                       Index count, const double* z, Eigen::MatrixXd& h) const {
  const Index K = margins_;
  if (K == 1) {
    std::vector<double> weights(static_cast<std::size_t>(count));
    curvatures_of(batch, first, count, z, weights.data());
    return add_weighted_gram(x, first, weights, intercept_, h);
  }
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
          kernels::add_scaled(column + entries[e].first * K, entries[e].second * entries[f].second,
                              m.data() + b * K, K);
      }
  }
}

void LinearModel::add_curvature(const Batch& batch, Index first, Index count, const double* z,
                                Eigen::MatrixXd& h) const {
  std::visit(
      [&](const auto& x) {
        using R = std::decay_t<decltype(x)>;
        if (x.ahead != nullptr) x.ahead->at(first);
        if constexpr (std::is_same_v<R, DenseRows<typename R::Value>>)
          add_dense_curvature(x, batch, first, count, z, h);
        else
          add_sparse_curvature(x, batch, first, count, z, h);
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
  const Index K = margins_;
  std::vector<double> weights(static_cast<std::size_t>(count));
  if (loss_ != Loss::softmax) {
    curvatures_of(batch, first, count, z, weights.data());
  } else {
    std::vector<double> p(static_cast<std::size_t>(count * K));
    kernels::losses().probabilities(z + first * K, nullptr, count, K, p.data());
    for (Index i = 0; i < count; ++i) {
      double sum = 0;
      for (const double of_class :
           std::span(p).subspan(static_cast<std::size_t>(i * K), static_cast<std::size_t>(K)))
        sum += of_class * (1 - of_class);
      weights[static_cast<std::size_t>(i)] =
          sum / static_cast<double>(K) * weight_of(batch, first + i);
    }
  }
  std::visit([&](const auto& x) { add_weighted_gram(x, first, weights, intercept_, h); },
             batch.inputs[0].rows);
}

double LinearModel::largest_row_curvature(const Batch& batch, const Part& part, const double* z,
                                          const Cholesky& metric) const {
  // Columns x_i e_k of some rows at a time: one solve for all reads the factor once.
  constexpr Index most_columns = 64;
  const Index K = margins_, end = part.first + part.count;
  const Index rows_at_once = std::max<Index>(1, most_columns / K);
  double largest = 0;
  std::visit(
      [&](const auto& x) {
        std::vector<std::pair<Index, double>> entries;
        Eigen::MatrixXd m(K, K), e(metric.size(), rows_at_once * K);
        for (Index from = part.first; from < end; from += rows_at_once) {
          const Index n = std::min(rows_at_once, end - from);
          e.leftCols(n * K).setZero();
          for (Index i = 0; i < n; ++i) {
            collect(x, from + i, intercept_, entries);
            for (const auto& [j, v] : entries)
              for (Index k = 0; k < K; ++k) e(j * K + k, i * K + k) = v;
          }
          metric.solve_lower(e.leftCols(n * K));
          for (Index i = 0; i < n; ++i) {
            const Index row = from + i;
            curvature_matrix(loss_, delta_, z + row * K, label_of(batch, row), K, m);
            double total = 0;
            for (Index k = 0; k < K; ++k) total += m(k, k) * e.col(i * K + k).squaredNorm();
            largest = std::max(largest, total * weight_of(batch, row));
          }
        }
      },
      batch.inputs[0].rows);
  return largest;
}

}  // namespace svrg
