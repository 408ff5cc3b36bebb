// svrg tune: cross-validate a path of penalties, choose, and train on all rows as svrg train does.
#include <fmt/format.h>

#include <optional>

#include "cross_validation.hpp"
#include "manifest.hpp"
#include "quantity.hpp"
#include "solve.hpp"
#include "subcommands.hpp"
#include "svrg/core/error.hpp"
#include "svrg/core/version.hpp"
#include "svrg/train/signals.hpp"
#include "svrg/train/trainer.hpp"
#include "svrg/train/watchdog.hpp"
#include "training_run.hpp"
#include "tuning_choice.hpp"
#include "tuning_grid.hpp"

namespace svrg::app {
namespace {

/// What a config file may say to svrg train, and would be lost here.
void check_tuning(const Settings& settings, const ModelChoice& choice) {
  if (choice.is_net())
    throw ConfigError(settings.place("model") + ": svrg tune is for linear models");
  if (!settings.is("resume", "no") && !settings.is("resume", "auto"))
    throw ConfigError(settings.place("resume") +
                      ": svrg tune goes on with a run directory: --resume auto");
  const auto refuse = [&](const char* name, const char* why) {
    throw ConfigError(fmt::format("{}: {}; leave it out", settings.place(name), why));
  };
  if (settings.number("valid_fraction") > 0) refuse("valid_fraction", "svrg tune holds out folds");
  if (settings.has("calibrate") || settings.number("calibrate_fraction") > 0)
    refuse(settings.has("calibrate") ? "calibrate" : "calibrate_fraction",
           "svrg train calibrates, with the penalty chosen");
  if (settings.has("warm_start")) refuse("warm_start", "svrg tune starts from no model");
  if (settings.has("patience") || settings.flag("save_best"))
    refuse(settings.has("patience") ? "patience" : "save_best",
           "svrg tune trains each model to its tolerance");
}

Results results_at(const io::TuningStudy& study, Index point) {
  const auto p = static_cast<std::size_t>(point);
  Results results = {{"setting", study.settings[p]}, {"l2", study.l2[p]}, {"l1", study.l1[p]}};
  for (std::size_t m = 0; m < study.metrics.size(); ++m) {
    results["mean_" + study.metrics[m]] = study.mean[p * study.metrics.size() + m];
    results["standard_error_" + study.metrics[m]] = study.error[p * study.metrics.size() + m];
  }
  return results;
}

Results results_of(const io::TuningStudy& study) {
  Results points = Results::array();
  for (Index p = 0; p < static_cast<Index>(study.settings.size()); ++p)
    points.push_back(results_at(study, p));
  return {{"metric", study.metrics.front()},
          {"rule", study.rule},
          {"best", results_at(study, study.best)},
          {"chosen", results_at(study, study.chosen)},
          {"points", points},
          {"folds", study.held_out.size()},
          {"ranks", study.ranks},
          {"groups", study.groups}};
}

class Tuning {
 public:
  Tuning(const RunContext& run, const TuningGrid& grid) : run_(run), grid_(grid) {}

  int run() {
    const double start = now();
    CrossValidation validation = cross_validate(run_, grid_);
    if (run_.settings.flag("dry_run")) {
      if (run_.comm.is_root()) fmt::print("{}", run_.settings.to_toml());
      return 0;
    }
    if (!validation.stop_reason.empty()) return stopped(validation);
    decide(validation.study);
    results_["cells_trained"] = validation.trained;
    results_["cells_resumed"] = validation.cells - validation.trained;
    results_["seconds_tune"] = now() - start;
    const int code = refit(validation);
    finish();
    return code;
  }

 private:
  void on_root(const std::function<void()>& work) {
    run_.comm.agree("", [&] {
      if (run_.comm.is_root()) work();
    });
  }
  bool keeps() const { return run_.settings.has("run_dir"); }

  int stopped(const CrossValidation& validation) {
    const Index done = validation.cells - validation.unfinished;
    run_.screen.done(fmt::format(
        "stopped by {} after {} of {} trainings; {}",
        validation.stop_reason == "time" ? "the time limit" : "a signal", done, validation.cells,
        keeps() ? "go on with --resume auto" : "nothing is kept without --run-dir"));
    results_ = {{"stop_reason", validation.stop_reason},
                {"cells", validation.cells},
                {"cells_trained", validation.trained},
                {"cells_done", done},
                {"run_dir", run_.settings.text("run_dir")}};
    finish();
    return static_cast<int>(ExitCode::stopped);
  }

  /// Root chooses and writes it down; everybody knows the point.
  void decide(io::TuningStudy& study) {
    on_root([&] {
      choose(study, tuning_metrics(run_.settings, loss_from_name(study.kind)).front(),
             run_.settings.flag("one_se"));
      if (keeps()) io::write_tuning(run_.settings.text("run_dir") + "/tuning.h5", study);
      for (const std::string& line : table_of(study)) run_.screen.line(line);
      const auto missed = std::ranges::count(study.cells, false, &io::TuningCell::converged);
      if (missed > 0)
        run_.screen.message(LogLevel::warning,
                            fmt::format("{} of {} trainings did not reach their tolerance; more "
                                        "epochs (-e) or standardised features are the likeliest "
                                        "remedies",
                                        missed, study.cells.size()));
      chosen_ = study.chosen;
      results_ = results_of(study);
    });
    run_.comm.broadcast(std::span(&chosen_, 1));
    run_.screen.fact("chosen", grid_.text(chosen_));
  }

  int refit(const CrossValidation& validation) {
    if (!keeps() && !run_.settings.has("export")) {
      if (run_.comm.is_root())
        run_.screen.message(LogLevel::info,
                            "no model on all rows without --run-dir or --export; svrg train makes "
                            "it, too");
      return 0;
    }
    const Settings settings = grid_.settings_at(run_.settings, chosen_);
    const auto parameters = static_cast<Index>(validation.weights.size() / grid_.points().size());
    const Vec<double> start =
        Eigen::Map<const Vec<double>>(validation.weights.data() + chosen_ * parameters, parameters);
    const RunContext run{settings,       run_.choice,   run_.comm, run_.screen, run_.deadline,
                         run_.placement, run_.manifest, now(),     true};
    const RunEnding ending = run_training(run, start);
    results_["refit"] = ending.results;
    return ending.code;
  }

  void finish() {
    on_root([&] {
      run_.screen.event("end", results_);
      print_results(run_.settings, results_);
    });
  }

  const RunContext& run_;
  const TuningGrid& grid_;
  Index chosen_ = 0;
  Results results_ = Results::object();
};

}  // namespace

int tune(const Settings& settings) {
  const double start = now();
  const Communicator comm = Communicator::world();
  Screen screen(comm.is_root() ? screen_options(settings)
                               : silent_screen(settings.flag("json_log")));
  Deadline deadline(settings);
  require_same_settings(comm, settings);
  const std::string manifest =
      make_manifest(comm.size(), threads_of(settings), command_line_text());
  std::optional<ModelChoice> choice;
  std::optional<TuningGrid> grid;
  comm.agree("", [&] {
    grid.emplace(settings);
    choice.emplace(settings);
    check_tuning(settings, *choice);
    if (comm.is_root()) check_outputs(settings, *choice);
  });
  const Placement placement = placement_of(comm, threads_of(settings));
  screen.title(fmt::format("svrg {} tune · {}{}", version(), placement.text(),
                           settings.has("run_dir") ? " · run " + settings.text("run_dir") : ""));
  const RunContext run{settings, *choice, comm, screen, deadline, placement, manifest, start};
  warn_of_options(run);
  const int code = Tuning(run, *grid).run();
  SignalWatch::ignore();
  return code;
}

}  // namespace svrg::app
