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
    snapshot_sums_ = plain();
    if (options_.compression) {
      auto packed =
          std::make_unique<PackedSum<Real>>(comm_, options_.compression, layout(), slices_.owned());
      packed_ = packed.get();
      reducer_ = std::move(packed);
    } else {
      reducer_ = plain();
    }
  }

  const ParameterLayout& layout() const override { return scratch_.layout(); }
  const ParameterLayout& auxiliaries() const override { return scratch_.auxiliaries(); }
  Vec<double> weights() const override { return store_->w.template cast<double>(); }
  void set_weights(ConstVecRef<double> w) override { store_->w = w.template cast<Real>(); }

  Vec<double> auxiliary_states() const override {
    if (store_->aux_given.size() == 0) return {};
    // Shards that had no rows have nothing to say.
    Vec<double> sum = Vec<double>::Zero(store_->aux_given.size() + 1);
    for (std::size_t s = 0; s < store_->aux.size(); ++s)
      if (store_->moved[s]) {
        sum.head(store_->aux_given.size()) += store_->aux[s].template cast<double>();
        sum[store_->aux_given.size()] += 1;
      }
    comm_.sum(std::span(sum.data(), static_cast<std::size_t>(sum.size())));
    const double shards = sum[store_->aux_given.size()];
    if (shards == 0) return store_->aux_given.template cast<double>();
    return sum.head(store_->aux_given.size()) / shards;
  }
  void set_auxiliary_states(ConstVecRef<double> aux) override {
    store_->aux_given = aux.template cast<Real>();
    std::fill(store_->aux.begin(), store_->aux.end(), store_->aux_given);
    std::fill(store_->moved.begin(), store_->moved.end(), 0);
  }

  void forward(const Feed& feed, bool training) override {
    number(feed_ = feed);
    training_ = training;
    for (Index s = 0; s <= pieces(); ++s)
      rows_[static_cast<std::size_t>(s)] = first_row(s, feed.rows);
    for (Index s = 0; s < pieces(); ++s) {
      if (rows_of(s) == 0) continue;
      auto& executor = executors_[static_cast<std::size_t>(s)];
      load(executor, feed_, begin_of(s), rows_of(s));
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
                        g, {-alpha_, false});
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
    auto g = gradient();
    if (has_snapshot() && (!packed_ || options_.exact_mean))
      g = (g + static_cast<Real>(alpha_ * rows) * full_gradient_) * static_cast<Real>(scale_);
    else
      g *= static_cast<Real>(scale_);
    ++store_->updates;
    store_->optimizer->step(layout(), store_->w, g, learning_rate_at(store_->updates));
    ++store_->draw;
  }

  Vec<double> last_gradient() const override {
    if (reducer_->total().empty()) return Vec<double>::Zero(layout().size());
    return gradient().template cast<double>() / (scale_ != 0 ? scale_ : 1);
  }
  bool pending() const override { return pending_; }
  void set_optimizer(const std::string& name, const Options& params,
                     std::shared_ptr<LrScheduler> scheduler,
                     std::optional<double> rescale) override {
    store_->optimizer = make_optimizer<Real>(name, params);
    store_->optimizer_name = name;
    store_->scheduler = std::move(scheduler);
    store_->rescale = rescale;
    store_->updates = 0;
    if (store_->scheduler && params.count("learning_rate"))
      store_->scheduler->set_base_lr(store_->optimizer->learning_rate());
    OptionReader reader("optimizer " + name, params);
    store_->updates = static_cast<std::uint64_t>(reader.integer("begin_num_update", 0));
  }
  double learning_rate() const override { return learning_rate_at(store_->updates + 1); }

  void start_snapshot() override {
    comm_.broadcast(std::span(store_->w.data(), static_cast<std::size_t>(store_->w.size())));
    w_snap_ = store_->w;
    aux_snap_ = auxiliary_states().template cast<Real>();
    snapshot_draw_ = (std::uint64_t{1} << 63) + store_->draw;
    snapshot_sums_->start(layout().size(), 1);
    full_gradient_.resize(0);
  }

  void add_to_snapshot(const Feed& given, Index rows) override {
    Feed& feed = feed_of_snapshot_ = given;
    number(feed);
    for (Index s = 0; s < pieces(); ++s) {
      const Index begin = first_row(s, feed.rows);
      const Index count = std::min(first_row(s + 1, feed.rows), rows) - begin;
      if (count <= 0) continue;
      const auto to = snapshot_sums_->values(s);
      load(scratch_, feed, begin, count);
      add_at_snapshot(feed, begin, count, {true, snapshot_draw_}, {},
                      Eigen::Map<Vec<Real>>(to.data(), layout().size()), {});
      snapshot_sums_->tail(s)[0] += static_cast<double>(count);
    }
  }

  void finish_snapshot() override {
    snapshot_sums_->reduce();
    const double rows = snapshot_sums_->total_tail()[0];
    if (rows == 0) throw DataError("update_full_grads(): the iterator gave no rows");
    full_gradient_ = Eigen::Map<const Vec<Real>>(snapshot_sums_->total().data(), layout().size()) *
                     static_cast<Real>(1 / rows);
    if (!full_gradient_.allFinite())
      throw NumericError("the full gradient is not finite; a smaller learning_rate may help");
  }

  bool has_snapshot() const override { return full_gradient_.size() > 0; }
  Vec<double> snapshot_weights() const override { return w_snap_.template cast<double>(); }
  Vec<double> full_gradient() const override { return full_gradient_.template cast<double>(); }
  void set_coefficient(double alpha) override { alpha_ = alpha; }

  void save_optimizer(State& state) const override {
    if (!store_->optimizer) return;
    store_->optimizer->save(state);
    state.values["optimizer/name"] = store_->optimizer_name;
    state.values["updates"] = static_cast<std::int64_t>(store_->updates);
    state.values["draw"] = static_cast<std::int64_t>(store_->draw);
    if (packed_) state.arrays["compression/residual/weights"] = Array::vector(packed_->residuals());
  }
  void load_optimizer(const State& state) override {
    if (state.text("optimizer/name") != store_->optimizer_name)
      throw DataError("the states to be loaded are those of optimizer " +
                      state.text("optimizer/name") + ", not " + store_->optimizer_name);
    store_->optimizer->load(state);
    store_->updates = static_cast<std::uint64_t>(state.integer("updates"));
    store_->draw = static_cast<std::uint64_t>(state.integer("draw"));
    if (!packed_) return;
    const Vec<Real> all = vector_in<Real>(state, "compression/residual/weights",
                                          slices_.virtual_shards() * layout().size());
    packed_->set_residuals({all.data(), static_cast<std::size_t>(all.size())});
  }
  void save_snapshot(State& state) const override {
    if (!has_snapshot()) return;
    state.arrays["snapshot/weights"] = Array::vector<Real>(w_snap_);
    state.arrays["full_gradient/weights"] = Array::vector<Real>(full_gradient_);
    state.arrays["snapshot/auxiliary"] = Array::vector<Real>(aux_snap_);
    state.values["snapshot/coefficient"] = alpha_;
  }
  void load_snapshot(const State& state) override {
    if (!state.arrays.count("snapshot/weights")) return;
    w_snap_ = vector_in<Real>(state, "snapshot/weights", layout().size());
    full_gradient_ = vector_in<Real>(state, "full_gradient/weights", layout().size());
    aux_snap_ = vector_in<Real>(state, "snapshot/auxiliary", auxiliaries().size());
    alpha_ = state.real("snapshot/coefficient");
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

  double learning_rate_at(std::uint64_t update) const {
    return store_->scheduler   ? (*store_->scheduler)(static_cast<Index>(update))
           : store_->optimizer ? store_->optimizer->learning_rate()
                               : 0;
  }

  void start_sums() {
    reducer_->start(layout().size(), 1, packed_ != nullptr);
    begun_ = packed_ != nullptr;
    summed_rows_ = 0;
    pending_ = true;
  }

  /// After the sum over ranks, in its place.
  Eigen::Map<Vec<Real>> gradient() const { return {reducer_->total().data(), layout().size()}; }
  Eigen::Map<Vec<Real>> part(Index s) { return {reducer_->values(s).data(), layout().size()}; }

  // Σ ∇f_i(w̃) over the rows, loaded before, into `sum`; batch statistics are the batch's own there,
  // too.
  void add_at_snapshot(const Feed& feed, Index begin, Index count, const Pass& pass,
                       std::span<const std::span<const Real>> out_grads, VecRef<Real> g,
                       const typename Executor<Real>::Sum& sum) {
    scratch_.forward(w_snap_, aux_snap_, {pass, false, global_rows(feed, begin, count), feed.rows});
    scratch_.backward(w_snap_, out_grads, g, sum);
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
    const auto share = static_cast<Real>(alpha_) *
                       (static_cast<Real>(summed_rows_) / static_cast<Real>(slices_.per_batch()));
    for (Index s = 0; s < slices_.owned(); ++s) part(s) += share * full_gradient_;
  }

  Communicator comm_;
  Slices slices_;
  EngineOptions options_;
  std::vector<Executor<Real>> executors_;  // one an owned shard: outputs and what backward reads
  Executor<Real> scratch_;                 // evaluations at the snapshot
  std::shared_ptr<Store<Real>> store_ = std::make_shared<Store<Real>>();
  Vec<Real> w_snap_, full_gradient_;
  Vec<Real> aux_snap_;
  std::vector<Index> rows_;  // where owned shards begin in the batch
  std::vector<std::vector<Real>> out_grad_values_;
  std::vector<std::span<const Real>> out_grad_spans_;
  std::unique_ptr<Reducer<Real>> reducer_, snapshot_sums_;
  PackedSum<Real>* packed_ = nullptr;  // reducer_, where it packs
  Feed feed_, feed_of_snapshot_;
  double scale_ = 0, alpha_ = 1;
  std::uint64_t snapshot_draw_ = 0;
  bool joined_ = false;  // own shards are evaluated as one
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
