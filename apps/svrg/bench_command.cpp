// svrg bench: how training scales over ranks, or what a rank does in a second.
#include <fmt/format.h>

#include <filesystem>

#include "measured_rates.hpp"
#include "placement.hpp"
#include "precautions.hpp"
#include "result_line.hpp"
#include "scaling_bench.hpp"
#include "simulation.hpp"
#include "solve.hpp"
#include "subcommands.hpp"
#include "svrg/core/error.hpp"
#include "svrg/core/version.hpp"
#include "svrg/io/file.hpp"
#include "svrg/model/instruction_set.hpp"

namespace svrg::app {
namespace {

constexpr Index most_simulated = 1 << 16;

int bench_rates(const Settings& settings, const Communicator& comm) {
  comm.agree("", [&] {
    if (!settings.has("rates"))
      throw ConfigError(
          "svrg bench needs data to train on, DATA or --synthetic N,D, or --rates FILE: where to "
          "write what a rank does in a second");
    if (comm.is_root()) require_replaceable(settings, settings.text("rates"), "");
    if (!settings.is("instructions", "auto")) use_instruction_set(settings.text("instructions"));
  });
  if (comm.is_root())
    fmt::print("{} rank{}, {}: about 10 seconds\n", comm.size(), comm.size() == 1 ? "" : "s",
               instruction_set());
  const Rates rates = measured_rates(comm);
  comm.agree("", [&] {
    if (!comm.is_root()) return;
    io::write_file(settings.text("rates"), to_text(rates));
    fmt::print("{}written to {}; svrg train --rates {} chooses its engine by it\n", to_text(rates),
               settings.text("rates"), settings.text("rates"));
  });
  return 0;
}

void check_out(const Settings& settings) {
  if (!settings.has("out")) return;
  const std::filesystem::path path = settings.text("out");
  require_replaceable(settings, path.string(), settings.text("train"));
  if (path.has_parent_path() && !std::filesystem::is_directory(path.parent_path()))
    throw ConfigError(fmt::format("--out: there is no folder {}", path.parent_path().string()));
  if (const std::string left = training_folder(path.string());
      std::filesystem::exists(left) && !settings.flag("overwrite"))
    throw ConfigError(left + " is left of a study that was killed; use --overwrite to replace it");
}

void show(const std::vector<ScalingPoint>& points, Screen& screen) {
  screen.line(fmt::format("{:>6} {:>7} {:>11} {:>11} {:>9} {:>11} {:>11} {:>10} {:>8} {:>7}",
                          "ranks", "epochs", "epoch", "training", "speed-up", "efficiency",
                          "of an epoch", "allreduce", "waiting", "spread"));
  for (const ScalingPoint& p : points)
    screen.line(fmt::format(
        "{:>6} {:>7} {:>9.4g} s {:>9.4g} s {:>9.2f} {:>9.0f} % {:>9.0f} % "
        "{:>8.1f} % {:>6.1f} % {:>5.0f} %",
        p.ranks, p.epochs, p.epoch_seconds, p.train_seconds, p.speedup, 100 * p.efficiency,
        100 * p.epoch_efficiency, 100 * p.communication, 100 * p.waiting, 100 * p.spread));
}

Results results_of(const Settings& settings, const io::ScalingStudy& study,
                   const std::vector<ScalingPoint>& points) {
  Results results = {{"mode", study.mode},
                     {"data", study.data},
                     {"algorithm", study.algorithm},
                     {"repeats", settings.integer("repeats")}};
  const auto list = [&](const char* name, auto ScalingPoint::*member) {
    auto& values = results[name] = Results::array();
    for (const ScalingPoint& p : points) values.push_back(p.*member);
  };
  list("ranks", &ScalingPoint::ranks);
  list("epochs", &ScalingPoint::epochs);
  list("train_seconds", &ScalingPoint::train_seconds);
  list("epoch_seconds", &ScalingPoint::epoch_seconds);
  list("rows_per_second", &ScalingPoint::rows_per_second);
  list("speedup", &ScalingPoint::speedup);
  list("efficiency", &ScalingPoint::efficiency);
  list("epoch_efficiency", &ScalingPoint::epoch_efficiency);
  list("communication_share", &ScalingPoint::communication);
  list("wait_share", &ScalingPoint::waiting);
  list("spread", &ScalingPoint::spread);
  results["file"] = settings.text("out");
  return results;
}

void show_simulated(const io::ScalingStudy& study, Screen& screen) {
  for (const std::string& platform : study.platforms)
    screen.line("simulated, not measured: " + platform);
  screen.line(fmt::format("{:>6} {:>7} {:>11} {:>11} {:>11} {:>14} {:>11}  {}", "ranks", "epochs",
                          "epoch", "training", "efficiency", "communication", "by formula", "on"));
  for (const io::SimulatedRun& r : study.simulated)
    screen.line(fmt::format(
        "{:>6} {:>7} {:>9.4g} s {:>9.4g} s {:>9.0f} % {:>12.1f} % {:>9.4g} s  {}{}", r.ranks,
        r.epochs, r.train_seconds / static_cast<double>(std::max<Index>(1, r.epochs)),
        r.train_seconds, 100 * efficiency_of(study, r),
        100 * r.communication_seconds / r.train_seconds, r.model_seconds, r.platform,
        r.converged ? "" : ", not converged"));
  for (const Payoff& p : payoffs_of(study))
    screen.line(fmt::format("{}: the fastest are {} ranks; {} {} at least half as efficient as one",
                            p.platform, p.fastest, p.efficient,
                            p.all_efficient ? "and maybe more are" : "are"));
}

void add_simulated(const io::ScalingStudy& study, Results& results) {
  auto& runs = results["simulated"] = Results::array();
  for (const io::SimulatedRun& r : study.simulated)
    runs.push_back({{"platform", r.platform},
                    {"ranks", r.ranks},
                    {"epochs", r.epochs},
                    {"converged", r.converged},
                    {"train_seconds", r.train_seconds},
                    {"communication_seconds", r.communication_seconds},
                    {"model_seconds", r.model_seconds},
                    {"efficiency", efficiency_of(study, r)},
                    {"bytes_communicated", r.bytes_communicated},
                    {"messages", r.messages}});
}

int bench_scaling(const Settings& settings, const Communicator& comm) {
  Screen screen(comm.is_root() ? screen_options(settings) : silent_screen());
  require_same_settings(comm, settings);
  std::vector<Index> ranks, simulated;
  std::vector<Platform> platforms;
  comm.agree("", [&] {
    simulated = ranks_asked_for(settings, settings.has("simulate") ? most_simulated : comm.size());
    platforms = platforms_asked_for(settings, simulated);
    for (const Index p : simulated)
      if (p <= comm.size()) ranks.push_back(p);
    if (ranks.empty()) ranks.push_back(1);
    if (comm.is_root()) check_out(settings);
  });
  screen.title(fmt::format("svrg {} bench · {} · {} scaling", version(),
                           placement_of(comm, threads_of(settings)).text(),
                           settings.text("scaling")));
  comm.agree("", [&] {
    const auto ignored = ignored_options(settings, ModelChoice(settings));
    if (!comm.is_root()) return;
    for (const std::string& message : ignored) screen.message(LogLevel::warning, message);
  });
  io::ScalingStudy study = measure_scaling(settings, comm, ranks, screen);
  std::vector<ScalingPoint> points;
  const auto keep = [&] {
    if (settings.has("out")) io::write_scaling(settings.text("out"), study);
  };
  // What was measured is safe before anything is simulated.
  comm.agree("", [&] {
    if (!comm.is_root()) return;
    points = points_of(study);
    show(points, screen);
    keep();
  });
  if (!platforms.empty()) simulate(settings, comm, platforms, simulated, study, screen);
  comm.agree("", [&] {
    if (!comm.is_root()) return;
    if (!platforms.empty()) {
      show_simulated(study, screen);
      keep();
    }
    Results results = results_of(settings, study, points);
    if (!platforms.empty()) add_simulated(study, results);
    print_results(settings, results);
  });
  return 0;
}

}  // namespace

int bench(const Settings& settings) {
  const Communicator comm = Communicator::world();
  const bool has_data = settings.has("train") || settings.has("synthetic");
  return has_data ? bench_scaling(settings, comm) : bench_rates(settings, comm);
}

}  // namespace svrg::app
