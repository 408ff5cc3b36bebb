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
#include "report_command.hpp"
#include "result_line.hpp"
#include "screen.hpp"
#include "solve.hpp"
#include "subcommands.hpp"
#include "svrg/core/error.hpp"
#include "svrg/core/memory.hpp"
#include "svrg/core/version.hpp"
#include "svrg/train/signals.hpp"
#include "svrg/train/trainer.hpp"
#include "svrg/train/watchdog.hpp"
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

int train(const Settings& settings) {
  const double start = now();
  const Communicator comm = Communicator::world();
  Screen screen(comm.is_root() ? screen_options(settings)
                               : silent_screen(settings.flag("json_log")));
  Deadline deadline(settings);
  require_same_settings(comm, settings);
  const std::string started = make_manifest(comm.size(), threads_of(settings), command_line_text());
  const bool keeps = settings.has("run_dir") && !settings.flag("dry_run");
  if (settings.flag("profile")) comm.tell_waits_apart();
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
  const std::string manifest = with_data(started, p.train.info(), setup->describe());
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
    if (!keeps || !settings.flag("report")) return;
    try {  // of a training that is complete
      write_report({options.run_dir}, options.run_dir + "/report.html");
    } catch (const Error& error) {
      screen.message(LogLevel::warning, fmt::format("no report: {}; svrg report {} makes it",
                                                    error.what(), options.run_dir));
    }
  });
  SignalWatch::ignore();
  if (result.code != ExitCode::done) return static_cast<int>(result.code);
  if (settings.flag("require_tol") && !converged) return static_cast<int>(ExitCode::tolerance);
  return 0;
}

}  // namespace svrg::app
