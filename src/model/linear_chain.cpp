// Chains of variance-reduced row steps, in displacement form: D = u − w̃ with the margins at w̃
// known, so an error made inside is relative to D and the fixed point stays exact.
//   s = z_i + x_i·D,  δ = ω_i(φ'(s) − r_i),  D ← (1 − ηλ)D − η(∇F(w̃) + δ x_i)
// Sparse rows keep D = a·v − b·∇F with two scalars, so that a step costs its non-zeros only
// (algorithm: Johnson & Zhang 2013; the two-vector form follows from the recurrence above).
#include <algorithm>
#include <vector>

#include "model/chain_rows.hpp"
#include "model/losses.hpp"
#include "model/row_kernels.hpp"
#include "svrg/model/linear_model.hpp"

namespace svrg {
namespace {

using chain::change_of_residual;
using chain::visit_rows;

template <class L, class T>
void run(const L& loss, const DenseRows<T>& x, const ChainRows& rows, const ChainStep& step,
         Index K, bool intercept, bool penalised, const double* gradient, double* u) {
  const Index P = x.columns * K, all = P + (intercept ? K : 0);
  std::fill(u, u + all, 0.0);
  const double rho = 1 - step.eta * step.l2, eta = step.eta, bias_rho = penalised ? rho : 1;
  std::vector<double> drift(gradient, gradient + all), s(static_cast<std::size_t>(K)), work(s);
  for (double& g : drift) g *= eta;
  visit_rows(rows, step, [&](Index i) {
    for (Index k = 0; k < K; ++k)
      s[static_cast<std::size_t>(k)] = rows.margins[i * K + k] + (intercept ? u[P + k] : 0.0);
    kernels::add_margins(x, i, u, K, s.data());
    change_of_residual(loss, rows, i, K, s.data(), work.data());
    for (double& d : s) d *= eta;
    const T* row = x.data + i * x.stride;
    if (K == 1) {
      const double d = s[0];
      for (Index j = 0; j < P; ++j)
        u[j] = rho * u[j] - (drift[static_cast<std::size_t>(j)] + d * static_cast<double>(row[j]));
    } else {
      for (Index j = 0; j < x.columns; ++j) {
        const auto v = static_cast<double>(row[j]);
        for (Index k = 0; k < K; ++k) {
          const Index at = j * K + k;
          u[at] = rho * u[at] -
                  (drift[static_cast<std::size_t>(at)] + v * s[static_cast<std::size_t>(k)]);
        }
      }
    }
    if (intercept)
      for (Index k = 0; k < K; ++k)
        u[P + k] = bias_rho * u[P + k] -
                   (drift[static_cast<std::size_t>(P + k)] + s[static_cast<std::size_t>(k)]);
  });
}

template <class L, class T>
void run(const L& loss, const CsrRows<T>& x, const ChainRows& rows, const ChainStep& step, Index K,
         bool intercept, bool penalised, const double* gradient, double* u) {
  const Index P = x.columns * K;
  // v and ∇F side by side, feature by feature: one cache line serves both dot products.
  std::vector<double> pairs(static_cast<std::size_t>(2 * P));
  const auto v_of = [&](Index j) { return pairs.data() + 2 * j * K; };
  for (Index j = 0; j < x.columns; ++j) std::copy_n(gradient + j * K, K, v_of(j) + K);
  std::vector<double> s(static_cast<std::size_t>(K)), along(s), work(s), bias(s);
  const double rho = 1 - step.eta * step.l2, eta = step.eta, bias_rho = penalised ? rho : 1;
  double a = 1, b = 0;
  const auto settle = [&] {  // makes a = 1 again before v's numbers get too large
    for (double* p = pairs.data(); p < pairs.data() + 2 * P; p += 2 * K)
      for (Index k = 0; k < K; ++k) p[k] *= a;
    a = 1;
  };
  visit_rows(rows, step, [&](Index i) {
    const Index from = x.starts[i], to = x.starts[i + 1];
    if (K == 1) {
      double v0 = 0, v1 = 0, g0 = 0, g1 = 0;
      Index e = from;
      for (; e + 2 <= to; e += 2) {
        const double* p = pairs.data() + 2 * static_cast<Index>(x.indices[e]);
        const double* q = pairs.data() + 2 * static_cast<Index>(x.indices[e + 1]);
        const auto xe = static_cast<double>(x.values[e]), xf = static_cast<double>(x.values[e + 1]);
        v0 += xe * p[0];
        g0 += xe * p[1];
        v1 += xf * q[0];
        g1 += xf * q[1];
      }
      if (e < to) {
        const double* p = pairs.data() + 2 * static_cast<Index>(x.indices[e]);
        v0 += static_cast<double>(x.values[e]) * p[0];
        g0 += static_cast<double>(x.values[e]) * p[1];
      }
      s[0] = rows.margins[i] + bias[0] + a * (v0 + v1) - b * (g0 + g1);
    } else {
      std::fill(s.begin(), s.end(), 0.0);
      std::fill(along.begin(), along.end(), 0.0);
      for (Index e = from; e < to; ++e) {
        const double* p = v_of(static_cast<Index>(x.indices[e]));
        const auto xe = static_cast<double>(x.values[e]);
        kernels::add_scaled(s.data(), xe, p, K);
        kernels::add_scaled(along.data(), xe, p + K, K);
      }
      for (std::size_t k = 0; k < s.size(); ++k)
        s[k] = rows.margins[i * K + static_cast<Index>(k)] + bias[k] + a * s[k] - b * along[k];
    }
    change_of_residual(loss, rows, i, K, s.data(), work.data());
    a *= rho;
    b = rho * b + eta;
    for (std::size_t k = 0; k < s.size(); ++k) {
      if (intercept)
        bias[k] = bias_rho * bias[k] - eta * (gradient[P + static_cast<Index>(k)] + s[k]);
      s[k] *= -eta / a;
    }
    for (Index e = from; e < to; ++e) {
      double* p = v_of(static_cast<Index>(x.indices[e]));
      const auto xe = static_cast<double>(x.values[e]);
      kernels::add_scaled(p, xe, s.data(), K);
    }
    if (a < 1e-8) settle();
  });
  for (Index j = 0; j < x.columns; ++j)
    for (Index k = 0; k < K; ++k) u[j * K + k] = a * v_of(j)[k] - b * v_of(j)[K + k];
  if (intercept) std::copy(bias.begin(), bias.end(), u + P);
}

}  // namespace

void LinearModel::run_chain(const ChainRows& rows, const ChainStep& step,
                            ConstVecRef<double> gradient, VecRef<double> u) const {
  std::visit(
      [&](const auto& x) {
        losses::with_loss(loss_, delta_, [&](auto loss) {
          run(loss, x, rows, step, margins_, intercept_, penalised_, gradient.data(), u.data());
        });
      },
      rows.batch->inputs[0].rows);
}

void LinearModel::add_displaced(const ChainRows& rows, Index first, Index count,
                                ConstVecRef<double> u, VecRef<double> g) const {
  const Index K = margins_, P = features_ * K;
  std::visit(
      [&](const auto& x) {
        losses::with_loss(loss_, delta_, [&](auto loss) {
          std::vector<double> s(static_cast<std::size_t>(K)), work(s);
          for (Index i = first; i < first + count; ++i) {
            for (Index k = 0; k < K; ++k)
              s[static_cast<std::size_t>(k)] =
                  rows.margins[i * K + k] + (intercept_ ? u[P + k] : 0.0);
            kernels::add_margins(x, i, u.data(), K, s.data());
            change_of_residual(loss, rows, i, K, s.data(), work.data());
            kernels::add_row(x, i, s.data(), K, g.data());
            if (intercept_)
              for (Index k = 0; k < K; ++k) g[P + k] += s[static_cast<std::size_t>(k)];
          }
        });
      },
      rows.batch->inputs[0].rows);
}

}  // namespace svrg
