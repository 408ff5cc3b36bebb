// svrg train: read, build, run, report. Every step that may fail on one rank ends in agreement.
#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "manifest.hpp"
#include "model_choice.hpp"
#include "monitor_choice.hpp"
#include "needs.hpp"
#include "placement.hpp"
#include "precautions.hpp"
#include "problem.hpp"
#include "quantity.hpp"
#include "result_line.hpp"
#include "screen.hpp"
#include "solve.hpp"
#include "subcommands.hpp"
#include "svrg/core/error.hpp"
#include "svrg/core/memory.hpp"
#include "svrg/core/version.hpp"
#include "svrg/data/selection.hpp"
#include "svrg/data/weights.hpp"
#include "svrg/train/signals.hpp"
#include "svrg/train/trainer.hpp"
#include "svrg/train/warm_start.hpp"
#include "svrg/train/watchdog.hpp"
#include "system_memory.hpp"
#include "text.hpp"
#include "train_report.hpp"

namespace svrg::app {
namespace {

struct Problem {
  Shard train;
  std::optional<Shard> valid;
  LabelMap labels;
  io::ModelRecord record;  // of the model to come, without weights
};

double sum_of_weights(const Communicator& comm, const Shard& shard, Reduction reduction) {
  return mean_weight(comm, shard, reduction) * static_cast<double>(shard.info().rows);
}

Problem load_problem(const Settings& settings, const ModelChoice& choice, const Communicator& comm,
                     Screen& screen) {
  comm.agree("", [&] {
    if (!settings.has("train") || settings.text("train").empty())
      throw ConfigError("no training data: svrg train DATA, or train = \"…\" in [data]");
  });
  const double start = now();
  const Heartbeat::Within loading(comm.heartbeat(), Phase::data);
  ReadOptions options = read_options(settings, comm.size());
  comm.agree("", [&] {
    if (const Index shards = virtual_shards_of(settings)) options.virtual_shards = shards;
  });
  if (settings.has("n_features")) options.columns = settings.integer("n_features");
  if (settings.is("partition", "nnz")) options.balance = Balance::entries;
  options.row_order = settings.is("row_order", "file") ? RowOrder::file : RowOrder::shuffled;
  if (choice.is_net()) {
    // A matrix product of dense rows costs less than one of sparse rows down to a few per cent.
    options.dense_from = 0.05;
    if (options.dtype == Storage::automatic) options.dtype = Storage::f32;
  }
  Problem p{read_data(comm, settings.text("train"), options), std::nullopt, {}, {}};
  if (settings.has("weights")) read_weights(comm, settings.text("weights"), p.train);
  if (const double share = settings.number("valid_fraction"); share > 0) {
    comm.agree("", [&] {
      if (settings.has("valid"))
        throw ConfigError(settings.place("valid_fraction") + ": --valid names other rows already");
    });
    auto parts = split(comm, p.train, share, options.row_order,
                       static_cast<std::uint64_t>(settings.integer("seed")));
    p.train = std::move(parts.first);
    p.valid = std::move(parts.second);
  }
  screen.fact("data", app::describe(p.train, comm, now() - start));
  p.labels = choice.labels(comm, p.train);
  comm.agree("", [&] { p.record = choice.record(p.labels, p.train.info()); });
  p.labels.apply(comm, p.train);
  apply_class_weights(settings, comm, p.labels, p.train, reduction_of(settings));
  const Scaling scaling = chosen_scaling(settings, comm, p.train, reduction_of(settings));
  apply(scaling, p.train);
  p.record.mean = scaling.mean;
  p.record.scale = scaling.scale;
  if (p.valid) {
    p.labels.apply(comm, *p.valid);
    apply(scaling, *p.valid);
    screen.fact("valid", fmt::format("{} rows held out of these", grouped(p.valid->info().rows)));
  }
  if (settings.has("valid")) {
    const double before = now();
    options.columns = p.train.info().columns;
    options.feature_names = p.train.info().feature_names;
    if (!scaling.mean.empty()) options.dense_from = 0;
    p.valid = read_data(comm, settings.text("valid"), options);
    p.labels.apply(comm, *p.valid);
    apply_scaling(comm, p.record, *p.valid);
    screen.fact("valid", app::describe(*p.valid, comm, now() - before));
  }
  if (settings.has("C"))
    p.record.l2 =
        1 / (settings.number("C") * sum_of_weights(comm, p.train, reduction_of(settings)));
  else
    p.record.l2 = settings.scaled("l2").resolve(p.train.info().rows);
  p.record.l1 = settings.scaled("l1").resolve(p.train.info().rows);
  p.record.huber_delta = settings.number("huber_delta");
  return p;
}

/// Zero for a linear model, random for a net, or those of --warm-start. Collective.
Vec<double> start_weights(const Settings& settings, const Communicator& comm,
                          const ModelChoice& choice, const io::ModelRecord& record,
                          Screen& screen) {
  Vec<double> w = Vec<double>::Zero(record.layout.size());
  const std::string path = settings.text("warm_start");
  if (path.empty()) {
    comm.agree("", [&] {
      if (choice.is_net())
        w = initial_weights(record, static_cast<std::uint64_t>(settings.integer("seed")));
    });
    return w;
  }
  const LoadedModel model = load_model(comm, path);
  comm.agree(settings.place("warm_start") + ": " + path,
             [&] { w = warm_start(model.record, record); });
  screen.fact("start", fmt::format("weights of {}{}", path,
                                   settings.is("resume", "no")
                                       ? ""
                                       : ", unless there is a checkpoint to resume from"));
  if (model.record.penalised_intercept && !record.penalised_intercept && record.intercept)
    screen.message(LogLevel::info, path +
                                       ": its intercept was penalised; for the same objective "
                                       "use --intercept penalised");
  return w;
}

std::string describe(const io::ModelRecord& record) {
  if (record.symbol.empty())
    return fmt::format("{}, {} weights{}", record.kind,
                       grouped(record.layout.at("linear_weight").size),
                       record.penalised_intercept ? " + penalised intercept"
                       : record.intercept         ? " + intercept"
                                                  : "");
  std::string shape;
  for (const Index n : record.input_shape) shape += (shape.empty() ? "" : " x ") + grouped(n);
  return fmt::format("net under a {} loss, {} values a row, {} weights in {}", record.kind, shape,
                     grouped(record.layout.size()), record.single ? "float" : "double");
}

/// What a resumed run must share with the one it goes on with.
std::string identity(const Settings& settings, const Problem& p) {
  const DataInfo& info = p.train.info();
  std::string text = fmt::format("data={} rows x {} columns, fingerprint {:016x}\n", info.rows,
                                 info.columns, info.fingerprint);
  text += fmt::format("model={}\nintercept={}\nl2={:.17g}\nl1={:.17g}\npositive={}\n",
                      loss_name(p.labels.loss),
                      p.record.penalised_intercept ? "penalised"
                      : p.record.intercept         ? "yes"
                                                   : "no",
                      p.record.l2, p.record.l1, settings.text("positive"));
  for (const char* name :
       {"algorithm",     "engine",         "batch_size",       "update_freq",   "svrg_coefficient",
        "learning_rate", "seed",           "chains",           "deterministic", "row_order",
        "dtype",         "optimizer",      "optimizer_params", "standardize",   "x_scale",
        "input_shape",   "valid_fraction", "class_weight",     "huber_delta",   "partition",
        "inner_copy"})
    text += fmt::format("{}={}\n", replaced(name, '_', '-'), settings.text(name));
  if (!p.record.symbol.empty()) text += fmt::format("net={:016x}\n", fingerprint(p.record.symbol));
  // The default solver takes its own path on each number of ranks; for the others the virtual
  // shards are part of what is computed.
  const std::string algorithm = algorithm_of(settings, !p.record.symbol.empty());
  if ((algorithm != "auto" && algorithm != "local-svrg") || chain_per_shard(settings))
    text += fmt::format("virtual-shards={}\n", p.train.partition().virtual_shards());
  return text;
}

TrainerOptions trainer_options(const Settings& settings, const Problem& p,
                               const std::string& manifest, bool bounded) {
  TrainerOptions o;
  o.epochs = settings.integer("epochs");
  if (settings.has("passes")) o.passes = settings.number("passes");
  if (settings.has("tol_gap") && bounded) o.tol_gap = settings.number("tol_gap");
  o.reference_at_zero = settings.has("warm_start") && p.record.symbol.empty();
  if (settings.has("patience")) o.patience = settings.integer("patience");
  o.tol_grad = o.tol_gap > 0 && !settings.given("tol_grad") ? 0 : settings.number("tol_grad");
  if (settings.has("run_dir")) o.run_dir = settings.text("run_dir");
  const Period period = settings.period("checkpoint_every");
  o.checkpoint_epochs = period.epochs;
  o.checkpoint_seconds = period.seconds;
  if (settings.given("checkpoint_every")) o.checkpoint_interval = 0;
  o.keep = static_cast<int>(std::min<Index>(settings.integer("keep"), 1 << 30));
  o.save_best = settings.flag("save_best");
  o.overwrite = settings.flag("overwrite");
  o.tensorboard = settings.flag("tensorboard");
  o.resume_newest = settings.is("resume", "auto");
  if (!o.resume_newest && !settings.is("resume", "no")) o.resume_file = settings.text("resume");
  o.identity = identity(settings, p);
  o.config = settings.to_toml();
  o.manifest = manifest;
  return o;
}

}  // namespace

int train(const Settings& settings) {
  const double start = now();
  const Communicator comm = Communicator::world();
  Screen screen(comm.is_root() ? screen_options(settings)
                               : silent_screen(settings.flag("json_log")));
  Deadline deadline(settings);
  require_same_settings(comm, settings);
  const std::string manifest =
      make_manifest(comm.size(), threads_of(settings), command_line_text());
  const bool keeps = settings.has("run_dir") && !settings.flag("dry_run");
  const Watchdog watchdog(comm, watchdog_options(settings, keeps, screen.bypass()));
  std::optional<ModelChoice> choice;
  comm.agree("", [&] {
    choice.emplace(settings);
    check_monitor(settings);
    if (comm.is_root()) check_outputs(settings, *choice);
  });
  const Placement placement = placement_of(comm, threads_of(settings));
  screen.title(fmt::format("svrg {} · {}{}", version(), placement.text(),
                           keeps ? " · run " + settings.text("run_dir") : ""));
  if (placement.threads > 1)
    screen.fact("cores", fmt::format("{}..{} a rank, as bound by its launcher",
                                     placement.least_cores, placement.most_cores));
  comm.agree("", [&] {
    const auto ignored = ignored_options(settings, *choice);
    if (!comm.is_root()) return;
    for (const std::string& message : ignored) screen.message(LogLevel::warning, message);
    if (const std::string advice = placement.advice(); !advice.empty())
      screen.message(LogLevel::warning, advice);
  });
  Problem p = load_problem(settings, *choice, comm, screen);
  const double seconds_load = now() - start;

  std::unique_ptr<Predictor> predictor;
  comm.agree("", [&] { predictor = make_predictor(p.record); });
  p.record.layout = predictor->layout();
  comm.agree("", [&] { require_names_for_files(p.record.layout); });
  const double weights = sum_of_weights(comm, p.train, reduction_of(settings));
  screen.fact("model", fmt::format("{}{} · l2 {:.6g} (C = {:.6g})", describe(p.record),
                                   p.record.l1 > 0 ? fmt::format(" · l1 {:.6g}", p.record.l1) : "",
                                   p.record.l2, 1 / (p.record.l2 * weights)));
  std::vector<Metric> metrics;
  std::optional<MonitorChoice> monitor;
  Needs needs;
  comm.agree("", [&] {
    metrics = chosen_metrics(settings, p.labels.loss);
    monitor = chosen_monitor(settings, p.labels.loss, metrics);
    needs = training_needs(settings, comm.size(), p.train, p.record);
    const Index needed = p.train.bytes() + needs.bytes();
    const Index limit =
        settings.has("max_memory") ? settings.size("max_memory") : default_max_memory();
    if (needed > limit)
      throw LimitError(fmt::format(
          "training needs {}B on a rank, the limit is {}B; use more ranks "
          "or --max-memory",
          format_count(static_cast<double>(needed)), format_count(static_cast<double>(limit))));
    screen.detail(fmt::format("memory  {}B of rows and {}B for training on this rank",
                              format_count(static_cast<double>(p.train.bytes())),
                              format_count(static_cast<double>(needs.bytes()))));
  });
  Vec<double> current = start_weights(settings, comm, *choice, p.record, screen);
  const Index loaded = comm.max(memory_now()), reading = comm.max(peak_memory());
  const auto setup = make_solver(settings, comm, p.record, p.train, [&] {
    Requests r = SignalWatch::poll();
    r.out_of_time = comm.is_root() && deadline.is_near();
    return r;
  });
  screen.fact("solver", fmt::format("{}, seed {}", setup->describe(), settings.text("seed")));
  if (const std::string costs = setup->costs(); settings.is("engine", "auto") && !costs.empty())
    screen.fact("engine", "the cheapest, by outers x seconds of one: " + costs);
  TrainerOptions options = trainer_options(settings, p, manifest, has_bound(settings, *choice));
  if (monitor) options.monitor = monitor->figure();
  screen.fact(
      "stop",
      fmt::format("{} epochs{}", options.epochs,
                  options.tol_grad > 0
                      ? fmt::format(", or |grad| <= {:.3g} |grad0|", options.tol_grad)
                      : "") +
          (options.tol_gap > 0 ? fmt::format(", or objective error <= {:.3g}", options.tol_gap)
                               : "") +
          (options.patience > 0 ? fmt::format(", or {} without a better {}", options.patience,
                                              replaced(options.monitor.name, '_', ' '))
                                : ""));
  if (settings.flag("dry_run")) {
    const Index rows = comm.max(p.train.bytes() + (p.valid ? p.valid->bytes() : 0));
    for (const auto& [label, text] : in_words(needs, rows, loaded, reading))
      screen.fact(label, text);
    if (comm.is_root()) fmt::print("{}", settings.to_toml());
    return 0;
  }
  Trainer trainer(comm, setup->solver(), p.record, p.train.info().rows, options, screen.sink());
  std::vector<Metric> train_metrics = metrics, valid_metrics = metrics;
  if (monitor) monitor->add_to(train_metrics, false);
  if (monitor) monitor->add_to(valid_metrics, true);
  trainer.set_metrics([&](ConstVecRef<double> w) {
    std::map<std::string, double> values;
    const auto add = [&](const char* prefix, const std::map<std::string, double>& computed) {
      for (const auto& [name, value] : computed) values[prefix + name] = value;
    };
    const Reduction reduction = reduction_of(settings);
    const Loss loss = p.labels.loss;
    const auto scores = setup->scores();
    predictor->set_weights(w);
    add("train_", scores ? evaluate_scores(comm, loss, predictor->scores_per_row(), *scores,
                                           p.train, train_metrics, reduction)
                         : evaluate(comm, *predictor, loss, p.train, train_metrics, reduction));
    if (p.valid)
      add("valid_", evaluate(comm, *predictor, loss, *p.valid, valid_metrics, reduction));
    return values;
  });
  double last_seconds = 0, last_passes = 0;
  trainer.set_on_epoch([&](const io::EpochRecord& r, double first_grad_norm) {
    const double rate = (r.passes - last_passes) * static_cast<double>(p.train.info().rows) /
                        std::max(1e-9, r.wall_seconds - last_seconds);
    last_passes = r.passes;
    last_seconds = r.wall_seconds;
    screen.epoch(line_of(r, first_grad_norm, rate));
  });
  trainer.set_on_checkpoint([&](const CheckpointNote& n) {
    screen.event("checkpoint",
                 {{"path", n.path}, {"epoch", n.epoch}, {"step", n.step}, {"seconds", n.seconds}});
  });
  double last_objective = 0;
  trainer.set_on_tick([&](const Outcome& at, double seconds) {
    if (at.measured) last_objective = at.objective;
    const double rows = at.passes * static_cast<double>(p.train.info().rows);
    screen.tick({.epochs = static_cast<double>(at.epoch),
                 .seconds = seconds,
                 .objective = last_objective,
                 .rows_per_second = rows / std::max(1e-9, seconds)});
  });
  if (setup->knows_phases()) trainer.set_phase_source([&] { return setup->times(); });

  const TrainResult result = trainer.fit(current);

  screen.done(verdict(result, options));
  if (options.save_best && result.best && result.best->at().epoch >= 0)
    screen.fact("best",
                fmt::format("the model is that of epoch {}: {} {:.5g}", result.best->at().epoch,
                            replaced(options.monitor.name, '_', ' '), result.best->value()));
  const bool converged = result.stop_reason == "tolerance";
  if (comm.is_root() && !converged && result.code == ExitCode::done &&
      (options.tol_grad > 0 || options.tol_gap > 0) && !choice->is_net() &&
      result.stop_reason != "precision" && result.stop_reason != "patience")
    screen.message(
        LogLevel::warning,
        "not converged; more epochs (-e) or standardised features are the likeliest remedies");
  const Index memory_peak = comm.max(peak_memory());
  comm.agree("", [&] {
    if (!comm.is_root()) return;
    const io::ModelRecord trained = trained_model(p.record, current, result, options);
    if (keeps) io::save_model(options.run_dir + "/model.h5", trained);
    export_model(settings, trained);
    const Results results = results_of(result, p.train.info().rows,
                                       {.ranks = comm.size(),
                                        .threads = placement.threads,
                                        .seconds_load = seconds_load,
                                        .seconds_total = now() - start,
                                        .memory_peak = memory_peak,
                                        .run_dir = settings.text("run_dir")});
    screen.event("end", results);
    print_results(settings, results);
  });
  SignalWatch::ignore();
  if (result.code != ExitCode::done) return static_cast<int>(result.code);
  if (settings.flag("require_tol") && !converged) return static_cast<int>(ExitCode::tolerance);
  return 0;
}

}  // namespace svrg::app
