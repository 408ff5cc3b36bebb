#include "module/store.hpp"

namespace svrg {

template <class Real>
Vec<Real> Store<Real>::settled(const ParameterLayout& layout) const {
  Vec<Real> all = w;
  if (owes()) optimizer->settle_copy(layout, all, along());
  return all;
}

template <class Real>
Vec<double> Store<Real>::mean_auxiliary(const Communicator& comm) const {
  const Index size = aux_given.size();
  if (size == 0) return {};
  // Shards that had no rows have nothing to say.
  Vec<double> sum = Vec<double>::Zero(size + 1);
  for (std::size_t s = 0; s < aux.size(); ++s)
    if (moved[s]) {
      sum.head(size) += aux[s].template cast<double>();
      sum[size] += 1;
    }
  comm.sum(std::span(sum.data(), static_cast<std::size_t>(sum.size())));
  if (sum[size] == 0) return aux_given.template cast<double>();
  return sum.head(size) / sum[size];
}

template <class Real>
void Store<Real>::set_auxiliary(ConstVecRef<double> given) {
  aux_given = given.template cast<Real>();
  std::fill(aux.begin(), aux.end(), aux_given);
  std::fill(moved.begin(), moved.end(), 0);
}

template <class Real>
void Store<Real>::set_optimizer(const std::string& name, const Options& params,
                                std::shared_ptr<LrScheduler> schedule,
                                std::optional<double> rescaling) {
  optimizer = make_optimizer<Real>(name, params);
  optimizer_name = name;
  scheduler = std::move(schedule);
  rescale = rescaling;
  updates = 0;
  if (scheduler && params.count("learning_rate"))
    scheduler->set_base_lr(optimizer->learning_rate());
  OptionReader reader("optimizer " + name, params);
  updates = static_cast<std::uint64_t>(reader.integer("begin_num_update", 0));
}

template <class Real>
double Store<Real>::learning_rate(std::uint64_t update) const {
  return scheduler   ? (*scheduler)(static_cast<Index>(update))
         : optimizer ? optimizer->learning_rate()
                     : 0;
}

template <class Real>
void Store<Real>::save_optimizer(State& state) const {
  optimizer->save(state);
  state.values["optimizer/name"] = optimizer_name;
  state.values["updates"] = static_cast<std::int64_t>(updates);
  state.values["draw"] = static_cast<std::int64_t>(draw);
}

template <class Real>
void Store<Real>::load_optimizer(const State& state) {
  if (state.text("optimizer/name") != optimizer_name)
    throw DataError("the states to be loaded are those of optimizer " +
                    state.text("optimizer/name") + ", not " + optimizer_name);
  optimizer->load(state);
  updates = static_cast<std::uint64_t>(state.integer("updates"));
  draw = static_cast<std::uint64_t>(state.integer("draw"));
}

template <class Real>
void Store<Real>::save_snapshot(State& state) const {
  if (full_gradient.size() == 0) return;
  state.arrays["snapshot/weights"] = Array::vector<Real>(w_snap);
  state.arrays["full_gradient/weights"] = Array::vector<Real>(full_gradient);
  state.arrays["snapshot/auxiliary"] = Array::vector<Real>(aux_snap);
  state.values["snapshot/coefficient"] = alpha;
}

template <class Real>
void Store<Real>::load_snapshot(const State& state) {
  if (!state.arrays.count("snapshot/weights")) return;
  w_snap = vector_in<Real>(state, "snapshot/weights", w.size());
  full_gradient = vector_in<Real>(state, "full_gradient/weights", w.size());
  aux_snap = vector_in<Real>(state, "snapshot/auxiliary", aux_given.size());
  alpha = state.real("snapshot/coefficient");
}

template struct Store<float>;
template struct Store<double>;

}  // namespace svrg
