// A training from its rows to its model. Every step that may fail on one rank ends in agreement.
#include "training_run.hpp"

#include <fmt/format.h>

#include <cmath>

#include "manifest.hpp"
#include "monitor_choice.hpp"
#include "needs.hpp"
#include "problem.hpp"
#include "quantity.hpp"
#include "report_command.hpp"
#include "solve.hpp"
#include "svrg/core/error.hpp"
#include "svrg/core/memory.hpp"
#include "svrg/train/calibrate.hpp"
#include "svrg/train/signals.hpp"
#include "svrg/train/trainer.hpp"
#include "system_memory.hpp"
#include "text.hpp"
#include "train_report.hpp"
#include "training_problem.hpp"

namespace svrg::app {
namespace {

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

}  // namespace

void warn_of_options(const RunContext& run) {
  run.comm.agree("", [&] {
    const auto ignored = ignored_options(run.settings, run.choice);
    if (!run.comm.is_root()) return;
    for (const std::string& message : ignored) run.screen.message(LogLevel::warning, message);
    if (const std::string advice = run.placement.advice(); !advice.empty())
      run.screen.message(LogLevel::warning, advice);
  });
}

namespace {

/// Fits --calibrate with the weights that the model gets, and says what it does to rows held out.
/// Null: not asked for. Collective.
Results calibrated(const RunContext& run, const Problem& p, Predictor& predictor,
                   const Vec<double>& weights, io::ModelRecord& record) {
  const Settings& settings = run.settings;
  if (!settings.has("calibrate")) return {};
  Vec<double> w = weights;
  run.comm.broadcast(std::span(w.data(), static_cast<std::size_t>(w.size())));
  predictor.set_weights(w);
  const Shard& rows = p.held_out ? *p.held_out : *p.valid;
  const std::vector<Metric> error = {Metric::of("ece"), Metric::of("ce")};
  const auto measured = [&] {
    return evaluate(run.comm, predictor, p.labels.loss, rows, error, reduction_of(settings));
  };
  const auto before = measured();
  record.calibration = calibrate(run.comm, predictor, p.labels.loss, rows,
                                 settings.text("calibrate"), reduction_of(settings));
  predictor.set_calibration(record.calibration);
  const auto after = measured();
  const io::Calibration& c = record.calibration;
  run.screen.fact("proba",
                  fmt::format("{} on {} rows{}: slope {:.5g}, offset {:.5g}; there "
                              "calibration error {:.2g} -> {:.2g}, cross-entropy {:.5g} -> "
                              "{:.5g}",
                              c.method, grouped(rows.info().rows),
                              p.held_out ? " held out" : " of validation", c.slope, c.offset,
                              before.at("ece"), after.at("ece"), before.at("ce"), after.at("ce")));
  return {{"method", c.method},
          {"slope", c.slope},
          {"offset", c.offset},
          {"rows", rows.info().rows},
          {"ece_before", before.at("ece")},
          {"ece", after.at("ece")},
          {"ce_before", before.at("ce")},
          {"ce", after.at("ce")}};
}

}  // namespace

RunEnding run_training(const RunContext& run, const std::optional<Vec<double>>& start) {
  const Settings& settings = run.settings;
  const Communicator& comm = run.comm;
  Screen& screen = run.screen;
  const bool keeps = settings.has("run_dir") && !settings.flag("dry_run");
  Problem p = load_problem(settings, run.choice, comm, screen);
  const double seconds_load = now() - run.started;

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
    if (settings.has("calibrate")) try {
        require_calibration(settings.text("calibrate"), p.labels.loss);
      } catch (const ConfigError& error) {
        throw ConfigError(settings.place("calibrate") + ": " + error.what());
      }
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
  Vec<double> current =
      start ? *start : start_weights(settings, comm, run.choice, p.record, screen);
  const Index loaded = comm.max(memory_now()), reading = comm.max(peak_memory());
  const auto setup = make_solver(settings, comm, p.record, p.train, [&] {
    Requests r = SignalWatch::poll();
    r.out_of_time = comm.is_root() && run.deadline.is_near();
    return r;
  });
  screen.fact("solver", fmt::format("{}, seed {}", setup->describe(), settings.text("seed")));
  if (const std::string costs = setup->costs(); settings.is("engine", "auto") && !costs.empty())
    screen.fact("engine", "the cheapest, by outers x seconds of one: " + costs);
  const std::string manifest = with_data(run.manifest, p.train.info(), setup->describe());
  TrainerOptions options = trainer_options(settings, p, manifest, has_bound(settings, run.choice));
  options.reference_at_zero = options.reference_at_zero || start;
  options.own_folder = run.own_folder;
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
    return {};
  }
  Trainer trainer(comm, setup->solver(), p.record, p.train.info().rows, options, screen.sink());
  std::vector<Metric> train_metrics = metrics, valid_metrics = metrics;
  if (monitor) monitor->add_to(train_metrics, false);
  if (monitor) monitor->add_to(valid_metrics, true);
  trainer.set_metrics([&](ConstVecRef<double> w) {
    return metrics_at(w, settings, comm, p, *predictor, *setup, train_metrics, valid_metrics);
  });
  if (keeps)
    trainer.set_evaluation([&](ConstVecRef<double> w, bool solved) {
      predictor->set_weights(w);
      return evaluation_at_end(comm, *predictor, p.labels, p.train, p.valid,
                               solved ? setup->scores() : std::nullopt, reduction_of(settings));
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
  trainer.set_phase_source([&] { return setup->times(); }, setup->rest());

  const TrainResult result = trainer.fit(current);

  screen.done(verdict(result, options));
  if (options.save_best && result.best && result.best->at().epoch >= 0)
    screen.fact("best",
                fmt::format("the model is that of epoch {}: {} {:.5g}", result.best->at().epoch,
                            replaced(options.monitor.name, '_', ' '), result.best->value()));
  const bool converged = result.stop_reason == "tolerance";
  if (comm.is_root() && !converged && result.code == ExitCode::done &&
      (options.tol_grad > 0 || options.tol_gap > 0) && !run.choice.is_net() &&
      result.stop_reason != "precision" && result.stop_reason != "patience")
    screen.message(
        LogLevel::warning,
        "not converged; more epochs (-e) or standardised features are the likeliest remedies");
  RunEnding ending;
  const Results calibration =
      result.code == ExitCode::done
          ? calibrated(run, p, *predictor,
                       comm.is_root() ? trained_model(p.record, current, result, options).weights
                                      : current,
                       p.record)
          : Results();
  const Index memory_peak = comm.max(peak_memory());
  comm.agree("", [&] {
    if (!comm.is_root()) return;
    const io::ModelRecord trained = trained_model(p.record, current, result, options);
    if (keeps) io::save_model(options.run_dir + "/model.h5", trained);
    export_model(settings, trained);
    ending.results = results_of(result, p.train.info().rows,
                                {.ranks = comm.size(),
                                 .threads = run.placement.threads,
                                 .seconds_load = seconds_load,
                                 .seconds_total = now() - run.started,
                                 .memory_peak = memory_peak,
                                 .run_dir = settings.text("run_dir")});
    if (!calibration.is_null()) ending.results["calibration"] = calibration;
    if (!keeps || !settings.flag("report")) return;
    try {  // of a training that is complete
      write_report({options.run_dir}, options.run_dir + "/report.html");
    } catch (const Error& error) {
      screen.message(LogLevel::warning, fmt::format("no report: {}; svrg report {} makes it",
                                                    error.what(), options.run_dir));
    }
  });
  ending.code = result.code != ExitCode::done                ? static_cast<int>(result.code)
                : settings.flag("require_tol") && !converged ? static_cast<int>(ExitCode::tolerance)
                                                             : 0;
  return ending;
}

}  // namespace svrg::app
