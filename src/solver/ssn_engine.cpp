#include <algorithm>
#include <utility>

#include "svrg/core/error.hpp"
#include "svrg/solver/engine.hpp"

namespace svrg {
namespace {

constexpr Index steps_per_epoch = 8;
constexpr Index probe_rows = 256;

}  // namespace

SubsampledNewtonEngine::SubsampledNewtonEngine(const MarginObjective& f, EngineOptions options,
                                               bool newton)
    : options_(options), quadratic_(f.model().loss() == Loss::squared) {
  const Plan plan_here =
      plan(f.model().loss(), f.size(), f.rows(), f.chains(options.chain_per_shard), newton);
  newton_ = plan_here.newton;
  samples_ = plan_here.samples;
  batch_ = plan_here.batch;
}

SubsampledNewtonEngine::Plan SubsampledNewtonEngine::plan(Loss loss, Index P, Index n, Index chains,
                                                          bool newton) {
  Plan plan;
  // A quadratic small enough for a full Gram matrix is solved by it outright.
  plan.newton = newton || (loss == Loss::squared && P <= 512);
  plan.samples = plan.newton ? n : std::min(n, std::max(100 * P, n / 20));
  plan.batch =
      std::max<Index>(1, std::min(std::max<Index>(64, 20 * P), n / chains / steps_per_epoch));
  return plan;
}

Index SubsampledNewtonEngine::Plan::epoch_rows() const { return steps_per_epoch * batch; }

bool SubsampledNewtonEngine::due(const OuterPoint& at) const {
  if (built_at_ < 0 || stale_) return true;
  if (newton_) return !quadratic_;
  const Index since = at.outer - built_at_;
  return at.contraction > 1.0 / 3 || since == 1 || since == 2 || since == 4 || since >= 8;
}

void SubsampledNewtonEngine::build(MarginObjective& f, Index outer) {
  const Eigen::MatrixXd h = f.curvature(samples_, static_cast<std::uint64_t>(outer) + 1);
  // Of each column a sum of squares; Eigen's allFinite() would look at what is above the diagonal.
  if (!h.diagonal().allFinite()) fail_overflow();
  // Directions without curvature (a softmax's shift of all intercepts) get a trace of ridge.
  const double trace = h.trace() / static_cast<double>(h.rows());
  double ridge = 1e-12;
  const auto factored = [&] {
    Eigen::MatrixXd a = h;
    a.diagonal().array() += ridge * std::max(trace, 1e-300);
    return factor_.compute(std::move(a));
  };
  while (!factored() && ridge < 1) ridge *= 100;
  built_at_ = outer;
  stale_ = false;
  if (newton_) {
    step_ = 1;
    return;
  }
  // 1.5 stands for the largest eigenvalue of P⁻¹∇²F of a sampled P; the rest is a batch's noise.
  const Index probes = std::max<Index>(32, probe_rows / f.model().margins_per_row());
  const double row = f.largest_row_curvature(factor_, probes, static_cast<std::uint64_t>(outer));
  step_ = 0.7 / (1.5 + row / static_cast<double>(batch_));
}

Vec<double> SubsampledNewtonEngine::displacement(MarginObjective& f, const OuterPoint& at) {
  // Rounding would be as large as what the Hessian knows of directions with little curvature.
  f.use_rounded_rows(false);
  passes_ = 0;
  if (due(at)) {
    built_weights_ = at.weights;
    build(f, at.outer);
    passes_ += 0.5 * static_cast<double>(samples_) / static_cast<double>(f.rows());
  }
  if (newton_) {
    Vec<double> step = -at.gradient;
    factor_.solve(step);
    // Machines of a job may round differently in it.
    f.comm().broadcast(std::span(step.data(), static_cast<std::size_t>(step.size())));
    return step;
  }
  const auto chains = f.chains(options_.chain_per_shard);
  const auto numbers = static_cast<std::uint64_t>(f.chain_numbers(options_.chain_per_shard));
  passes_ += static_cast<double>(steps_per_epoch * batch_) * static_cast<double>(chains) /
             static_cast<double>(f.rows());
  const Vec<double>& lambda = f.penalty().curvature();
  return f.displacement(
      options_.chain_per_shard,
      [&](const ChainRows& rows, Index chain,
          VecRef<double> u) {  // NOLINT(performance-unnecessary-value-param)
        const Index batch = std::max<Index>(1, std::min(batch_, rows.count / steps_per_epoch));
        const Index steps = std::min(steps_per_epoch, rows.count / batch);
        // Rows were permuted at load: a contiguous stretch is a random batch.
        const CounterRandom random(options_.seed, static_cast<std::uint64_t>(at.outer) * numbers +
                                                      static_cast<std::uint64_t>(chain));
        const Index start = random.below(rows.count - steps * batch + 1, 0);
        Vec<double> y(u.size());
        u.setZero();
        for (Index t = 0; t < steps; ++t) {
          y.setZero();
          f.model().add_displaced(rows, rows.first + start + t * batch, batch, u, y);
          y = y / static_cast<double>(batch) + at.gradient + lambda.cwiseProduct(u);
          factor_.solve(y);
          u -= step_ * y;
        }
      });
}

double SubsampledNewtonEngine::exact_gap(ConstVecRef<double> gradient) const {
  if (!newton_ || !quadratic_ || built_at_ < 0) return Engine::exact_gap(gradient);
  Vec<double> half = gradient;
  factor_.solve_lower(half);
  return 0.5 * half.squaredNorm();
}

void SubsampledNewtonEngine::save(State& state) const {
  state.values["solver/built_at"] = built_at_;
  state.values["solver/stale"] = std::int64_t{stale_};
  state.values["solver/near"] = std::int64_t{near_};
  state.arrays["solver/built_weights"] = Array::vector<double>(built_weights_);
}

void SubsampledNewtonEngine::load(MarginObjective& f, const State& state) {
  const Index built_at = state.integer("solver/built_at");
  near_ = state.integer("solver/near") != 0;
  if (built_at < 0) return;
  built_weights_ = state.vector("solver/built_weights", f.size());
  f.margins(built_weights_);
  build(f, built_at);
  stale_ = state.integer("solver/stale") != 0;
}

}  // namespace svrg
