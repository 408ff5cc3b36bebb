#include "module/engine.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "module/store.hpp"
#include "svrg/comm/packed_sum.hpp"
#include "svrg/comm/reducer.hpp"
#include "svrg/core/error.hpp"

namespace svrg {
namespace {

template <class Real>
class Replica final : public Engine {
 public:
  Replica(const Communicator& comm, const Symbol& symbol, const Slices& slices,
          EngineOptions options, const Engine* shared)
      : comm_(comm),
        slices_(slices),
        options_(std::move(options)),
        scratch_(symbol, options_.executor) {
    // A batch whose rows have nothing to do with each other need not be cut here.
    joined_ = !options_.compression && scratch_.rows_apart();
    for (Index s = 0; s < pieces(); ++s) executors_.emplace_back(symbol, options_.executor);
    if (shared) {
      const auto* other = dynamic_cast<const Replica*>(shared);
      if (!other || !same_parameters(layout(), other->layout()) ||
          !same_parameters(auxiliaries(), other->auxiliaries()) ||
          other->slices_.owned() != slices_.owned())
        throw ConfigError(
            "shared_module: both modules need the same parameters, in the same order, dtype and "
            "contexts");
      store_ = other->store_;
    } else {
      store_->w = Vec<Real>::Zero(layout().size());
      store_->aux_given = Vec<Real>::Zero(auxiliaries().size());
      store_->aux.assign(static_cast<std::size_t>(slices_.owned()), store_->aux_given);
      store_->moved.assign(store_->aux.size(), 0);
    }
    rows_.assign(executors_.size() + 1, 0);
    const auto plain = [&] {
      return make_reducer<Real>(comm_, Reduction::plain, slices_.virtual_shards(), slices_.owned());
    };
    if (!store_->snapshot_sums) store_->snapshot_sums = plain();
    if (options_.compression) {
      auto packed =
          std::make_unique<PackedSum<Real>>(comm_, options_.compression, layout(), slices_.owned());
      packed_ = packed.get();
      reducer_ = std::move(packed);
    } else {
      reducer_ = plain();
    }
    // What is left of earlier steps where messages are packed, or sums go on, may be of any row.
    sparse_ = layout().sparse_rows() > 0 && !packed_ && !options_.accumulate;
  }

  const ParameterLayout& layout() const override { return scratch_.layout(); }
  const ParameterLayout& auxiliaries() const override { return scratch_.auxiliaries(); }
  Vec<double> weights() const override { return store_->settled(layout()).template cast<double>(); }
  void set_weights(ConstVecRef<double> w) override {
    settle();  // the optimizer's memory
    store_->w = w.template cast<Real>();
  }
  void settle() const override { store_->settle(layout()); }
  void settle(std::vector<Index> own) override {
    if (!sparse_) return;
    const Support support(layout(), united(comm_, std::move(own)));
    store_->settle(layout(), &support);
  }

  Vec<double> auxiliary_states() const override { return store_->mean_auxiliary(comm_); }
  void set_auxiliary_states(ConstVecRef<double> aux) override { store_->set_auxiliary(aux); }

  void forward(const Feed& feed, bool training) override {
    number(feed_ = feed);
    training_ = training;
    for (Index s = 0; s <= pieces(); ++s)
      rows_[static_cast<std::size_t>(s)] = first_row(s, feed.rows);
    for (Index s = 0; s < pieces(); ++s) {
      if (rows_of(s) == 0) continue;
      auto& executor = executors_[static_cast<std::size_t>(s)];
      load(executor, feed_, begin_of(s), rows_of(s));
    }
    if (sparse_) take_support();
    for (Index s = 0; s < pieces(); ++s) {
      if (rows_of(s) == 0) continue;
      auto& executor = executors_[static_cast<std::size_t>(s)];
      executor.forward(store_->w, store_->aux[static_cast<std::size_t>(s)],
                       {{training, store_->draw},
                        training,
                        global_rows(feed_, begin_of(s), rows_of(s)),
                        feed_.rows});
      if (training) store_->moved[static_cast<std::size_t>(s)] = 1;
    }
  }

  void backward(const std::vector<NDArray>& out_grads) override {
    if (!pending_ || !options_.accumulate) start_sums();
    summed_rows_ += feed_.rows;
    std::vector<std::vector<double>> whole;
    whole.reserve(out_grads.size());
    for (const NDArray& grad : out_grads) whole.push_back(grad.values());
    for (Index s = 0; s < pieces(); ++s) {
      if (rows_of(s) == 0) continue;
      cut_out_grads(out_grads, whole, s);
      auto g = part(s);
      const bool begins = !std::exchange(begun_, true);
      executors_[static_cast<std::size_t>(s)].backward(store_->w, out_grad_spans_, g, {1, begins});
      if (has_snapshot()) {
        scratch_.begin(rows_of(s));
        scratch_.load_as(executors_[static_cast<std::size_t>(s)]);
        add_at_snapshot(feed_, begin_of(s), rows_of(s), {training_, store_->draw}, out_grad_spans_,
                        g, {-store_->alpha, false});
      }
      reducer_->tail(s)[0] += static_cast<double>(rows_of(s));
    }
  }

  double loss() const override {
    double sum = 0;
    for (std::size_t s = 0; s < executors_.size(); ++s)
      if (rows_of(static_cast<Index>(s)) > 0) sum += executors_[s].loss();
    return sum;
  }

  bool shares(const Engine& other) const override {
    return dynamic_cast<const Replica&>(other).store_ == store_;
  }
  Index outputs() const override { return scratch_.outputs(); }
  std::pair<Index, Index> own_rows() const override { return {rows_.front(), rows_.back()}; }

  NDArray output(Index i) const override {
    std::vector<Real> values;
    std::vector<Index> shape{0};
    for (std::size_t s = 0; s < executors_.size(); ++s) {
      if (rows_of(static_cast<Index>(s)) == 0) continue;
      const auto from = executors_[s].output(i);
      values.insert(values.end(), from.begin(), from.end());
      const Index before = shape[0];
      shape = executors_[s].output_shape(i);
      shape[0] += before;
    }
    return {shape, std::move(values)};
  }

  NDArray input_gradient(const std::string& name) const override {
    std::vector<Real> values;
    for (std::size_t s = 0; s < executors_.size(); ++s) {
      if (rows_of(static_cast<Index>(s)) == 0) continue;
      const auto from = executors_[s].input_gradient(name);
      values.insert(values.end(), from.begin(), from.end());
    }
    std::vector<Index> shape = options_.executor.inputs.at(name);
    shape[0] = rows_.back() - rows_.front();
    return {shape, std::move(values)};
  }

  void update() override {
    if (!store_->optimizer)
      throw ConfigError("update() needs an optimizer: call init_optimizer() first");
    if (!pending_) start_sums();
    if (packed_ && !options_.exact_mean) add_shares_of_mean();
    if (!begun_) part(0).setZero();  // no rows here
    reducer_->reduce();
    pending_ = false;
    const double rows = reducer_->total_tail()[0];
    scale_ = store_->rescale ? *store_->rescale : rows > 0 ? 1 / rows : 0;
    const bool corrected = has_snapshot() && (!packed_ || options_.exact_mean);
    rest_ = corrected ? store_->alpha * rows : 0;
    auto g = gradient();
    for (const Stretch& s : summed_.stretches()) {
      auto there = g.segment(s.begin, s.size);
      if (corrected)
        there =
            (there + static_cast<Real>(rest_) * store_->full_gradient.segment(s.begin, s.size)) *
            static_cast<Real>(scale_);
      else
        there *= static_cast<Real>(scale_);
    }
    ++store_->updates;
    store_->optimizer->step(layout(), store_->w,
                            {reducer_->total(), &summed_, {store_->along(), rest_ * scale_}},
                            store_->learning_rate(store_->updates));
    ++store_->draw;
  }

  Vec<double> last_gradient() const override {
    Vec<double> g = Vec<double>::Zero(layout().size());
    if (reducer_->total().empty()) return g;
    if (rest_ != 0 && !summed_.whole()) g = rest_ * store_->full_gradient.template cast<double>();
    for (const Stretch& s : summed_.stretches())
      g.segment(s.begin, s.size) =
          gradient().segment(s.begin, s.size).template cast<double>() / (scale_ != 0 ? scale_ : 1);
    return g;
  }
  bool pending() const override { return pending_; }
  void set_optimizer(const std::string& name, const Options& params,
                     std::shared_ptr<LrScheduler> scheduler,
                     std::optional<double> rescale) override {
    settle();
    store_->set_optimizer(name, params, std::move(scheduler), rescale);
  }
  double learning_rate() const override { return store_->learning_rate(store_->updates + 1); }

  void start_snapshot() override {
    settle();
    comm_.broadcast(std::span(store_->w.data(), static_cast<std::size_t>(store_->w.size())));
    store_->w_snap = store_->w;
    store_->aux_snap = auxiliary_states().template cast<Real>();
    store_->snapshot_draw = (std::uint64_t{1} << 63) + store_->draw;
    store_->snapshot_sums->start(layout().size(), 1);
    store_->full_gradient.resize(0);
  }

  void add_to_snapshot(const Feed& given, Index rows) override {
    Feed& feed = feed_of_snapshot_ = given;
    number(feed);
    for (Index s = 0; s < pieces(); ++s) {
      const Index begin = first_row(s, feed.rows);
      const Index count = std::min(first_row(s + 1, feed.rows), rows) - begin;
      if (count <= 0) continue;
      const auto to = store_->snapshot_sums->values(s);
      load(scratch_, feed, begin, count);
      add_at_snapshot(feed, begin, count, {true, store_->snapshot_draw}, {},
                      Eigen::Map<Vec<Real>>(to.data(), layout().size()), {});
      store_->snapshot_sums->tail(s)[0] += static_cast<double>(count);
    }
  }

  void finish_snapshot() override {
    store_->snapshot_sums->reduce();
    const double rows = store_->snapshot_sums->total_tail()[0];
    if (rows == 0) throw DataError("update_full_grads(): the iterator gave no rows");
    store_->full_gradient =
        Eigen::Map<const Vec<Real>>(store_->snapshot_sums->total().data(), layout().size()) *
        static_cast<Real>(1 / rows);
    if (!store_->full_gradient.allFinite())
      throw NumericError("the full gradient is not finite; a smaller learning_rate may help");
  }

  bool has_snapshot() const override { return store_->full_gradient.size() > 0; }
  Vec<double> snapshot_weights() const override { return store_->w_snap.template cast<double>(); }
  Vec<double> full_gradient() const override {
    return store_->full_gradient.template cast<double>();
  }
  void set_coefficient(double alpha) override { store_->alpha = alpha; }

  void save_optimizer(State& state) const override {
    if (!store_->optimizer) return;
    settle();  // so that it goes with the weights as they are shown
    store_->save_optimizer(state);
    if (packed_) state.arrays["compression/residual/weights"] = Array::vector(packed_->residuals());
  }
  void load_optimizer(const State& state) override {
    store_->load_optimizer(state);
    if (!packed_) return;
    const Vec<Real> all = vector_in<Real>(state, "compression/residual/weights",
                                          slices_.virtual_shards() * layout().size());
    packed_->set_residuals({all.data(), static_cast<std::size_t>(all.size())});
  }
  void save_snapshot(State& state) const override { store_->save_snapshot(state); }
  void load_snapshot(const State& state) override {
    settle();
    store_->load_snapshot(state);
  }

  void listen(OutputListener listener) override {
    for (auto& executor : executors_) executor.listen(listener);
  }

 private:
  /// In how many pieces own rows are evaluated: all at once, or shard by shard.
  Index pieces() const { return joined_ ? 1 : slices_.owned(); }
  /// Of piece s among a batch's rows; of the piece behind the last: the end.
  Index first_row(Index s, Index rows) const {
    return slices_.begin(joined_ ? s * slices_.owned() : s, rows);
  }
  Index begin_of(Index s) const { return rows_[static_cast<std::size_t>(s)]; }
  Index rows_of(Index s) const { return rows_[static_cast<std::size_t>(s) + 1] - begin_of(s); }

  /// Gives rows without numbers those of their places over all ranks.
  void number(Feed& feed) {
    if (!feed.global_rows.empty()) return;
    numbers_.resize(static_cast<std::size_t>(feed.rows));
    const bool own = slices_.per_batch() < slices_.virtual_shards();
    std::iota(numbers_.begin(), numbers_.end(), own ? comm_.rank() * feed.rows : 0);
    feed.global_rows = numbers_;
  }

  static std::span<const Index> global_rows(const Feed& feed, Index begin, Index count) {
    return feed.global_rows.subspan(static_cast<std::size_t>(begin),
                                    static_cast<std::size_t>(count));
  }

  static void load(Executor<Real>& executor, const Feed& feed, Index begin, Index count) {
    executor.begin(count);
    for (const auto& [name, rows] : feed.inputs) executor.load(name, rows, {}, begin);
  }

  void start_sums() {
    summed_ = support_;
    reducer_->start(layout().size(), 1, packed_ || sparse_, packed_ ? nullptr : &summed_);
    begun_ = packed_ || sparse_;
    summed_rows_ = 0;
    pending_ = true;
  }

  /// Which rows of row_sparse parameters the rows loaded need, on all ranks; these are settled.
  void take_support() {
    std::vector<Index> own;
    for (Index s = 0; s < pieces(); ++s)
      if (rows_of(s) > 0) executors_[static_cast<std::size_t>(s)].list_rows(own);
    support_ = Support(layout(), united(comm_, std::move(own)));
    store_->settle(layout(), &support_);
  }

  /// After the sum over ranks, in its place.
  Eigen::Map<Vec<Real>> gradient() const { return {reducer_->total().data(), layout().size()}; }
  Eigen::Map<Vec<Real>> part(Index s) { return {reducer_->values(s).data(), layout().size()}; }

  // Σ ∇f_i(w̃) over the rows, loaded before, into `sum`; batch statistics are the batch's own there,
  // too.
  void add_at_snapshot(const Feed& feed, Index begin, Index count, const Pass& pass,
                       std::span<const std::span<const Real>> out_grads, VecRef<Real> g,
                       const typename Executor<Real>::Sum& sum) {
    scratch_.forward(store_->w_snap, store_->aux_snap,
                     {pass, false, global_rows(feed, begin, count), feed.rows});
    scratch_.backward(store_->w_snap, out_grads, g, sum);
  }

  // `whole`: the values of out_grads.
  void cut_out_grads(const std::vector<NDArray>& out_grads,
                     const std::vector<std::vector<double>>& whole, Index s) {
    out_grad_spans_.clear();
    out_grad_values_.resize(out_grads.size());
    for (std::size_t i = 0; i < out_grads.size(); ++i) {
      const std::vector<double>& all = whole[i];
      const auto size = static_cast<std::size_t>(out_grads[i].row_size());
      const auto from = static_cast<std::size_t>(begin_of(s)) * size;
      const auto count = static_cast<std::size_t>(rows_of(s)) * size;
      if (from + count > all.size())
        throw ConfigError("backward(): an output's gradient has fewer rows than the batch");
      out_grad_values_[i].resize(count);
      std::transform(all.begin() + static_cast<std::ptrdiff_t>(from),
                     all.begin() + static_cast<std::ptrdiff_t>(from + count),
                     out_grad_values_[i].begin(), [](double v) { return static_cast<Real>(v); });
    }
    for (const auto& values : out_grad_values_) out_grad_spans_.push_back(values);
  }

  // Each sender adds its share of μ to what it contributes.
  void add_shares_of_mean() {
    if (!has_snapshot()) return;
    const auto share = static_cast<Real>(store_->alpha) *
                       (static_cast<Real>(summed_rows_) / static_cast<Real>(slices_.per_batch()));
    for (Index s = 0; s < slices_.owned(); ++s) part(s) += share * store_->full_gradient;
  }

  Communicator comm_;
  Slices slices_;
  EngineOptions options_;
  std::vector<Executor<Real>> executors_;  // one an owned shard: outputs and what backward reads
  Executor<Real> scratch_;                 // evaluations at the snapshot
  std::shared_ptr<Store<Real>> store_ = std::make_shared<Store<Real>>();
  std::vector<Index> rows_;  // where owned shards begin in the batch
  std::vector<std::vector<Real>> out_grad_values_;
  std::vector<std::span<const Real>> out_grad_spans_;
  std::unique_ptr<Reducer<Real>> reducer_;
  PackedSum<Real>* packed_ = nullptr;  // reducer_, where it packs
  Feed feed_, feed_of_snapshot_;
  Support support_{layout()}, summed_{layout()};  // of the last forward(), of the sum in hand
  double scale_ = 0, rest_ = 0;                   // rest_: of μ in the last gradient
  bool joined_ = false;                           // own shards are evaluated as one
  bool sparse_ = false;  // steps are of the rows of row_sparse parameters that batches need
  bool training_ = false, pending_ = false, begun_ = false;
  Index summed_rows_ = 0;       // of the batches whose gradients wait for update()
  std::vector<Index> numbers_;  // of rows that came without
};

}  // namespace

template <class Real>
std::unique_ptr<Engine> make_engine(const Communicator& comm, const Symbol& symbol,
                                    const Slices& slices, EngineOptions options,
                                    const Engine* shared) {
  return std::make_unique<Replica<Real>>(comm, symbol, slices, std::move(options), shared);
}

template std::unique_ptr<Engine> make_engine<float>(const Communicator&, const Symbol&,
                                                    const Slices&, EngineOptions, const Engine*);
template std::unique_ptr<Engine> make_engine<double>(const Communicator&, const Symbol&,
                                                     const Slices&, EngineOptions, const Engine*);

}  // namespace svrg
