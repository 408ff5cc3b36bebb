// Sweeps over rows: margins, losses, gradients. Rows go through in blocks that stay in cache
// between the dot products and the sum of the gradient.
#include "svrg/model/linear_model.hpp"

#include <array>
#include <string>

#include "model/losses.hpp"
#include "model/row_kernels.hpp"
#include "svrg/core/error.hpp"

namespace svrg {
namespace {

constexpr Index block_rows = 64;

using kernels::weight_of;

double label_of(const Batch& batch, Index row) {
  return batch.labels[static_cast<std::size_t>(row)];
}

Index row_of(const Batch& batch, Index i) {
  return batch.pick.empty() ? i : batch.pick[static_cast<std::size_t>(i)];
}

/// Calls f(rows of the first input, loss struct): one instantiation for each pair.
template <class F>
auto dispatch(const Batch& batch, Loss loss, double delta, F&& f) {
  return std::visit(
      [&](const auto& x) {
        return losses::with_loss(loss, delta, [&](auto l) { return f(x, l); });
      },
      batch.inputs[0].rows);
}

}  // namespace

std::string_view loss_name(Loss loss) {
  static constexpr std::array<std::string_view, 5> names = {"linear", "logistic", "softmax",
                                                            "svm-sq", "huber"};
  return names[static_cast<std::size_t>(loss)];
}

Loss loss_from_name(std::string_view name) {
  for (const Loss loss :
       {Loss::squared, Loss::logistic, Loss::softmax, Loss::squared_hinge, Loss::huber})
    if (loss_name(loss) == name) return loss;
  throw ConfigError("unknown model '" + std::string(name) +
                    "'; one of linear, logistic, softmax, "
                    "svm-sq, huber");
}

LinearModel::LinearModel(Loss loss, Index features, Index classes, bool intercept,
                         bool penalise_intercept, double huber_delta)
    : loss_(loss),
      delta_(huber_delta),
      features_(features),
      margins_(loss == Loss::softmax ? classes : 1),
      intercept_(intercept),
      penalised_(penalise_intercept) {
  SVRG_EXPECT(margins_ >= 1, "a softmax model needs at least one class");
  Parameter weight;
  weight.name = "linear_weight";
  weight.shape = {margins_, features};
  weight.column_major = true;
  layout_.add(weight);
  if (!intercept) return;
  Parameter bias;
  bias.name = "linear_bias";
  bias.shape = {margins_};
  bias.wd_mult = penalised_ ? 1 : 0;
  layout_.add(bias);
}

double LinearModel::curvature_bound() const {
  return losses::with_loss(loss_, delta_, [](auto l) { return decltype(l)::bound; });
}

double LinearModel::sweep(ConstVecRef<double> w, const Batch& batch, const Part& part, double* z,
                          double* r, VecRef<double> g) const {
  const Index K = margins_, P = features_ * K;
  return dispatch(batch, loss_, delta_, [&](const auto& x, auto loss) {
    double total = 0;
    std::vector<double> scaled(static_cast<std::size_t>(K));
    for (Index from = part.first; from < part.first + part.count; from += block_rows) {
      const Index to = std::min(from + block_rows, part.first + part.count);
      for (Index i = from; i < to; ++i) {
        double* zi = z + i * K;
        for (Index k = 0; k < K; ++k) zi[k] = intercept_ ? w[P + k] : 0.0;
        kernels::add_margins(x, i, w.data(), K, zi);
      }
      for (Index i = from; i < to; ++i)
        total += weight_of(batch, i) * loss.residual(z + i * K, label_of(batch, i), K, r + i * K);
      for (Index i = from; i < to; ++i) {
        const double weight = weight_of(batch, i);
        for (Index k = 0; k < K; ++k) scaled[static_cast<std::size_t>(k)] = weight * r[i * K + k];
        kernels::add_row(x, i, scaled.data(), K, g.data());
        if (intercept_)
          for (Index k = 0; k < K; ++k) g[P + k] += scaled[static_cast<std::size_t>(k)];
      }
    }
    return total;
  });
}

double LinearModel::add_gradient(ConstVecRef<double> w, const Batch& batch, const Part& part,
                                 const Pass&, VecRef<double> g) {
  const Index K = margins_, P = features_ * K;
  return dispatch(batch, loss_, delta_, [&](const auto& x, auto loss) {
    double total = 0;
    std::vector<double> z(static_cast<std::size_t>(K)), r(static_cast<std::size_t>(K));
    for (Index at = part.first; at < part.first + part.count; ++at) {
      const Index i = row_of(batch, at);
      for (Index k = 0; k < K; ++k) z[static_cast<std::size_t>(k)] = intercept_ ? w[P + k] : 0.0;
      kernels::add_margins(x, i, w.data(), K, z.data());
      const double weight = weight_of(batch, i);
      total += weight * loss.residual(z.data(), label_of(batch, i), K, r.data());
      for (double& v : r) v *= weight;
      kernels::add_row(x, i, r.data(), K, g.data());
      if (intercept_)
        for (Index k = 0; k < K; ++k) g[P + k] += r[static_cast<std::size_t>(k)];
    }
    return total;
  });
}

double LinearModel::add_difference(ConstVecRef<double> w, ConstVecRef<double> w_snap, double c,
                                   const Batch& batch, const Part& part, const Pass&,
                                   VecRef<double> g) {
  const Index K = margins_, P = features_ * K;
  return dispatch(batch, loss_, delta_, [&](const auto& x, auto loss) {
    double total = 0;
    const auto size = static_cast<std::size_t>(K);
    std::vector<double> z(size), z_snap(size), r(size), r_snap(size);
    for (Index at = part.first; at < part.first + part.count; ++at) {
      const Index i = row_of(batch, at);
      for (std::size_t k = 0; k < size; ++k) {
        z[k] = intercept_ ? w[P + static_cast<Index>(k)] : 0.0;
        z_snap[k] = intercept_ ? w_snap[P + static_cast<Index>(k)] : 0.0;
      }
      kernels::add_margins(x, i, w.data(), K, z.data());
      kernels::add_margins(x, i, w_snap.data(), K, z_snap.data());
      const double weight = weight_of(batch, i), y = label_of(batch, i);
      total += weight * loss.residual(z.data(), y, K, r.data());
      loss.residual_only(z_snap.data(), y, K, r_snap.data());
      for (std::size_t k = 0; k < size; ++k) r[k] = weight * (r[k] - c * r_snap[k]);
      kernels::add_row(x, i, r.data(), K, g.data());
      if (intercept_)
        for (Index k = 0; k < K; ++k) g[P + k] += r[static_cast<std::size_t>(k)];
    }
    return total;
  });
}

void LinearModel::predict(ConstVecRef<double> w, const Batch& batch, const Part& part,
                          std::span<double> scores) {
  const Index K = margins_, P = features_ * K;
  std::visit(
      [&](const auto& x) {
        for (Index at = 0; at < part.count; ++at) {
          double* z = scores.data() + at * K;
          for (Index k = 0; k < K; ++k) z[k] = intercept_ ? w[P + k] : 0.0;
          kernels::add_margins(x, row_of(batch, part.first + at), w.data(), K, z);
        }
      },
      batch.inputs[0].rows);
}

void LinearModel::margins(ConstVecRef<double> w, const Batch& batch, const Part& part,
                          double* z) const {
  const Index K = margins_, P = features_ * K;
  std::visit(
      [&](const auto& x) {
        for (Index i = part.first; i < part.first + part.count; ++i) {
          for (Index k = 0; k < K; ++k) z[i * K + k] = intercept_ ? w[P + k] : 0.0;
          kernels::add_margins(x, i, w.data(), K, z + i * K);
        }
      },
      batch.inputs[0].rows);
}

void LinearModel::residuals(const Batch& batch, const Part& part, const double* z,
                            double* r) const {
  losses::with_loss(loss_, delta_, [&](auto loss) {
    for (Index i = part.first; i < part.first + part.count; ++i)
      loss.residual_only(z + i * margins_, label_of(batch, i), margins_, r + i * margins_);
  });
}

void LinearModel::direction_margins(ConstVecRef<double> p, const Batch& batch, const Part& part,
                                    float* q) const {
  const Index K = margins_, P = features_ * K;
  std::visit(
      [&](const auto& x) {
        std::vector<double> z(static_cast<std::size_t>(K));
        for (Index i = part.first; i < part.first + part.count; ++i) {
          for (Index k = 0; k < K; ++k)
            z[static_cast<std::size_t>(k)] = intercept_ ? p[P + k] : 0.0;
          kernels::add_margins(x, i, p.data(), K, z.data());
          for (Index k = 0; k < K; ++k)
            q[i * K + k] = static_cast<float>(z[static_cast<std::size_t>(k)]);
        }
      },
      batch.inputs[0].rows);
}

LinearModel::Smoothness LinearModel::smoothness(const Batch& batch, const Part& part) const {
  Smoothness s;
  const double c = curvature_bound();
  std::visit(
      [&](const auto& x) {
        for (Index i = part.first; i < part.first + part.count; ++i) {
          const double norm = kernels::squared_norm(x, i) + (intercept_ ? 1 : 0);
          const double row = c * norm * weight_of(batch, i);
          s.largest = std::max(s.largest, row);
          s.sum += row;
        }
      },
      batch.inputs[0].rows);
  return s;
}

}  // namespace svrg
