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

using kernels::block_rows;
using kernels::weight_of;

Index row_of(const Batch& batch, Index i) {
  return batch.pick.empty() ? i : batch.pick[static_cast<std::size_t>(i)];
}

/// Up to block_rows rows of a part with their labels and weights: rows of the views that follow
/// each other, or picked ones.
class RowBlock {
 public:
  RowBlock(const Batch& batch, Index first, Index count)
      : batch_(batch), first_(first), count_(count) {
    if (batch.pick.empty()) return;
    for (Index a = 0; a < count; ++a) {
      const auto i = static_cast<std::size_t>(row(a));
      labels_[static_cast<std::size_t>(a)] = batch.labels[i];
      if (!batch.weights.empty()) weights_[static_cast<std::size_t>(a)] = batch.weights[i];
    }
  }
  Index size() const { return count_; }
  Index row(Index a) const { return row_of(batch_, first_ + a); }
  const double* labels() const {
    return batch_.pick.empty() ? batch_.labels.data() + first_ : labels_.data();
  }
  /// Null: all 1.
  const double* weights() const {
    if (batch_.weights.empty()) return nullptr;
    return batch_.pick.empty() ? batch_.weights.data() + first_ : weights_.data();
  }
  /// f(first row, rows, number of the first one in the block) for stretches of rows.
  template <class F>
  void stretches(F&& f) const {
    if (batch_.pick.empty()) return f(first_, count_, Index{0});
    for (Index a = 0; a < count_; ++a) f(row(a), Index{1}, a);
  }

 private:
  const Batch& batch_;
  Index first_, count_;
  std::array<double, block_rows> labels_{}, weights_{};
};

template <class F>
void for_blocks(const Batch& batch, const Part& part, F&& f) {
  const Index end = part.first + part.count;
  for (Index from = part.first; from < end; from += block_rows)
    f(RowBlock(batch, from, std::min(block_rows, end - from)));
}

/// r ← φ'(z) of a block, z and r [rows, K]; returns Σ σ_i φ.
double residuals_of(kernels::LossKind loss, const RowBlock& block, Index K, const double* z,
                    double* r) {
  if (loss.loss != Loss::softmax)
    return kernels::losses().residuals(loss, z, block.labels(), block.weights(), block.size(), r);
  double total = kernels::losses().probabilities(z, block.weights(), block.size(), K, r);
  for (Index a = 0; a < block.size(); ++a) {
    const Index at = a * K + static_cast<Index>(block.labels()[a]);
    total -= (block.weights() != nullptr ? block.weights()[a] : 1.0) * z[at];
    r[at] -= 1;
  }
  return total;
}

/// r ← σ_i r.
void weigh(const RowBlock& block, Index K, double* r) {
  if (block.weights() == nullptr) return;
  for (Index a = 0; a < block.size(); ++a)
    for (Index k = 0; k < K; ++k) r[a * K + k] *= block.weights()[a];
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
  const Index K = margins_;
  double total = 0;
  std::vector<double> weighted(static_cast<std::size_t>(block_rows * K));
  std::visit(
      [&](const auto& x) {
        Batch all = batch;
        all.pick = {};
        for_blocks(all, part, [&](const RowBlock& block) {
          const Index i = block.row(0), n = block.size();
          kernels::set_margins(x, i, n, w.data(), K, intercept_, z + i * K);
          total += residuals_of({loss_, delta_}, block, K, z + i * K, r + i * K);
          std::copy_n(r + i * K, n * K, weighted.data());
          weigh(block, K, weighted.data());
          kernels::add_rows(x, i, n, weighted.data(), K, intercept_, g.data());
        });
      },
      batch.inputs[0].rows);
  return total;
}

double LinearModel::add_gradient(ConstVecRef<double> w, const Batch& batch, const Part& part,
                                 const Pass&, VecRef<double> g) {
  const Index K = margins_;
  double total = 0;
  std::vector<double> z(static_cast<std::size_t>(block_rows * K)), r(z);
  std::visit(
      [&](const auto& x) {
        for_blocks(batch, part, [&](const RowBlock& block) {
          block.stretches([&](Index i, Index n, Index a) {
            kernels::set_margins(x, i, n, w.data(), K, intercept_, z.data() + a * K);
          });
          total += residuals_of({loss_, delta_}, block, K, z.data(), r.data());
          weigh(block, K, r.data());
          block.stretches([&](Index i, Index n, Index a) {
            kernels::add_rows(x, i, n, r.data() + a * K, K, intercept_, g.data());
          });
        });
      },
      batch.inputs[0].rows);
  return total;
}

double LinearModel::add_difference(ConstVecRef<double> w, ConstVecRef<double> w_snap, double c,
                                   const Batch& batch, const Part& part, const Pass&,
                                   VecRef<double> g) {
  const Index K = margins_;
  double total = 0;
  std::vector<double> z(static_cast<std::size_t>(block_rows * K)), r(z), z_snap(z), r_snap(z);
  std::visit(
      [&](const auto& x) {
        for_blocks(batch, part, [&](const RowBlock& block) {
          block.stretches([&](Index i, Index n, Index a) {
            kernels::set_margins(x, i, n, w.data(), K, intercept_, z.data() + a * K);
            kernels::set_margins(x, i, n, w_snap.data(), K, intercept_, z_snap.data() + a * K);
          });
          total += residuals_of({loss_, delta_}, block, K, z.data(), r.data());
          residuals_of({loss_, delta_}, block, K, z_snap.data(), r_snap.data());
          for (Index at = 0; at < block.size() * K; ++at) {
            const auto e = static_cast<std::size_t>(at);
            r[e] -= c * r_snap[e];
          }
          weigh(block, K, r.data());
          block.stretches([&](Index i, Index n, Index a) {
            kernels::add_rows(x, i, n, r.data() + a * K, K, intercept_, g.data());
          });
        });
      },
      batch.inputs[0].rows);
  return total;
}

void LinearModel::predict(ConstVecRef<double> w, const Batch& batch, const Part& part,
                          std::span<double> scores) {
  std::visit(
      [&](const auto& x) {
        const auto at = [&](Index i) { return scores.data() + i * margins_; };
        if (batch.pick.empty())
          return kernels::set_margins(x, part.first, part.count, w.data(), margins_, intercept_,
                                      at(0));
        for (Index i = 0; i < part.count; ++i)
          kernels::set_margins(x, row_of(batch, part.first + i), 1, w.data(), margins_, intercept_,
                               at(i));
      },
      batch.inputs[0].rows);
}

void LinearModel::margins(ConstVecRef<double> w, const Batch& batch, const Part& part,
                          double* z) const {
  std::visit(
      [&](const auto& x) {
        for (Index i = part.first; i < part.first + part.count; i += block_rows) {
          const Index n = std::min(block_rows, part.first + part.count - i);
          kernels::set_margins(x, i, n, w.data(), margins_, intercept_, z + i * margins_);
        }
      },
      batch.inputs[0].rows);
}

void LinearModel::residuals(const Batch& batch, const Part& part, const double* z,
                            double* r) const {
  Batch all = batch;
  all.pick = {};
  for_blocks(all, part, [&](const RowBlock& block) {
    const Index at = block.row(0) * margins_;
    residuals_of({loss_, delta_}, block, margins_, z + at, r + at);
  });
}

void LinearModel::direction_margins(ConstVecRef<double> p, const Batch& batch, const Part& part,
                                    float* q) const {
  const Index K = margins_;
  std::vector<double> z(static_cast<std::size_t>(block_rows * K));
  std::visit(
      [&](const auto& x) {
        for (Index i = part.first; i < part.first + part.count; i += block_rows) {
          const Index n = std::min(block_rows, part.first + part.count - i);
          kernels::set_margins(x, i, n, p.data(), K, intercept_, z.data());
          for (Index e = 0; e < n * K; ++e)
            q[i * K + e] = static_cast<float>(z[static_cast<std::size_t>(e)]);
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
          if (x.ahead != nullptr) x.ahead->at(i);
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
