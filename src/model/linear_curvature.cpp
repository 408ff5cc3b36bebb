// Second-order quantities of a linear model: sums along directions, Hessian products, diagonals.
#include <algorithm>
#include <cmath>
#include <vector>

#include "model/losses.hpp"
#include "model/row_kernels.hpp"
#include "svrg/core/error.hpp"
#include "svrg/model/linear_model.hpp"

namespace svrg {
namespace {

using kernels::weight_of;

/// σ, or null, of the rows from `first` on.
const double* weights_from(const Batch& batch, Index first) {
  return batch.weights.empty() ? nullptr : batch.weights.data() + first;
}

/// A block's values and what is summed of them.
struct LineBlock {
  explicit LineBlock(Index K) : s(static_cast<std::size_t>(kernels::block_rows * K)), r(s), h(s) {}
  std::vector<double> s, r, h;
  double gradient[kernels::most_directions] = {};
  double hessian[kernels::most_directions * kernels::most_directions] = {};
};

/// φ'' = diag(p) − p pᵀ: what add_products leaves is Σ_k p_k q_k q_kᵀ; less m mᵀ, m = Σ_k p_k q_k.
void subtract_means(const double* p, const double* sigma, std::span<const float* const> q,
                    Index from, Index n, Index K, double* hessian) {
  float mean[kernels::most_directions][kernels::block_rows];
  double weight[kernels::block_rows], none[kernels::block_rows] = {};
  const float* means[kernels::most_directions];
  for (std::size_t a = 0; a < q.size(); ++a) {
    means[a] = mean[a];
    for (Index i = 0; i < n; ++i) {
      double m = 0;
      for (Index k = 0; k < K; ++k)
        m += p[i * K + k] * static_cast<double>(q[a][(from + i) * K + k]);
      mean[a][i] = static_cast<float>(m);
    }
  }
  for (Index i = 0; i < n; ++i) weight[i] = sigma != nullptr ? -sigma[i] : -1.0;
  double ignored[kernels::most_directions] = {};
  kernels::losses().add_products(none, weight, means, q.size(), n, ignored, hessian);
}

}  // namespace

void LinearModel::add_line_sums(const Batch& batch, const Part& part, const double* z,
                                std::span<const float* const> q, std::span<const double> alpha,
                                LineSums& sums) const {
  SVRG_EXPECT(!q.empty() && q.size() <= kernels::most_directions,
              "line sums take 1 to 6 directions");
  const Index K = margins_, end = part.first + part.count;
  const std::size_t k = q.size();
  const auto& losses = kernels::losses();
  LineBlock block(K);
  std::vector<const float*> here(k);
  for (Index from = part.first; from < end; from += kernels::block_rows) {
    const Index n = std::min(kernels::block_rows, end - from);
    const double *y = batch.labels.data() + from, *sigma = weights_from(batch, from);
    for (std::size_t a = 0; a < k; ++a) here[a] = q[a] + from * K;
    double *s = block.s.data(), *r = block.r.data(), *h = block.h.data();
    losses.combine(z + from * K, here.data(), alpha.data(), k, n * K, s);
    if (loss_ == Loss::softmax) {
      sums.value += losses.probabilities(s, sigma, n, K, h);
      std::copy_n(h, n * K, r);
      for (Index i = 0; i < n; ++i) {
        const Index at = i * K + static_cast<Index>(y[i]);
        sums.value -= (sigma != nullptr ? sigma[i] : 1.0) * s[at];
        r[at] -= 1;
      }
      subtract_means(h, sigma, q, from, n, K, block.hessian);
    } else {
      sums.value += losses.residuals({loss_, delta_}, s, y, sigma, n, r);
      losses.curvatures({loss_, delta_}, s, y, r, n, h);
    }
    if (sigma != nullptr)
      for (Index i = 0; i < n; ++i)
        for (Index e = i * K; e < (i + 1) * K; ++e) {
          r[e] *= sigma[i];
          h[e] *= sigma[i];
        }
    losses.add_products(r, h, here.data(), k, n * K, block.gradient, block.hessian);
  }
  for (std::size_t a = 0; a < k; ++a) {
    sums.gradient[static_cast<Index>(a)] += block.gradient[a];
    for (std::size_t b = 0; b < k; ++b)  // from the lower triangle: symmetric to the bit
      sums.hessian(static_cast<Index>(a), static_cast<Index>(b)) +=
          block.hessian[std::max(a, b) * k + std::min(a, b)];
  }
}

void LinearModel::curvatures_of(const Batch& batch, Index first, Index count, const double* z,
                                double* h) const {
  const double* y = batch.labels.data() + first;
  kernels::losses().derivatives({loss_, delta_}, z + first, y, count, h);
  kernels::losses().curvatures({loss_, delta_}, z + first, y, h, count, h);
  if (const double* sigma = weights_from(batch, first))
    for (Index i = 0; i < count; ++i) h[i] *= sigma[i];
}

void LinearModel::add_hessian_product(ConstVecRef<double> p, const Batch& batch, const Part& part,
                                      const double* z, VecRef<double> g) const {
  const Index K = margins_, end = part.first + part.count;
  std::vector<double> q(static_cast<std::size_t>(kernels::block_rows * K)), h(q);
  std::visit(
      [&](const auto& x) {
        for (Index from = part.first; from < end; from += kernels::block_rows) {
          const Index n = std::min(kernels::block_rows, end - from);
          kernels::set_margins(x, from, n, p.data(), K, intercept_, q.data());
          if (loss_ == Loss::softmax) {
            kernels::losses().probabilities(z + from * K, nullptr, n, K, h.data());
            for (Index i = 0; i < n; ++i) {
              double *hi = h.data() + i * K, *qi = q.data() + i * K, mean = 0;
              for (Index k = 0; k < K; ++k) mean += hi[k] * qi[k];
              const double weight = weight_of(batch, from + i);
              for (Index k = 0; k < K; ++k) hi[k] *= weight * (qi[k] - mean);
            }
          } else {
            curvatures_of(batch, from, n, z, h.data());
            for (Index i = 0; i < n; ++i)
              h[static_cast<std::size_t>(i)] *= q[static_cast<std::size_t>(i)];
          }
          kernels::add_rows(x, from, n, h.data(), K, intercept_, g.data());
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
          if (x.ahead != nullptr) x.ahead->at(i);
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
      sum += weight_of(batch, i) *
             l.conjugate(theta.data(), batch.labels[static_cast<std::size_t>(i)], margins_);
    }
    return sum;
  });
}

void LinearModel::add_diagonal_curvature(const Batch& batch, const Part& part, const double* z,
                                         std::span<double> h) const {
  const Index K = margins_, end = part.first + part.count;
  std::vector<double> block(static_cast<std::size_t>(kernels::block_rows * K));
  for (Index from = part.first; from < end; from += kernels::block_rows) {
    const Index n = std::min(kernels::block_rows, end - from);
    if (loss_ != Loss::softmax) {
      curvatures_of(batch, from, n, z, block.data());
      for (Index i = 0; i < n; ++i) h[0] += block[static_cast<std::size_t>(i)];
      continue;
    }
    kernels::losses().probabilities(z + from * K, nullptr, n, K, block.data());
    for (Index i = 0; i < n; ++i) {
      const double weight = weight_of(batch, from + i);
      for (std::size_t k = 0; k < h.size(); ++k) {
        const double p = block[static_cast<std::size_t>(i * K) + k];
        h[k] += weight * p * (1 - p);
      }
    }
  }
}

}  // namespace svrg
