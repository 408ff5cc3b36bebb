#pragma once
#include <memory>

#include "svrg/comm/packed_sum.hpp"
#include "svrg/comm/reducer.hpp"
#include "svrg/core/clock.hpp"
#include "svrg/core/gradient.hpp"
#include "svrg/core/requests.hpp"
#include "svrg/core/state.hpp"
#include "svrg/data/shard.hpp"
#include "svrg/model/model.hpp"
#include "svrg/objective/penalty.hpp"

namespace svrg {

/// Made from reduced numbers only: equal on all ranks.
struct Report {
  double loss = 0;  // mean over the rows evaluated, weighted
  Index rows = 0;   // how many those were, over all ranks
  bool finite = true;
  Requests requests;
};

/// w̃, μ = mean ∇f_i(w̃) (data term only) and the coefficient α of the correction.
template <class Real>
struct Snapshot {
  Vec<Real> weights, full_gradient;
  double coefficient = 1;
};

/// The narrow waist: below it data, models and ranks; above it pure algorithm.
template <class Real>
class Objective {
 public:
  virtual ~Objective() = default;
  virtual Index size() const = 0;
  virtual const Penalty<Real>& penalty() const = 0;
  /// What a step on this batch moves: weights it reads, and outside of which the gradients of its
  /// rows are 0. To be called before accumulate() and reduce(), which then keep to it: g is left as
  /// it was elsewhere. Where it is not called, and in full gradients, it is everything. Collective
  /// where the layout has row_sparse segments: one gather of row numbers.
  virtual const Support& support(const Batch& batch) = 0;
  /// Local: adds the sums of ∇f_i(w), or of ∇f_i(w) − α∇f_i(w̃) where `at` is given.
  virtual void accumulate(ConstVecRef<Real> w, const Snapshot<Real>* at, const Batch& batch,
                          const Pass& pass) = 0;
  /// Collective: g ← mean of what was accumulated, + αμ where `at` is given. Data term only.
  virtual Report reduce(const Snapshot<Real>* at, VecRef<Real> g) = 0;
  /// Every row of the data set that is this rank's.
  virtual const Batch& all_rows() const = 0;
  /// Rows of the data set, over all ranks.
  virtual Index rows() const = 0;
  /// Drops what is left of earlier steps: the weights have jumped. Local.
  virtual void forget() {}
  /// Brings to root what save() needs of other ranks. Collective.
  virtual void collect() {}
  /// What must survive a restart, after collect(). Local.
  virtual void save(State&) const {}
  /// Goes on from what save() left. Local. @throws DataError
  virtual void load(const State&) {}
};

/// μ ← (1/W) Σ σ_i ∇f_i(w) over all rows of all ranks, W the sum of weights; the mean loss is in
/// the report. Collective: one reduction. Source: Johnson & Zhang (2013), fig. 1, outer loop.
template <class Real>
Report full_gradient(Objective<Real>& objective, ConstVecRef<Real> w, VecRef<Real> mu);

/// A model over the rows of all ranks. A batch's mean divides by its row count times the data set's
/// mean weight, so that an average over an epoch's batches is the full gradient.
template <class Real>
class ModelObjective : public Objective<Real> {
 public:
  /// All three must outlive this. `compression` is of what virtual shards contribute to a step,
  /// SVRG's difference there; its threshold is of the mean over `batch` rows. Full gradients are
  /// reduced as they are. Collective.
  ModelObjective(const Communicator& comm, Model<Real>& model, const Shard& shard,
                 Penalty<Real> penalty, Reduction reduction, RequestProbe probe = {},
                 Compression compression = {}, Index batch = 1);
  Index size() const override { return model_.layout().size(); }
  const Penalty<Real>& penalty() const override { return penalty_; }
  const Support& support(const Batch& batch) override;
  void accumulate(ConstVecRef<Real> w, const Snapshot<Real>* at, const Batch& batch,
                  const Pass& pass) override;
  Report reduce(const Snapshot<Real>* at, VecRef<Real> g) override;
  const Batch& all_rows() const override { return shard_.all(); }
  Index rows() const override { return shard_.info().rows; }
  void forget() override;
  void collect() override;
  void save(State& state) const override;
  void load(const State& state) override;
  /// Seconds of this rank's gradients, of all rows and of batches (inner).
  const PhaseTimes& times() const noexcept { return times_; }

 private:
  Communicator comm_;
  Model<Real>& model_;
  const Shard& shard_;
  Penalty<Real> penalty_;
  std::unique_ptr<Reducer<Real>> exact_;
  std::unique_ptr<PackedSum<Real>> packed_;  // of steps; null: exact, too
  Reducer<Real>* reducer_ = nullptr;         // the one in use
  std::vector<Real> residuals_;              // collected
  RequestProbe probe_;
  double mean_weight_ = 1;
  bool started_ = false;
  Support everything_, some_;
  const Support* support_ = nullptr;  // of the step in hand; null: everything
  PhaseTimes times_;
  void start(const Batch* batch);
};

/// Mean weight of a row in losses over all ranks; 1 for unweighted data. Collective.
/// @throws CollectiveError where the weights sum to nothing.
double mean_weight(const Communicator& comm, const Shard& shard, Reduction reduction);

}  // namespace svrg
