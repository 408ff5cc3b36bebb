#pragma once
#include <cstdint>
#include <limits>
#include <string>

#include "svrg/core/cholesky.hpp"
#include "svrg/core/state.hpp"
#include "svrg/objective/margin_objective.hpp"
#include "svrg/solver/solver.hpp"

namespace svrg {

/// Ends a run on features whose squares no double holds. @throws NumericError
[[noreturn]] void fail_overflow();
/// Of a margin objective, as of its last gradient(). Collective the first time.
FreeIntercepts free_intercepts(MarginObjective& f);

/// What an engine may look at: the point the outer iteration starts from.
struct OuterPoint {
  ConstVecRef<double> weights, gradient;  // w̃ and ∇F(w̃), penalty included
  Index outer = 0;                        // number of this outer iteration, from 0
  double contraction = 0;  // of the last two outers: sqrt(Δf_k / Δf_{k−2}); 0 where not known
  double relative_gradient = 1;  // ‖∇F(w̃)‖ over that at the weights training began with
  double passes = 0;             // so far
};

/// The inner epoch of guarded SVRG: a displacement from the snapshot, by local chains that do not
/// communicate until its end. Margins and residuals at the snapshot are the objective's.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual const char* name() const = 0;
  /// Collective.
  virtual Vec<double> displacement(MarginObjective& f, const OuterPoint& at) = 0;
  /// @throws NumericError where squares of features overflow, unless displacement() does.
  /// Collective.
  virtual void require_finite_squares(MarginObjective&) const {}
  /// Passes over the data that the last displacement cost.
  virtual double passes() const = 0;
  /// α_0, the coefficient that the search gave the displacement.
  virtual void adapt(double alpha) = 0;
  /// The next displacement is likely best taken whole: no search before the gradient there.
  virtual bool is_whole() const { return false; }
  /// The outer iteration did not decrease F.
  virtual void reject() = 0;
  virtual double step_size() const = 0;
  /// The last displacement cost more than it was worth: another engine should go on.
  virtual bool gave_up() const { return false; }
  /// F(w) − F* where the engine knows it exactly, given ∇F(w); NaN elsewhere.
  virtual double exact_gap(ConstVecRef<double>) const {
    return std::numeric_limits<double>::quiet_NaN();
  }
  /// What load() needs to go on bit for bit. Local.
  virtual void save(State& state) const = 0;
  /// Leaves the objective's margins at another point: measure again afterwards. Collective.
  virtual void load(MarginObjective& f, const State& state) = 0;
};

/// What both engines take.
struct EngineOptions {
  std::uint64_t seed = 1;
  bool chain_per_shard = false;
  bool rounded_rows = true;  // chains of row steps may read a copy of the rows in float
};

/// Variance-reduced steps on single rows with stored residuals, in the lazy two-vector form for
/// sparse rows (linear_chain.cpp). One pass an epoch.
class RowEngine : public Engine {
 public:
  RowEngine(MarginObjective& f, EngineOptions options);
  const char* name() const override { return "row"; }
  Vec<double> displacement(MarginObjective& f, const OuterPoint& at) override;
  void require_finite_squares(MarginObjective& f) const override;
  double passes() const override { return 1; }
  void adapt(double alpha) override;
  void reject() override {
    eta_ /= 4;
    group_ = 1;
  }
  double step_size() const override { return eta_; }
  void save(State& state) const override;
  void load(MarginObjective& f, const State& state) override;

 private:
  EngineOptions options_;
  double eta_, largest_eta_;
  Index group_ = 4;  // rows whose steps are taken at once
};

/// One Newton step an outer, by conjugate gradients on the Hessian of all rows, for classes over
/// few features preconditioned by the Hessian they have on average: a pass and a reduction of P
/// values an iteration. For P beyond what a factor is kept for, where chains of row steps contract
/// slowly. Gives up where a solve takes twice the passes of all that was done before it. Source:
/// Lin, Weng, Keerthi (2008), "Trust region Newton method for large-scale logistic regression".
class NewtonCgEngine : public Engine {
 public:
  const char* name() const override { return "newton-cg"; }
  Vec<double> displacement(MarginObjective& f, const OuterPoint& at) override;
  double passes() const override { return passes_; }
  void adapt(double) override {}
  void reject() override { gave_up_ = true; }
  double step_size() const override { return 1; }
  bool gave_up() const override { return gave_up_; }
  void save(State& state) const override;
  void load(MarginObjective& f, const State& state) override;

 private:
  double passes_ = 0;
  bool gave_up_ = false;
};

/// Minibatch steps preconditioned by a subsampled Hessian: its Cholesky factor on all ranks, a few
/// large batches an epoch. For P ≤ 2048 parameters.
/// Source: Roosta-Khorasani & Mahoney (2019), "Sub-sampled Newton methods"; Gonen, Orabona,
/// Shalev-Shwartz (2016), "Solving ridge regression using sketched preconditioned SVRG".
class SubsampledNewtonEngine : public Engine {
 public:
  static constexpr Index most_parameters = 2048;
  /// How it would go about P parameters and n rows.
  struct Plan {
    bool newton = false;       // all rows in the Hessian: its Newton step is the displacement
    Index samples = 0;         // rows of the Hessian
    Index batch = 0;           // rows of a step of a chain
    Index epoch_rows() const;  // of a chain
  };
  /// What the sizes of a problem make of it; `newton` asks for all rows.
  static Plan plan(Loss loss, Index parameters, Index rows, Index chains, bool newton);
  SubsampledNewtonEngine(const MarginObjective& f, EngineOptions options, bool newton);
  /// "direct" where one Newton step is the solution.
  const char* name() const override { return !newton_ ? "ssn" : quadratic_ ? "direct" : "newton"; }
  Vec<double> displacement(MarginObjective& f, const OuterPoint& at) override;
  double passes() const override { return passes_; }
  void adapt(double alpha) override { near_ = alpha > 0.9 && alpha < 1.1; }
  bool is_whole() const override { return newton_ && (quadratic_ || near_); }
  void reject() override {
    stale_ = true;
    near_ = false;
  }
  double step_size() const override { return step_; }
  /// ½ gᵀH⁻¹g for a quadratic with all rows in H: Newton's decrement.
  double exact_gap(ConstVecRef<double> gradient) const override;
  void save(State& state) const override;
  void load(MarginObjective& f, const State& state) override;

 private:
  bool due(const OuterPoint& at) const;
  void build(MarginObjective& f, Index outer);

  EngineOptions options_;
  bool newton_, quadratic_;
  Index samples_, batch_;
  Index built_at_ = -1;  // outer iteration of the factor; −1: none
  Vec<double> built_weights_;
  Cholesky factor_;  // of P
  double step_ = 0, passes_ = 0;
  bool stale_ = false;
  bool near_ = false;  // the last step was nearly a whole one
};

}  // namespace svrg
