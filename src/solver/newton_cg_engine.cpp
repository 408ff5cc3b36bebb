#include <cmath>
#include <utility>

#include "svrg/solver/engine.hpp"

namespace svrg {
namespace {

/// P⁻¹r for CG. Of classes over features that are few enough, P has the mean Hessian of one class
/// for each of them: what features have in common is taken out, classes are left to CG. Else P = I.
class Preconditioner {
 public:
  Preconditioner(MarginObjective& f, std::uint64_t draw)
      : K_(f.model().margins_per_row()), m_(f.size() / K_) {
    if (K_ == 1 || m_ > SubsampledNewtonEngine::most_parameters) return;
    const Index samples = std::min(f.rows(), std::max(20 * m_, f.rows() / 20));
    Eigen::MatrixXd h = f.feature_curvature(samples, draw);
    passes_ = 0.5 * static_cast<double>(samples) / static_cast<double>(f.rows());
    const double ridge = 1e-6 * h.trace() / static_cast<double>(m_);
    for (Index j = 0; j < m_; ++j) h(j, j) += f.penalty().curvature()[j * K_] + ridge;
    std::uint8_t factored = factor_.compute(std::move(h)) ? 1 : 0;
    f.comm().broadcast(std::span<std::uint8_t>(&factored, 1));  // of rank 0, for all
    usable_ = factored != 0;
  }
  double passes() const { return passes_; }
  /// Collective: machines of a job may round differently in it.
  Vec<double> solve(const Communicator& comm, const Vec<double>& r) const {
    if (!usable_) return r;
    // Weights lie feature by feature: [K, features + 1], column-major.
    Eigen::MatrixXd by_class = Eigen::Map<const Eigen::MatrixXd>(r.data(), K_, m_).transpose();
    factor_.solve(by_class);
    Vec<double> s(r.size());
    Eigen::Map<Eigen::MatrixXd>(s.data(), K_, m_) = by_class.transpose();
    comm.broadcast(std::span(s.data(), static_cast<std::size_t>(s.size())));
    return s;
  }

 private:
  Index K_, m_;
  Cholesky factor_;
  bool usable_ = false;
  double passes_ = 0;
};

}  // namespace

Vec<double> NewtonCgEngine::displacement(MarginObjective& f, const OuterPoint& at) {
  f.use_rounded_rows(false);
  const double budget = 2 * std::fmax(at.passes, 10);
  const Preconditioner preconditioner(f, static_cast<std::uint64_t>(at.outer) + 1);
  const double norm = at.gradient.stableNorm();
  const double enough = std::fmin(0.1, std::sqrt(at.relative_gradient)) * norm;
  Vec<double> d = Vec<double>::Zero(f.size()), r = -at.gradient, p, y(f.size());
  double rho = 0;
  passes_ = preconditioner.passes();
  while (r.stableNorm() > enough) {
    if (passes_ >= budget) {
      gave_up_ = true;
      break;
    }
    const Vec<double> s = preconditioner.solve(f.comm(), r);
    const double before = rho;
    rho = r.dot(s);
    p = before > 0 ? Vec<double>(s + rho / before * p) : s;
    f.hessian_product(p, y);
    ++passes_;
    const double curvature = p.dot(y);
    if (!(curvature > 0)) break;  // flat, as far as doubles tell
    const double alpha = rho / curvature;
    d += alpha * p;
    r -= alpha * y;
  }
  return d;
}

void NewtonCgEngine::save(State& state) const {
  state.values["solver/gave_up"] = std::int64_t{gave_up_};
}

void NewtonCgEngine::load(MarginObjective&, const State& state) {
  gave_up_ = state.integer("solver/gave_up") != 0;
}

}  // namespace svrg
