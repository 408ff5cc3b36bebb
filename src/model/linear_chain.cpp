// Chains of variance-reduced row steps, in displacement form: D = u − w̃ with the margins at w̃
// known, so an error made inside is relative to D and the fixed point stays exact.
//   s = z_i + x_i·D,  δ = ω_i(φ'(s) − r_i),  D ← (1 − ηλ)D − η(∇F(w̃) + δ x_i)
// Sparse rows keep D = a·v − b·∇F with two scalars, so that a step costs its non-zeros only
// (algorithm: Johnson & Zhang 2013; the two-vector form follows from the recurrence above). A group
// of G rows makes one step of length Gη on the mean of their gradients.
#include <algorithm>
#include <vector>

#include "model/chain_rows.hpp"
#include "model/row_kernels.hpp"
#include "svrg/core/error.hpp"
#include "svrg/model/linear_model.hpp"

namespace svrg {
namespace {

using kernels::most_group;

kernels::ChainPlan plan_of(kernels::LossKind loss, const ChainRows& rows, const ChainStep& step,
                           std::span<const Index> order) {
  const auto& weights = rows.batch->weights;
  kernels::ChainPlan plan{};
  plan.loss = loss;
  plan.labels = rows.batch->labels.data();
  plan.margins = rows.margins;
  plan.residuals = rows.residuals;
  plan.weights = weights.empty() ? nullptr : weights.data();
  plan.mean_weight = rows.mean_weight;
  plan.first = rows.first;
  plan.count = rows.count;
  plan.block = step.block;
  plan.group = step.group;
  plan.order = order;
  plan.ahead = read_ahead(rows.batch->inputs[0].rows);
  plan.eta = step.eta;
  plan.rho = 1 - step.eta * step.l2;
  return plan;
}

/// s ← η ω_i(φ'(s) − r_i) of n rows from i on, softmax.
void steps_of_classes(const ChainRows& rows, Index i, Index n, Index K, double eta, double* s) {
  kernels::losses().probabilities(s, nullptr, n, K, s);
  for (Index a = 0; a < n; ++a) {
    double* sa = s + a * K;
    sa[static_cast<Index>(rows.batch->labels[static_cast<std::size_t>(i + a)])] -= 1;
    const double scale = eta * chain::chain_weight(rows, i + a);
    for (Index k = 0; k < K; ++k) sa[k] = scale * (sa[k] - rows.residuals[(i + a) * K + k]);
  }
}

/// The steps of K intercepts, whatever kind the rows are.
struct Intercepts {
  const double* gradient;  // null: none
  Index K;
  double eta, rho;
  std::vector<double> u = std::vector<double>(static_cast<std::size_t>(K));

  void step(const double* s, Index n) {
    if (gradient == nullptr) return;
    const double shrink = 1 - static_cast<double>(n) * (1 - rho);
    for (Index k = 0; k < K; ++k) {
      double& uk = u[static_cast<std::size_t>(k)];
      uk = shrink * uk - static_cast<double>(n) * eta * gradient[k];
      for (Index a = 0; a < n; ++a) uk -= s[a * K + k];
    }
  }
};

template <class T>
void run_classes(const DenseRows<T>& x, const ChainRows& rows, const ChainStep& step, Index K,
                 Intercepts& bias, const double* gradient, double* u) {
  const Index P = x.columns * K;
  std::fill_n(u, P, 0.0);
  std::vector<double> s(static_cast<std::size_t>(most_group * K));
  chain::visit_groups(rows, step, step.group, [&](Index i, Index n) {
    for (Index a = 0; a < n; ++a)
      for (Index k = 0; k < K; ++k)
        s[static_cast<std::size_t>(a * K + k)] =
            rows.margins[(i + a) * K + k] + bias.u[static_cast<std::size_t>(k)];
    kernels::rows<DenseRows<T>>().add_class_margins(x, i, n, u, K, s.data());
    steps_of_classes(rows, i, n, K, step.eta, s.data());
    const double count = static_cast<double>(n), c = count * step.eta;
    const double rho = 1 - count * step.eta * step.l2;
    for (Index j = 0; j < P; ++j) u[j] = rho * u[j] - c * gradient[j];
    bias.step(s.data(), n);
    for (double& v : s) v = -v;
    kernels::rows<DenseRows<T>>().add_class_rows(x, i, n, s.data(), K, u, K);
  });
}

template <class T>
void run_classes(const CsrRows<T>& x, const ChainRows& rows, const ChainStep& step, Index K,
                 Intercepts& bias, const double* gradient, double* u) {
  // v and ∇F side by side, feature by feature: one walk over a row serves both dot products.
  const Index P = x.columns * K;
  std::vector<double> pairs(static_cast<std::size_t>(2 * P));
  for (Index j = 0; j < x.columns; ++j)
    std::copy_n(gradient + j * K, K, pairs.data() + (2 * j + 1) * K);
  const auto K_ = static_cast<std::size_t>(K);
  std::vector<double> s(static_cast<std::size_t>(most_group) * K_), both(2 * s.size());
  double a = 1, b = 0;
  const auto settle = [&] {  // makes a = 1 again before v's numbers get too large
    for (double* p = pairs.data(); p < pairs.data() + 2 * P; p += 2 * K)
      for (Index k = 0; k < K; ++k) p[k] *= a;
    a = 1;
  };
  chain::visit_groups(rows, step, step.group, [&](Index i, Index n) {
    std::fill(both.begin(), both.end(), 0.0);
    kernels::rows<CsrRows<T>>().add_class_margins(x, i, n, pairs.data(), 2 * K, both.data());
    for (std::size_t r = 0; r < static_cast<std::size_t>(n); ++r)
      for (std::size_t k = 0; k < K_; ++k)
        s[r * K_ + k] = rows.margins[static_cast<std::size_t>(i) * K_ + r * K_ + k] + bias.u[k] +
                        a * both[2 * r * K_ + k] - b * both[(2 * r + 1) * K_ + k];
    steps_of_classes(rows, i, n, K, step.eta, s.data());
    const auto count = static_cast<double>(n);
    const double rho = 1 - count * step.eta * step.l2;
    a *= rho;
    b = rho * b + count * step.eta;
    bias.step(s.data(), n);
    for (double& v : s) v /= -a;
    kernels::rows<CsrRows<T>>().add_class_rows(x, i, n, s.data(), K, pairs.data(), 2 * K);
    if (a < 1e-8) settle();
  });
  for (Index j = 0; j < x.columns; ++j)
    for (Index k = 0; k < K; ++k) {
      const double* pair = pairs.data() + 2 * j * K + k;
      u[j * K + k] = a * pair[0] - b * pair[K];
    }
}

}  // namespace

void LinearModel::run_chain(const ChainRows& rows, const ChainStep& step,
                            ConstVecRef<double> gradient, VecRef<double> u) const {
  SVRG_EXPECT(step.group >= 1 && step.group <= most_group, "a group has 1 to 4 rows");
  const Index K = margins_, P = features_ * K;
  const double bias_rho = penalised_ ? 1 - step.eta * step.l2 : 1;
  std::visit(
      [&](const auto& x) {
        using R = std::decay_t<decltype(x)>;
        if (K > 1) {
          Intercepts bias{intercept_ ? gradient.data() + P : nullptr, K, step.eta, bias_rho};
          run_classes(x, rows, step, K, bias, gradient.data(), u.data());
          if (intercept_) std::copy(bias.u.begin(), bias.u.end(), u.data() + P);
          return;
        }
        const std::vector<Index> order = chain::block_order(rows, step);
        const ReadAhead::Visit visit(x.ahead, rows.first, step.block, order);
        kernels::ChainPlan plan = plan_of({loss_, delta_}, rows, step, order);
        plan.intercept = intercept_;
        plan.bias_rho = bias_rho;
        plan.bias_drift = intercept_ ? gradient[P] : 0;
        std::vector<double> work(static_cast<std::size_t>(2 * P), 0.0);
        double bias = 0;
        kernels::chains<R>().run(x, plan, gradient.data(), work.data(), &bias);
        std::copy_n(work.data(), P, u.data());
        if (intercept_) u[P] = bias;
      },
      rows.batch->inputs[0].rows);
}

void LinearModel::add_displaced(const ChainRows& rows, Index first, Index count,
                                ConstVecRef<double> u, VecRef<double> g) const {
  const Index K = margins_;
  std::vector<double> s(static_cast<std::size_t>(kernels::block_rows * K)), r(s);
  const double* labels = rows.batch->labels.data();
  std::visit(
      [&](const auto& x) {
        for (Index from = first; from < first + count; from += kernels::block_rows) {
          const Index n = std::min(kernels::block_rows, first + count - from);
          kernels::set_margins(x, from, n, u.data(), K, intercept_, s.data());
          for (Index e = 0; e < n * K; ++e)
            s[static_cast<std::size_t>(e)] += rows.margins[from * K + e];
          if (loss_ == Loss::softmax) {
            steps_of_classes(rows, from, n, K, 1, s.data());
          } else {
            kernels::losses().derivatives({loss_, delta_}, s.data(), labels + from, n, r.data());
            for (Index a = 0; a < n; ++a)
              s[static_cast<std::size_t>(a)] =
                  chain::chain_weight(rows, from + a) *
                  (r[static_cast<std::size_t>(a)] - rows.residuals[from + a]);
          }
          kernels::add_rows(x, from, n, s.data(), K, intercept_, g.data());
        }
      },
      rows.batch->inputs[0].rows);
}

}  // namespace svrg
