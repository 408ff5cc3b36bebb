// Chains of proximal variance-reduced row steps under an elastic net:
//   s = z_i + x_i·(v − w̃),  δ = ω_i(φ'(s) − r_i),
//   v ← soft(ρ v − η(δ x_i + g), ηt),  ρ = 1 − ηλ₂, g the gradient of the data term at w̃
// (Xiao & Zhang 2014, "A proximal stochastic gradient method with progressive variance reduction").
// A coordinate that no row touches for k steps makes them at once when it is touched next: while it
// keeps its sign they are v ↦ ρᵏv − c Sₖ, Sₖ = 1 + ρ + … + ρᵏ⁻¹.
#include <algorithm>
#include <cmath>
#include <vector>

#include "model/chain_rows.hpp"
#include "model/losses.hpp"
#include "model/row_kernels.hpp"
#include "svrg/core/soft_threshold.hpp"

namespace svrg {
namespace {

/// ρᵏ and Sₖ for every k a chain may need.
class Powers {
 public:
  Powers(double rho, Index most) : power_(static_cast<std::size_t>(most + 1)), sum_(power_.size()) {
    power_[0] = 1;
    for (std::size_t k = 1; k < power_.size(); ++k) {
      power_[k] = rho * power_[k - 1];
      sum_[k] = sum_[k - 1] + power_[k - 1];
    }
  }
  double after(double v, double c, Index k) const {
    const auto at = static_cast<std::size_t>(k);
    return power_[at] * v - c * sum_[at];
  }
  /// The first of k steps at whose end v > 0 is no longer positive; it is known that the last is
  /// one.
  Index first_crossing(double v, double c, Index k) const {
    Index low = 1, high = k;
    while (low < high) {
      const Index middle = (low + high) / 2;
      if (after(v, c, middle) > 0)
        low = middle + 1;
      else
        high = middle;
    }
    return low;
  }

 private:
  std::vector<double> power_, sum_;
};

struct Steps {
  double eta, rho;
  const Powers& powers;

  /// v after k steps in which no row touches it.
  double untouched(double v, double g, double t, Index k) const {
    while (k > 0) {
      if (v == 0 && std::fabs(g) <= t) return 0;
      // Mirrored so that v is or becomes positive.
      const bool mirrored = v < 0 || (v == 0 && g > 0);
      const double size = mirrored ? -v : v, slope = mirrored ? -g : g;
      const double c = eta * (slope + t), last = powers.after(size, c, k);
      if (last > 0) return mirrored ? -last : last;
      const Index crossing = powers.first_crossing(size, c, k);
      const double before = powers.after(size, c, crossing - 1);
      const double there = soft_threshold(rho * before - eta * slope, eta * t);
      v = mirrored ? -there : there;
      k -= crossing;
    }
    return v;
  }
};

template <class L, class R>
void run(const L& loss, const R& x, const ChainRows& rows, const ChainStep& step,
         const LinearModel& model, const double* start, const double* gradient,
         const double* threshold, double* u) {
  const Index K = model.margins_per_row(), P = x.columns * K;
  const bool intercept = model.intercept();
  const Index all = P + (intercept ? K : 0);
  const double eta = step.eta, rho = 1 - eta * step.l2;
  const Powers powers(rho, rows.count);
  const Steps steps{eta, rho, powers};
  std::vector<double> v(start, start + all), g(gradient, gradient + all);
  for (Index j = 0; j < P; ++j) g[static_cast<std::size_t>(j)] -= step.l2 * start[j];
  // An intercept that is penalised is a coordinate like others, touched by every row.
  const bool penalised = intercept && threshold[P] > 0;
  if (penalised)
    for (Index j = P; j < all; ++j) g[static_cast<std::size_t>(j)] -= step.l2 * start[j];
  std::vector<Index> done(static_cast<std::size_t>(x.columns), 0);  // steps made, by column
  std::vector<double> s(static_cast<std::size_t>(K)), work(s);
  Index now = 0;
  const auto catch_up = [&](Index j) {
    const Index k = now - done[static_cast<std::size_t>(j)];
    if (k == 0) return;
    for (Index at = j * K; at < (j + 1) * K; ++at) {
      const auto a = static_cast<std::size_t>(at);
      v[a] = steps.untouched(v[a], g[a], threshold[at], k);
    }
    done[static_cast<std::size_t>(j)] = now;
  };
  chain::visit_groups(rows, step, 1, [&](Index i, Index) {
    for (Index k = 0; k < K; ++k)
      s[static_cast<std::size_t>(k)] =
          rows.margins[i * K + k] +
          (intercept ? v[static_cast<std::size_t>(P + k)] - start[P + k] : 0.0);
    kernels::for_each(x, i, [&](Index j, double value) {
      catch_up(j);
      for (Index k = 0; k < K; ++k)
        s[static_cast<std::size_t>(k)] +=
            value * (v[static_cast<std::size_t>(j * K + k)] - start[j * K + k]);
    });
    chain::change_of_residual(loss, rows, i, K, s.data(), work.data());
    ++now;
    kernels::for_each(x, i, [&](Index j, double value) {
      for (Index k = 0; k < K; ++k) {
        const auto a = static_cast<std::size_t>(j * K + k);
        v[a] = soft_threshold(rho * v[a] - eta * (s[static_cast<std::size_t>(k)] * value + g[a]),
                              eta * threshold[j * K + k]);
      }
      done[static_cast<std::size_t>(j)] = now;
    });
    if (intercept)
      for (Index k = 0; k < K; ++k) {
        const auto a = static_cast<std::size_t>(P + k);
        const double moved =
            (penalised ? rho : 1) * v[a] - eta * (s[static_cast<std::size_t>(k)] + g[a]);
        v[a] = soft_threshold(moved, eta * threshold[P + k]);
      }
  });
  for (Index j = 0; j < x.columns; ++j) catch_up(j);
  for (Index j = 0; j < all; ++j) u[j] = v[static_cast<std::size_t>(j)] - start[j];
}

}  // namespace

void LinearModel::run_proximal_chain(const ChainRows& rows, const ChainStep& step,
                                     ConstVecRef<double> start, ConstVecRef<double> gradient,
                                     ConstVecRef<double> threshold, VecRef<double> u) const {
  std::visit(
      [&](const auto& x) {
        losses::with_loss(loss_, delta_, [&](auto loss) {
          run(loss, x, rows, step, *this, start.data(), gradient.data(), threshold.data(),
              u.data());
        });
      },
      rows.batch->inputs[0].rows);
}

}  // namespace svrg
