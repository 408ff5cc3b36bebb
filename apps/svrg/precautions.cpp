#include "precautions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "solve.hpp"
#include "svrg/core/clock.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/model_file.hpp"
#include "svrg/solver/engine.hpp"
#include "svrg/train/trainer.hpp"
#include "text.hpp"

namespace svrg::app {

void require_same_settings(const Communicator& comm, const Settings& settings) {
  const std::string mine = settings.to_toml(), roots = comm.broadcast(mine);
  comm.agree("", [&] {
    if (mine == roots) return;
    const auto here = split(mine, '\n'), there = split(roots, '\n');
    const auto [a, b] = std::mismatch(here.begin(), here.end(), there.begin(), there.end());
    throw ConfigError(fmt::format(
        "rank {} has the setting '{}', rank 0 '{}'; give SVRG_* variables to all ranks (mpirun -x "
        "NAME) or set them in the config file",
        comm.rank(), a == here.end() ? "" : *a, b == there.end() ? "" : *b));
  });
}

void check_outputs(const Settings& settings, const ModelChoice& choice) {
  namespace fs = std::filesystem;
  const bool replaces = settings.flag("overwrite"), fresh = settings.is("resume", "no");
  if (!settings.has("run_dir") && settings.is("resume", "auto"))
    throw ConfigError("--resume auto looks into the run directory: give --run-dir");
  if (settings.has("run_dir") && fresh && !replaces) require_no_results(settings.text("run_dir"));
  if (settings.has("calibrate") && !settings.has("valid") &&
      settings.number("valid_fraction") == 0 && settings.number("calibrate_fraction") == 0)
    throw ConfigError(settings.place("calibrate") +
                      ": needs rows held out: --valid, --valid-fraction or --calibrate-fraction");
  if (!settings.has("export")) return;
  const fs::path path = settings.text("export");
  const auto format = io::known_model_format(path);
  if (!format)
    throw ConfigError(
        fmt::format("--export: {} must end in .h5, .hdf5, .npz, .json, .onnx, or in "
                    ".model for liblinear's text",
                    path.string()));
  if (format == io::ModelFormat::liblinear && settings.has("calibrate"))
    throw ConfigError(
        "--export: liblinear's text has no place for --calibrate; use .h5, .npz or "
        ".json");
  const bool text = format == io::ModelFormat::liblinear, folds = settings.flag("fold_scaling");
  if (text && choice.is_net())
    throw ConfigError("--export: liblinear has no nets; use .h5, .npz, .json or .onnx");
  if (folds && choice.is_net())
    throw ConfigError(settings.place("fold_scaling") + ": not an option of nets");
  if ((text || folds) && settings.is("standardize", "zscore") && !choice.intercept())
    throw ConfigError(
        fmt::format("{}: zscore's means cannot be folded into a model without intercept",
                    folds ? settings.place("fold_scaling") : "--export"));
  if (fs::exists(path) && !replaces)
    throw ConfigError(
        fmt::format("--export: {} exists; use --overwrite to replace it", path.string()));
  if (path.has_parent_path() && !fs::is_directory(path.parent_path()))
    throw ConfigError(fmt::format("--export: there is no folder {}", path.parent_path().string()));
}

void require_replaceable(const Settings& settings, const std::string& path, const std::string& in) {
  if (!std::filesystem::exists(path)) return;
  if (!settings.flag("overwrite"))
    throw ConfigError(path + " exists; use --overwrite to replace it");
  if (std::filesystem::equivalent(path, in))
    throw ConfigError(path + " is what is read; write to another file");
}

bool has_bound(const Settings& settings, const ModelChoice& choice) {
  const std::string algorithm = algorithm_of(settings, choice.is_net());
  const bool l2 = !settings.has("l2") || settings.scaled("l2").resolve(1) > 0;  // else by --C
  const bool l1 = settings.scaled("l1").resolve(1) > 0;
  if (choice.is_net()) return false;
  if (algorithm == "auto" || algorithm == "local-svrg") return l2 || l1;
  return l2 && !settings.is("intercept", "yes");
}

std::vector<std::string> ignored_options(const Settings& settings, const ModelChoice& choice) {
  const std::string algorithm = algorithm_of(settings, choice.is_net());
  struct Use {
    const char* name;
    std::vector<std::string> algorithms;
  };
  const std::vector<Use> uses = {{"learning_rate", {"svrg", "sgd", "gd"}},
                                 {"optimizer", {"svrg", "sgd", "gd"}},
                                 {"optimizer_params", {"svrg", "sgd", "gd"}},
                                 {"batch_size", {"svrg", "sgd"}},
                                 {"update_freq", {"svrg", "sgd"}},
                                 {"svrg_coefficient", {"svrg"}},
                                 {"compression", {"svrg", "sgd"}},
                                 {"engine", {"auto", "local-svrg"}},
                                 {"inner_copy", {"auto", "local-svrg"}},
                                 {"rates", {"auto", "local-svrg"}},
                                 {"chains", {"auto", "local-svrg"}},
                                 {"threads", {"auto", "local-svrg"}}};
  std::vector<std::string> ignored;
  const auto changed = [&](const char* name) {
    // A batch script hands on the cores that it has got, whatever the algorithm.
    if (std::string_view(name) == "threads" && settings.source(name) == Source::environment)
      return false;
    return settings.given(name) && settings.text(name) != find_option(name)->default_text;
  };
  for (const Use& use : uses)
    if (changed(use.name) && std::ranges::find(use.algorithms, algorithm) == use.algorithms.end())
      ignored.push_back(fmt::format("{}: not used by --algorithm {}; it is an option of {}",
                                    settings.place(use.name), algorithm,
                                    join(use.algorithms, ", ")));
  for (const char* name : {"hidden", "activation"})
    if (changed(name) && !settings.is("model", "mlp"))
      ignored.push_back(settings.place(name) + ": not used without --model mlp");
  if (changed("huber_delta") && !settings.is("model", "huber"))
    ignored.push_back(settings.place("huber_delta") + ": not used without --model huber");
  if (settings.has("input_shape") && !choice.is_net())
    ignored.push_back(settings.place("input_shape") + ": not used by linear models");
  if (settings.flag("fold_scaling") && !settings.has("export"))
    ignored.push_back(settings.place("fold_scaling") + ": not used without --export");
  for (const char* name : {"tensorboard", "report"})
    if (settings.flag(name) && !settings.has("run_dir"))
      ignored.push_back(settings.place(name) + ": not used without --run-dir");
  if (settings.number("calibrate_fraction") > 0 && !settings.has("calibrate"))
    ignored.push_back(settings.place("calibrate_fraction") +
                      ": its rows are kept for nothing without --calibrate");
  if (settings.has("monitor") && !settings.has("patience") && !settings.flag("save_best"))
    ignored.push_back(settings.place("monitor") + ": not used without --patience or --save-best");
  const bool lasso = settings.scaled("l1").resolve(1) > 0;
  for (const char* name : {"engine", "rates"})
    if (lasso && changed(name) && (algorithm == "auto" || algorithm == "local-svrg"))
      ignored.push_back(settings.place(name) + ": not used with --l1");
  if (settings.has("tol_gap") && !has_bound(settings, choice))
    ignored.push_back(
        settings.place("tol_gap") +
        ": no bound is known for nets, without a penalty (--l2, --l1), or for svrg, sgd "
        "and gd unless --no-intercept and --l2");
  if (settings.flag("overwrite") && !settings.is("resume", "no"))
    ignored.push_back("--overwrite: not used, as --resume goes on with the results that are there");
  return ignored;
}

WatchdogOptions watchdog_options(const Settings& settings, bool keeps, LogSink say) {
  return {.warn = settings.duration("stall_warn"),
          .abort = settings.duration("stall_abort"),
          .folder = keeps ? settings.text("run_dir") : "",
          .say = std::move(say)};
}

Deadline::Deadline(const Settings& settings) {
  constexpr double grace = 20;  // for the last save, where the scheduler will not wait
  end_ = now() + time_limit_seconds(settings) - (settings.is("time_limit", "auto") ? grace : 0);
}

bool Deadline::is_near() {
  const double moment = now();
  if (last_look_) longest_ = std::max(longest_, moment - *last_look_);
  last_look_ = moment;
  return moment + longest_ >= end_;
}

}  // namespace svrg::app
