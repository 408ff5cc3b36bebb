// The only place where sums become means: one reduction, with loss, row count and flags in its
// tail.
#include "svrg/objective/objective.hpp"

#include <cmath>
#include <utility>

#include "objective/tail.hpp"
#include "svrg/core/error.hpp"

namespace svrg {

template <class Real>
Report full_gradient(Objective<Real>& objective, ConstVecRef<Real> w, VecRef<Real> mu) {
  objective.accumulate(w, nullptr, objective.all_rows(), Pass{});
  return objective.reduce(nullptr, mu);
}

double mean_weight(const Communicator& comm, const Shard& shard, Reduction reduction) {
  if (!shard.weighs_losses()) return 1;
  const auto sums = make_reducer<double>(comm, reduction, shard.partition().virtual_shards(),
                                         shard.owned_shards());
  sums->start(1, 0);
  for (const Part& part : shard.all().parts)
    for (Index i = part.first; i < part.first + part.count; ++i)
      sums->values(part.virtual_shard)[0] += shard.all().weights[static_cast<std::size_t>(i)];
  sums->reduce();
  const double total = sums->total()[0];
  comm.agree("", [&] {
    if (!(total > 0)) throw DataError(shard.info().path + ": the weights of all rows are 0");
  });
  return total / static_cast<double>(shard.info().rows);
}

template <class Real>
ModelObjective<Real>::ModelObjective(const Communicator& comm, Model<Real>& model,
                                     const Shard& shard, Penalty<Real> penalty, Reduction reduction,
                                     RequestProbe probe, Compression compression, Index batch)
    : comm_(comm),
      model_(model),
      shard_(shard),
      penalty_(std::move(penalty)),
      exact_(make_reducer<Real>(comm, reduction, shard.partition().virtual_shards(),
                                shard.owned_shards())),
      probe_(std::move(probe)),
      mean_weight_(mean_weight(comm, shard, reduction)),
      everything_(model.layout()),
      some_(everything_) {
  if (!compression) return;
  // A virtual shard contributes the sum over its share of a batch.
  compression.threshold *=
      static_cast<double>(batch) / static_cast<double>(shard.partition().virtual_shards());
  packed_ =
      std::make_unique<PackedSum<Real>>(comm, compression, model.layout(), shard.owned_shards());
}

template <class Real>
void ModelObjective<Real>::start(const Batch* batch) {
  if (started_) return;
  const bool exact = !packed_ || batch == &shard_.all();
  reducer_ = exact ? exact_.get() : packed_.get();
  if (batch == &shard_.all()) support_ = nullptr;
  reducer_->start(size(), Tail::size, true, support_);
  started_ = true;
}

template <class Real>
const Support& ModelObjective<Real>::support(const Batch& batch) {
  support_ = nullptr;
  // What is left of earlier steps where messages are packed may be of any row.
  if (model_.layout().sparse_rows() == 0 || packed_ || &batch == &shard_.all()) return everything_;
  std::vector<Index> rows;
  for (const Part& part : batch.parts) model_.list_rows(batch, part, rows);
  some_ = Support(model_.layout(), united(comm_, std::move(rows)));
  support_ = &some_;
  return some_;
}

template <class Real>
void ModelObjective<Real>::forget() {
  if (packed_) packed_->forget();
}

template <class Real>
void ModelObjective<Real>::collect() {
  if (!packed_) return;
  residuals_ = packed_->residuals();
  if (!comm_.is_root()) residuals_ = {};
}

template <class Real>
void ModelObjective<Real>::save(State& state) const {
  if (packed_) state.arrays["compression/residual/weights"] = Array::vector(residuals_);
}

template <class Real>
void ModelObjective<Real>::load(const State& state) {
  if (!packed_) return;
  const auto* all =
      std::get_if<std::vector<Real>>(&state.array("compression/residual/weights").data);
  if (!all) throw DataError("the checkpoint's residuals are of another precision");
  packed_->set_residuals(*all);
}

template <class Real>
void ModelObjective<Real>::accumulate(ConstVecRef<Real> w, const Snapshot<Real>* at,
                                      const Batch& batch, const Pass& pass) {
  const Phase phase = &batch == &shard_.all() ? Phase::full_gradient : Phase::inner;
  const ScopedPhase timed(times_, phase);
  comm_.heartbeat().beat(phase);
  start(&batch);
  Index rows = 0;
  for (const Part& part : batch.parts) rows += part.count;
  const ScheduleRecorder::Divided divided(comm_.recorder(), rows);
  for (std::size_t p = 0; p < batch.parts.size();) {
    // Neighbours whose sums share a buffer are one part to the model: larger products for nets.
    Part part = batch.parts[p];
    const auto values = reducer_->values(part.virtual_shard);
    for (++p; p < batch.parts.size(); ++p) {
      const Part& next = batch.parts[p];
      if (next.first != part.first + part.count ||
          reducer_->values(next.virtual_shard).data() != values.data())
        break;
      part.count += next.count;
    }
    if (part.count == 0) continue;
    Eigen::Map<Vec<Real>> g(values.data(), size());
    Tail tail(reducer_->tail(part.virtual_shard));
    tail.add(at ? model_.add_difference(w, at->weights, at->coefficient, batch, part, pass, g)
                : model_.add_gradient(w, batch, part, pass, g),
             part.count);
  }
}

template <class Real>
Report ModelObjective<Real>::reduce(const Snapshot<Real>* at, VecRef<Real> g) {
  start(nullptr);
  if (shard_.owned_shards() > 0 && probe_) Tail(reducer_->tail(0)).add(probe_());
  reducer_->reduce();
  started_ = false;
  const Report report = Tail(reducer_->total_tail()).report(mean_weight_);
  const double scale = report.rows > 0 ? 1 / (static_cast<double>(report.rows) * mean_weight_) : 0;
  const Eigen::Map<const Vec<Real>> sum(reducer_->total().data(), size());
  for (const Stretch& s :
       std::exchange(support_, nullptr) ? some_.stretches() : everything_.stretches()) {
    auto there = g.segment(s.begin, s.size);
    there = static_cast<Real>(scale) * sum.segment(s.begin, s.size);
    if (at)
      there += static_cast<Real>(at->coefficient) * at->full_gradient.segment(s.begin, s.size);
  }
  return report;
}

#define SVRG_INSTANTIATE(Real)                                                            \
  template Report full_gradient<Real>(Objective<Real>&, ConstVecRef<Real>, VecRef<Real>); \
  template class ModelObjective<Real>;
SVRG_INSTANTIATE(double)
SVRG_INSTANTIATE(float)
#undef SVRG_INSTANTIATE

}  // namespace svrg
