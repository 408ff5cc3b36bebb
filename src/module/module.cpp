#include "svrg/module/module.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "module/impl.hpp"
#include "svrg/core/error.hpp"

namespace svrg {

Module::Module(Symbol symbol, ModuleOptions options, Communicator comm)
    : impl_(std::make_unique<Impl>(
          BucketSymbol{std::move(symbol), options.data_names, options.label_names}, options,
          std::move(comm))) {}
Module::Module(SymGen sym_gen, Index default_bucket_key, ModuleOptions options, Communicator comm)
    : impl_(std::make_unique<Impl>(sym_gen(default_bucket_key), std::move(options),
                                   std::move(comm))) {
  impl_->sym_gen = std::move(sym_gen);
  impl_->bucket_key = impl_->default_bucket_key = default_bucket_key;
  // Each engine has residuals of its own, which cannot be those of one sum.
  if (!impl_->options.compression_params.empty())
    throw ConfigError("compression_params are not for modules with buckets");
}
Module::~Module() = default;
Module::Module(Module&&) noexcept = default;

const Symbol& Module::symbol() const noexcept { return impl().symbol; }
const std::vector<std::string>& Module::data_names() const noexcept { return impl().data_names; }
const std::vector<std::string>& Module::label_names() const noexcept { return impl().label_names; }
std::vector<std::string> Module::output_names() const { return impl().symbol.list_outputs(); }
const std::vector<DataDesc>& Module::data_shapes() const { return impl().data_shapes; }
const std::vector<DataDesc>& Module::label_shapes() const { return impl().label_shapes; }
bool Module::binded() const noexcept { return impl().binded; }
bool Module::params_initialized() const noexcept { return impl().params_initialized; }
bool Module::optimizer_initialized() const noexcept { return impl().optimizer.has_value(); }
const Communicator& Module::communicator() const noexcept { return impl().comm; }

void Module::bind(const std::vector<DataDesc>& data_shapes,
                  const std::vector<DataDesc>& label_shapes, const BindOptions& options) {
  Impl& m = impl();
  if (m.binded && !options.force_rebind) {
    m.say(LogLevel::warning, "Already bound, ignoring bind()");
    return;
  }
  m.require(!options.inputs_need_grad || options.for_training,
            "inputs_need_grad needs for_training");
  for (const std::string& name : m.data_names)
    if (std::none_of(data_shapes.begin(), data_shapes.end(),
                     [&](const DataDesc& d) { return d.name == name; }))
      throw ConfigError("bind: no shape for data '" + name + "'");
  if (m.bucket_key != m.default_bucket_key)
    static_cast<Bound&>(m) = std::move(m.other_buckets.at(m.default_bucket_key));
  m.other_buckets.clear();
  m.bucket_key = m.default_bucket_key;
  m.bound = options;
  const Impl* shared = options.shared_module ? options.shared_module->impl_.get() : nullptr;
  m.require(!shared || (shared->binded && shared->params_initialized),
            "bind: the shared_module must be bound and have parameters");
  const bool same_shards = shared == m.shared;
  if (!same_shards) m.optimizer.reset();
  m.shared = shared;
  if (m.shared) m.private_batches = m.shared->private_batches;
  m.data_shapes = data_shapes;
  m.label_shapes = label_shapes;
  remake(same_shards);
  m.binded = true;
  if (m.shared) {
    m.params_initialized = true;
    if (m.shared->optimizer) borrow_optimizer(*options.shared_module);
  }
  if (!m.restored || m.params_initialized) return;
  set_params(m.restored->arg, m.restored->aux);
  if (m.restored->state) m.engine->load_snapshot(*m.restored->state);
}

void Module::reshape(const std::vector<DataDesc>& data_shapes,
                     const std::vector<DataDesc>& label_shapes) {
  Impl& m = impl();
  m.require(m.binded, "reshape() comes after bind()");
  if (data_shapes == m.data_shapes && label_shapes == m.label_shapes) return;
  m.data_shapes = data_shapes;
  m.label_shapes = label_shapes;
  remake(true);
}

void Module::switch_bucket(Index bucket_key, const std::vector<DataDesc>& data_shapes,
                           const std::vector<DataDesc>& label_shapes) {
  impl().require(impl().binded, "switch_bucket() comes after bind()");
  impl().use_bucket(bucket_key, data_shapes, label_shapes);
}

Index Module::bucket_key() const noexcept { return impl().bucket_key; }

void Module::remake(bool same_shards) {
  Impl& m = impl();
  m.require(!m.engine || !m.engine->pending(),
            "gradients wait for update(): call it before memory is made for other shapes");
  State state;
  if (m.optimizer) m.engine->save_optimizer(state);
  m.make_engine_for_shapes(m.common_engine(same_shards));
  if (m.optimizer) m.engine->load_optimizer(state);
}

void Module::init_params(const InitParamsOptions& options) {
  Impl& m = impl();
  m.require(m.binded, "init_params() comes after bind()");
  if (m.params_initialized && !options.force_init) {
    m.say(LogLevel::warning,
          "Parameters already initialized and force_init=False. init_params call ignored.");
    return;
  }
  const Initializer rule = options.initializer.value_or(initializer::Uniform(0.01));

  const auto fill = [&](const ParameterLayout& layout, const NDArrays& values) {
    Vec<double> flat = Vec<double>::Zero(layout.size());
    for (const Parameter& p : layout.all()) {
      const std::span<double> segment(flat.data() + p.offset, static_cast<std::size_t>(p.size));
      if (const auto at = values.find(p.name); at != values.end()) {
        if (at->second.shape != p.shape)
          throw ConfigError(fmt::format("parameter '{}' has shape ({}), not ({})", p.name,
                                        fmt::join(p.shape, ", "),
                                        fmt::join(at->second.shape, ", ")));
        const auto all = at->second.values();
        std::copy(all.begin(), all.end(), segment.begin());
      } else if (!values.empty() && !options.allow_missing) {
        throw ConfigError(fmt::format("{} is not presented", p.name));
      } else {
        const auto init = m.inits.find(p.name);
        rule.fill(p.name, p.shape, init == m.inits.end() ? "" : init->second, m.options.seed,
                  segment);
      }
    }
    if (!options.allow_extra)
      for (const auto& [name, array] : values)
        if (std::none_of(layout.all().begin(), layout.all().end(),
                         [&, n = name](const Parameter& p) { return p.name == n; }))
          throw ConfigError("'" + name +
                            "' is no parameter of the symbol; allow_extra lets it pass");
    return flat;
  };
  Vec<double> w = fill(m.engine->layout(), options.arg_params);
  Vec<double> aux = fill(m.engine->auxiliaries(), options.aux_params);
  m.comm.broadcast(std::span(w.data(), static_cast<std::size_t>(w.size())));
  m.comm.broadcast(std::span(aux.data(), static_cast<std::size_t>(aux.size())));
  m.engine->set_weights(w);
  m.engine->set_auxiliary_states(aux);
  m.params_initialized = true;
}

void Module::set_params(const NDArrays& arg_params, const NDArrays& aux_params,
                        const SetParamsOptions& options) {
  if (!options.allow_missing && aux_params.empty() && impl().engine &&
      impl().engine->auxiliaries().size() > 0)
    throw ConfigError(impl().engine->auxiliaries().all()[0].name + " is not presented");
  InitParamsOptions all;
  all.arg_params = arg_params;
  all.aux_params = aux_params;
  all.allow_missing = options.allow_missing;
  all.force_init = options.force_init;
  all.allow_extra = options.allow_extra;
  init_params(all);
}

Module::Params Module::get_params() const {
  const Impl& m = impl();
  m.require(m.binded && m.params_initialized, "get_params() comes after init_params()");
  return {m.named(m.engine->weights(), m.engine->layout()),
          m.named(m.engine->auxiliary_states(), m.engine->auxiliaries())};
}

void Module::borrow_optimizer(const Module& shared_module) {
  Impl& m = impl();
  m.require(m.shared && m.shared == &shared_module.impl(),
            "borrow_optimizer() takes the module of bind()'s shared_module");
  m.require(m.shared->optimizer.has_value(), "borrow_optimizer(): it has none yet");
  m.optimizer = m.shared->optimizer;
}

void Module::init_optimizer(const InitOptimizerOptions& options) {
  Impl& m = impl();
  m.require(
      !m.shared || m.optimizer,
      "the optimizer is the shared_module's: init_optimizer() there, borrow_optimizer() here");
  m.require(m.binded && m.params_initialized, "init_optimizer() comes after init_params()");
  if (m.optimizer && !options.force_init) {
    m.say(LogLevel::warning, "optimizer already initialized, ignoring...");
    return;
  }
  const std::string& store = options.kvstore;
  if (store.find("async") != std::string::npos)
    throw ConfigError(
        "kvstore 'dist_async' is not supported: replicas would drift apart, and "
        "variance reduction needs one snapshot everywhere; use 'dist_sync'");
  const bool known = store.empty() || store == "None" || store == "local" || store == "device" ||
                     store == "nccl" || store.starts_with("local_") || store.starts_with("dist");
  if (!known)
    throw ConfigError("kvstore '" + store + "' is not known; there are local, device, dist_sync");
  const bool private_batches = store.starts_with("dist");
  if (private_batches != m.private_batches) {
    m.private_batches = private_batches;
    m.make_engine_for_shapes(m.common_engine(false));
  }
  Options params = options.optimizer_params;
  std::optional<double> rescale;
  if (const auto at = params.find("rescale_grad"); at != params.end()) {
    rescale = OptionReader("optimizer " + options.optimizer, params).real("rescale_grad", 1);
    params.erase("rescale_grad");
  }
  m.engine->set_optimizer(options.optimizer, params, options.lr_scheduler, rescale);
  m.optimizer = options;
  if (!m.restored || !m.restored->with_optimizer) return;
  if (!m.restored->state || !m.restored->state->values.count("optimizer/step"))
    throw DataError(
        "load: the checkpoint holds no optimizer states; save them with it, or load "
        "without");
  m.engine->load_optimizer(*m.restored->state);
  m.restored->with_optimizer = false;
}

void Module::forward(const DataBatch& batch, std::optional<bool> is_train) {
  Impl& m = impl();
  m.require(m.binded && m.params_initialized, "forward() comes after bind() and init_params()");
  m.use_bucket_of(batch);
  if (m.shared && !m.engine->shares(*m.shared->engine))
    throw ConfigError("the shared_module was given another kvstore since: bind() this one again");
  // Another number of rows is taken as it comes; rows of another shape need memory of their own.
  const auto same_rows = [](const DataDesc& bound, const NDArray& array) {
    return std::equal(bound.shape.begin() + 1, bound.shape.end(), array.shape.begin() + 1,
                      array.shape.end());
  };
  const std::size_t given = std::min(batch.data.size(), m.data_shapes.size());
  if (!std::equal(batch.data.begin(), batch.data.begin() + static_cast<std::ptrdiff_t>(given),
                  m.data_shapes.begin(),
                  [&](const NDArray& a, const DataDesc& d) { return same_rows(d, a); })) {
    auto shapes = m.data_shapes;
    for (std::size_t i = 0; i < given; ++i)
      if (!same_rows(shapes[i], batch.data[i])) shapes[i].shape = batch.data[i].shape;
    auto labels = m.label_shapes;
    for (std::size_t i = 0; i < std::min(batch.label.size(), labels.size()); ++i)
      labels[i].shape = batch.label[i].shape;
    reshape(shapes, labels);
  }
  const bool train = is_train.value_or(m.bound.for_training);
  const Feed& feed = m.feed_of(batch);
  m.fed_rows = feed.rows;
  m.fed_pad = batch.pad;
  m.engine->listen(m.monitor && m.monitor->active() ? m.monitor_listener() : OutputListener());
  m.engine->forward(feed, train);
}

void Module::forward(DataBatch&& batch, std::optional<bool> is_train) {
  impl().held = std::move(batch);
  forward(impl().held, is_train);
}

void Module::backward(const std::vector<NDArray>& out_grads) {
  Impl& m = impl();
  m.require(m.binded && m.bound.for_training, "backward() needs bind() for training");
  m.engine->backward(out_grads);
}

void Module::forward_backward(const DataBatch& batch) {
  forward(batch, true);
  backward();
}

void Module::update() {
  impl().require(impl().optimizer.has_value(), "update() comes after init_optimizer()");
  impl().engine->update();
}

NDArrays Module::get_gradients() const {
  impl().require(optimizer_initialized() && !impl().engine->pending(),
                 "get_gradients() comes after update(), before the next backward()");
  return impl().named(impl().engine->last_gradient(), impl().engine->layout());
}
double Module::learning_rate() const {
  impl().require(optimizer_initialized(), "learning_rate() comes after init_optimizer()");
  return impl().engine->learning_rate();
}

void Module::update_metric(EvalMetric& eval_metric, const std::vector<NDArray>& labels) {
  impl().require(impl().binded, "update_metric() comes after forward()");
  impl().take_metric(eval_metric, labels);
  eval_metric.reduce(impl().comm);
}

std::vector<NDArray> Module::get_outputs() const {
  impl().require(impl().binded, "get_outputs() comes after forward()");
  return impl().gathered(impl().local_outputs());
}

std::vector<NDArray> Module::get_input_grads() const {
  const Impl& m = impl();
  m.require(m.bound.inputs_need_grad, "get_input_grads() needs bind() with inputs_need_grad");
  std::vector<NDArray> local;
  for (const std::string& name : m.data_names) local.push_back(m.engine->input_gradient(name));
  return m.gathered(std::move(local));
}

double Module::get_loss() const {
  impl().require(impl().binded, "get_loss() comes after forward()");
  double sum = impl().engine->loss();
  impl().comm.sum(std::span(&sum, 1));
  return sum;
}

std::vector<NDArray> Module::get_states() const { return impl().states; }

void Module::set_states(const std::vector<NDArray>& states) {
  Impl& m = impl();
  if (states.size() != m.options.state_names.size())
    throw ConfigError(fmt::format("set_states: {} arrays for {} states", states.size(),
                                  m.options.state_names.size()));
  m.states = states;
  m.state_value.reset();
}

void Module::set_states(double value) {
  Impl& m = impl();
  m.require(m.binded, "set_states() comes after bind()");
  m.state_value = value;
  m.states.clear();
  for (const std::string& name : m.options.state_names)
    m.states.push_back(filled(m.input_shapes.at(name), value));
}

void Module::prepare(const DataBatch& batch, const SparseRowIdFn& sparse_row_id_fn) {
  Impl& m = impl();
  m.require(m.binded, "prepare() comes after bind()");
  if (!sparse_row_id_fn) return;
  std::vector<Index> rows;
  m.comm.agree("prepare", [&] {
    for (const auto& [name, ids] : sparse_row_id_fn(batch)) {
      const Parameter& p = m.engine->layout().at(name);
      if (!p.row_sparse) throw ConfigError("parameter '" + name + "' is not row_sparse");
      for (const double id : ids.values()) {
        if (!(id >= 0 && id < static_cast<double>(p.shape[0])))
          throw ConfigError(fmt::format("parameter '{}' has no row {}, its rows are 0 … {}", name,
                                        id, p.shape[0] - 1));
        rows.push_back(p.first_row + static_cast<Index>(id));
      }
    }
  });
  m.engine->settle(std::move(rows));
}

void Module::install_monitor(Monitor& monitor) {
  Impl& m = impl();
  m.require(m.binded, "install_monitor() comes after bind()");
  m.monitor = &monitor;
}

}  // namespace svrg
