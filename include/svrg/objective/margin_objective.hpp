#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "svrg/core/cholesky.hpp"
#include "svrg/core/clock.hpp"
#include "svrg/core/parallel.hpp"
#include "svrg/model/linear_model.hpp"
#include "svrg/objective/objective.hpp"

namespace svrg {

/// The margins of one direction on this rank's rows, [rows · K].
using DirectionMargins = std::vector<float>;

/// F(w) = (1/W) Σ σ_i φ(y_i, x_i·w) + R(w) for a linear model, with the margins z = Xw of this
/// rank's rows at hand. What solvers on margins need, as a few collective verbs.
class MarginObjective {
 public:
  /// comm, model and shard must outlive this. `threads` share this rank's rows, as more ranks
  /// would. Collective.
  MarginObjective(const Communicator& comm, const LinearModel& model, const Shard& shard,
                  Penalty<double> penalty, Reduction reduction, RequestProbe probe = {},
                  Index threads = 1);

  Index size() const noexcept { return model_.layout().size(); }
  const Penalty<double>& penalty() const noexcept { return penalty_; }
  const LinearModel& model() const noexcept { return model_; }
  const Shard& shard() const noexcept { return shard_; }
  const Communicator& comm() const noexcept { return comm_; }
  Index rows() const noexcept { return shard_.info().rows; }

  /// What a sweep over the rows says, equal on all ranks.
  struct Measurement {
    double objective = 0, loss = 0;
    bool finite = true;
    Requests requests;
  };
  /// One sweep: z and r at w, g ← ∇F(w). Collective: one reduction of P values and a tail.
  /// @throws CollectiveError (internal) where w is not the same on all ranks: something is broken
  Measurement gradient(ConstVecRef<double> w, VecRef<double> g);
  /// Mean of φ'' at the last gradient(), the least over classes: the curvature in the intercept. 0
  /// for a model without one.
  double intercept_curvature() const noexcept { return intercept_curvature_; }
  /// Margins at w without gradient; the same bits as gradient() leaves. Local.
  void margins(ConstVecRef<double> w);
  /// z, [rows · K]: the scores of this rank's rows at the weights of the last gradient(). Local.
  std::span<const double> current_margins() const noexcept { return z_; }
  /// Remembers z; `restore` brings it and r back; `step_margins` gives z − (remembered z). Local.
  void remember();
  /// Brings back what remember() kept. Local.
  void restore();
  DirectionMargins step_margins() const;
  /// Whether chains read a copy of the rows in float: an error there is one of the path, not of the
  /// point it leads to. Rows in float are their own copy, and there is none of rows beyond float's
  /// range. Local.
  void use_rounded_rows(bool rounded);
  /// X p for this rank's rows, for line_sums(). Local.
  DirectionMargins direction_margins(ConstVecRef<double> p) const;

  /// Data term along w + Σ α_a p_a, as means. Collective: one reduction of k² + k + 1 values.
  LineSums line_sums(std::span<const DirectionMargins* const> q, std::span<const double> alpha);

  using ChainRun = std::function<void(const ChainRows&, Index chain, VecRef<double> u)>;
  /// Mean over chains, by their rows, of what `run` leaves in u: one chain on all rows of a thread,
  /// or one on each virtual shard. `run` is called on all threads at once. Collective: one
  /// reduction of P values.
  Vec<double> displacement(bool chain_per_shard, const ChainRun& run);
  /// How many chains that makes over all ranks.
  Index chains(bool chain_per_shard) const;
  /// A number above that of any chain: not all of the ranks' threads have one. Local.
  Index chain_numbers(bool chain_per_shard) const {
    return chain_per_shard ? chains(true) : workers();
  }
  /// Threads of all ranks. Local.
  Index workers() const noexcept { return lanes_.count * comm_.size(); }

  /// Mean of φ''(z_i) x_i x_iᵀ over about `samples` rows, the lower triangle, penalty included:
  /// a stretch of every virtual shard, starting at a place given by `draw`. Collective: P(P + 1)/2
  /// values.
  Eigen::MatrixXd curvature(Index samples, std::uint64_t draw);
  /// The same for the coordinates `active` (ascending) alone; a coordinate in which the sampled
  /// rows have no curvature gets its largest possible one. Collective: |active|² values.
  Eigen::MatrixXd curvature(std::span<const Index> active, Index samples, std::uint64_t draw);
  /// F(w) less the dual objective at s·r, the residuals scaled into the dual's domain where L1
  /// (with λ₂ or without) needs it. NaN without L1. An intercept that is not penalised is taken as
  /// minimised up to its own Newton decrement. Collective: one value.
  double scaled_duality_gap(ConstVecRef<double> w, ConstVecRef<double> gradient, double objective);
  /// Largest row smoothness in a metric over about `samples` rows. Collective.
  double largest_row_curvature(const Cholesky& metric, Index samples, std::uint64_t draw);
  /// The mean over classes of the Hessian's diagonal blocks, lower triangle, without penalty, from
  /// about `samples` rows: over features and, last, the intercept. Collective: its size squared.
  Eigen::MatrixXd feature_curvature(Index samples, std::uint64_t draw);
  /// Largest possible diagonal of the Hessian, c Σ σ_i x_ij²/W, without penalty. [P]. Collective
  /// the first time: P values.
  const Vec<double>& curvature_bounds();
  /// y ← ∇²F(z) p. Collective: P values.
  void hessian_product(ConstVecRef<double> p, VecRef<double> y);

  /// How curved a row's term can be.
  struct Smoothness {
    double largest = 0, mean = 0;  // of a row: L_max and L̄, without penalty
  };
  /// Collective the first time: a property of the data, swept for once.
  const Smoothness& smoothness();
  /// Seconds of this rank's work by phase, without communication.
  const PhaseTimes& times() const noexcept { return times_; }

 private:
  class Timed;
  const Batch& inner_batch() const noexcept;
  Part sample(const Part& part, Index samples, std::uint64_t draw) const;
  /// f(lane), every lane on a thread of its own.
  void in_lanes(const std::function<void(Index)>& f) const;
  /// f(part) for each part of this rank's rows, in lanes.
  void each_part(const std::function<void(const Part&)>& f) const;
  /// The largest f(part) of this rank, at least 0.
  double largest_of(const std::function<double(const Part&)>& f) const;

  Communicator comm_;
  const LinearModel& model_;
  const Shard& shard_;
  Penalty<double> penalty_;
  Reduction reduction_;
  Lanes lanes_;  // of the parts
  std::unique_ptr<Reducer<double>> reducer_;
  RequestProbe probe_;
  double mean_weight_, total_weight_, intercept_curvature_ = 0;
  std::vector<double> z_, r_, remembered_;
  struct RoundedRows {
    std::vector<float> values;
    Input input;
    Batch batch;
  };
  std::unique_ptr<RoundedRows> rounded_;
  bool not_to_be_rounded_ = false;  // values beyond float's range
  std::optional<Smoothness> smoothness_;
  std::optional<Vec<double>> curvature_bounds_;
  PhaseTimes times_;
};

/// L = c·λ_max(XᵀX/n): smoothness of the mean loss, by power iterations on the rows of all ranks.
/// Collective. A bound to a few per cent.
double mean_smoothness(const Communicator& comm, const LinearModel& model, const Shard& shard,
                       Reduction reduction, int iterations = 12);

}  // namespace svrg
