// The loops over batches: fit, score, predict. The order of events is MXNet's.
#include <fmt/format.h>

#include "module/impl.hpp"
#include "svrg/core/clock.hpp"
#include "svrg/core/error.hpp"

namespace svrg {
namespace {

std::map<std::string, double> as_map(const EvalMetric::Values& values) {
  return {values.begin(), values.end()};
}

/// Rows that are no copies.
std::vector<NDArray> without_padding(std::vector<NDArray> outputs, Index pad) {
  if (pad > 0)
    for (NDArray& array : outputs)
      array = rows_between(array, 0, std::max<Index>(array.rows() - pad, 0));
  return outputs;
}

/// A monitor for the length of fit(); the one before comes back.
class MonitorScope {
 public:
  MonitorScope(Monitor*& slot, Monitor* now) : slot_(slot), before_(slot) {
    if (now) slot = now;
  }
  ~MonitorScope() { slot_ = before_; }
  MonitorScope(const MonitorScope&) = delete;
  MonitorScope& operator=(const MonitorScope&) = delete;

 private:
  Monitor*& slot_;
  Monitor* before_;
};

void append(NDArray& all, const NDArray& more) {
  if (all.size() == 0) {
    all = more;
    return;
  }
  const auto add = [&](auto& to) {
    using Store = std::remove_reference_t<decltype(to)>;
    const auto& from = std::get<Store>(more.store);
    if constexpr (requires { to.data; })
      to.data.insert(to.data.end(), from.data.begin(), from.data.end());
  };
  std::visit(add, all.store);
  all.shape[0] += more.shape[0];
}

}  // namespace

void Module::begin_epoch(Index, Index, DataIter&) {}
void Module::end_epoch(DataIter& train_data) { train_data.reset(); }

FitHistory Module::fit(DataIter& train_data, const FitOptions& options) {
  Impl& m = impl();
  m.require(options.num_epoch.has_value(), "fit() needs num_epoch");
  bind(train_data.provide_data(), train_data.provide_label(),
       {.for_training = true, .force_rebind = options.force_rebind});
  // Who watches is agreed once, so that ranks do not part over an argument that only root was
  // given.
  const bool watched = m.comm.max(Index{!options.batch_end_callback.empty()}) > 0;
  m.require_same(options.eval_data != nullptr, "eval_data");
  m.require_same(options.monitor != nullptr, "monitor");
  m.require_same(static_cast<bool>(options.sparse_row_id_fn), "sparse_row_id_fn");
  const MonitorScope monitors(m.monitor, options.monitor);
  if (!m.params_initialized || options.force_init)
    init_params({options.initializer, options.arg_params, options.aux_params, options.allow_missing,
                 options.force_init});
  if (!m.optimizer || options.force_init)
    init_optimizer({options.kvstore, options.optimizer, options.optimizer_params,
                    options.lr_scheduler, options.force_init});
  EvalMetric& metric = *options.eval_metric.metric;
  const MetricArgument validation =
      options.validation_metric.metric ? options.validation_metric : options.eval_metric;

  if (m.restored && m.train_resets > 0) train_data.set_resets(m.train_resets);
  m.restored.reset();
  FitHistory history;
  for (Index epoch = options.begin_epoch; epoch < *options.num_epoch; ++epoch) {
    const double started = now();
    metric.reset();
    begin_epoch(epoch, *options.num_epoch, train_data);
    const Index batches = m.agreed_batches(train_data);
    Index done = 0;
    for (; done < batches; ++done) {
      const DataBatch* next = m.next_or_empty(train_data);
      if (!next) break;
      const DataBatch& batch = *next;
      if (options.monitor) options.monitor->tic();
      prepare(batch, options.sparse_row_id_fn);
      forward_backward(batch);
      update();
      m.take_metric(metric, batch.label);
      // Means over ranks are due only where somebody looks at them.
      if (watched) metric.reduce(m.comm);
      if (options.monitor && options.monitor->active()) {
        const Params params = get_params();
        options.monitor->toc_print(params.arg, params.aux, m.log);
      }
      for (const auto& callback : options.batch_end_callback) callback({epoch, done, &metric});
    }
    m.require(done > 0, "fit(): the iterator gives no batch");
    metric.reduce(m.comm);
    FitHistory::Epoch record{epoch, as_map(metric.get_global_name_value()), {}, 0};
    for (const auto& [name, value] : metric.get_global_name_value())
      m.say(LogLevel::info, fmt::format("Epoch[{}] Train-{}={:.6f}", epoch, name, value));
    record.seconds = now() - started;
    m.say(LogLevel::info, fmt::format("Epoch[{}] Time cost={:.3f}", epoch, record.seconds));

    const Params params = get_params();
    set_params(params.arg, params.aux);
    m.train_resets = train_data.resets() + resets_at_end();
    for (const auto& callback : options.epoch_end_callback)
      callback(epoch, m.main_symbol(), params.arg, params.aux);
    if (options.eval_data) {
      const auto values = score(*options.eval_data, validation,
                                {.batch_end_callback = options.eval_batch_end_callback,
                                 .score_end_callback = options.eval_end_callback,
                                 .epoch = epoch,
                                 .sparse_row_id_fn = options.sparse_row_id_fn});
      for (const auto& [name, value] : values)
        m.say(LogLevel::info, fmt::format("Epoch[{}] Validation-{}={:.6f}", epoch, name, value));
      record.validation = as_map(values);
    }
    history.epochs.push_back(std::move(record));
    end_epoch(train_data);
  }
  return history;
}

std::vector<std::pair<std::string, double>> Module::score(DataIter& eval_data,
                                                          const MetricArgument& eval_metric,
                                                          const ScoreOptions& options) {
  Impl& m = impl();
  m.require(m.binded && m.params_initialized, "score() comes after init_params()");
  EvalMetric& metric = *eval_metric.metric;
  if (options.reset) eval_data.reset();
  metric.reset();
  const bool watched = m.comm.max(Index{!options.batch_end_callback.empty()}) > 0;
  Index batches = m.agreed_batches(eval_data), done = 0;
  if (options.num_batch) batches = std::min(batches, *options.num_batch);
  for (; done < batches; ++done) {
    const DataBatch* next = m.next_or_empty(eval_data);
    if (!next) break;
    const DataBatch& batch = *next;
    prepare(batch, options.sparse_row_id_fn);
    forward(batch, false);
    m.take_metric(metric, batch.label);
    if (!watched) continue;
    metric.reduce(m.comm);
    for (const auto& callback : options.batch_end_callback)
      callback({options.epoch, done, &metric});
  }
  metric.reduce(m.comm);
  for (const auto& callback : options.score_end_callback) callback({options.epoch, done, &metric});
  return metric.get_global_name_value();
}

void Module::iter_predict(
    DataIter& eval_data,
    const std::function<void(const std::vector<NDArray>&, Index, const DataBatch&)>& each,
    const PredictOptions& options) {
  Impl& m = impl();
  m.require(m.binded && m.params_initialized, "predict() comes after init_params()");
  if (options.reset) eval_data.reset();
  Index batches = m.agreed_batches(eval_data);
  if (options.num_batch) batches = std::min(batches, *options.num_batch);
  for (Index done = 0; done < batches; ++done) {
    const DataBatch* next = m.next_or_empty(eval_data);
    if (!next) break;
    const DataBatch& batch = *next;
    prepare(batch, options.sparse_row_id_fn);
    forward(batch, false);
    each(without_padding(get_outputs(), batch.pad), done, batch);
  }
}

std::vector<NDArray> Module::predict(DataIter& eval_data, const PredictOptions& options) {
  std::vector<NDArray> all(static_cast<std::size_t>(impl().symbol.outputs()));
  iter_predict(
      eval_data,
      [&](const std::vector<NDArray>& outputs, Index, const DataBatch&) {
        for (std::size_t i = 0; i < outputs.size(); ++i) append(all[i], outputs[i]);
      },
      options);
  return all;
}

std::vector<NDArray> Module::predict(const NDArray& data) {
  DataBatch batch;
  batch.data.push_back(data);
  forward(std::move(batch), false);
  return get_outputs();
}

}  // namespace svrg
