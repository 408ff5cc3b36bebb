#include "simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <fstream>
#include <limits>
#include <optional>
#include <utility>

#include "cost_fit.hpp"
#include "quantity.hpp"
#include "recorded_training.hpp"
#include "replay.hpp"
#include "solve.hpp"
#include "svrg/core/clock.hpp"
#include "svrg/core/error.hpp"

namespace svrg::app {
namespace {

/// α and β of the platform, γ of the measured runs.
double model_seconds(const Platform& platform, const io::CostFit& fit,
                     const RecordedTraining& training, const std::vector<PlannedStep>& plan) {
  if (platform.kind == Platform::Kind::file || fit.seconds_per_row == 0)
    return std::numeric_limits<double>::quiet_NaN();
  const io::CostFit there = {.latency = platform.latency,
                             .seconds_per_byte = 1 / platform.bandwidth,
                             .seconds_per_row = fit.seconds_per_row};
  return predicted_seconds(there, {.ranks = training.ranks,
                                   .rows = static_cast<double>(training.rows) * training.passes,
                                   .messages = static_cast<double>(messages_of(plan)),
                                   .bytes = static_cast<double>(bytes_of(plan))});
}

io::SimulatedRun run_of(const Platform& platform, const RecordedTraining& training,
                        const io::CostFit& fit, const ReplayOptions& options) {
  const auto plan = plan_of(training.schedule, training.recorded_on, training.ranks);
  io::SimulatedRun run;
  run.platform = platform.name;
  run.ranks = training.ranks;
  run.rows = training.rows;
  run.epochs = training.epochs;
  run.converged = training.converged;
  run.train_seconds = replayed_seconds(plan, platform, training.ranks, options);
  run.communication_seconds = std::max(0.0, run.train_seconds - own_seconds(plan));
  run.model_seconds = model_seconds(platform, fit, training, plan);
  run.bytes_communicated = bytes_of(plan);
  run.messages = messages_of(plan);
  return run;
}

const io::SimulatedRun* on_one_rank(const io::ScalingStudy& study, const std::string& platform) {
  for (const io::SimulatedRun& run : study.simulated)
    if (run.platform == platform && run.ranks == 1) return &run;
  return nullptr;
}

io::CostFit fit_of(std::vector<CostObservation> reductions, const io::ScalingStudy& study) {
  const auto trainings = observations_of(study);
  reductions.insert(reductions.end(), trainings.begin(), trainings.end());
  return fit_costs(reductions);
}

/// Root's part: every number of ranks is trained for once, and replayed on every platform.
class Simulation {
 public:
  Simulation(const Settings& settings, const Communicator& alone,
             const std::vector<Platform>& platforms, io::ScalingStudy& study, Screen& screen)
      : settings_(settings),
        alone_(alone),
        study_(study),
        screen_(screen),
        adding_(seconds_of_adding_a_byte()) {
    for (const Platform& platform : platforms) {
      study.platforms.push_back(platform.describe());
      runs_.push_back({platform, {}, false});
    }
  }

  void run(std::vector<Index> ranks) {
    if (ranks.front() != 1) ranks.insert(ranks.begin(), 1);  // what the others are compared with
    Index rows = 0;
    for (const Index p : ranks) {
      if (rows > 0 && p > rows) {
        screen_.message(LogLevel::warning,
                        fmt::format("{} ranks are more than there are rows: the simulation ends "
                                    "before them",
                                    p));
        break;
      }
      rows = add(p);
    }
    for (OnPlatform& on : runs_) std::ranges::move(on.runs, std::back_inserter(study_.simulated));
  }

 private:
  struct OnPlatform {
    Platform platform;
    std::vector<io::SimulatedRun> runs;
    bool ended;  // more ranks are too many
  };

  Index add(Index ranks) {
    const double start = now();
    const auto training = record_training(settings_, alone_, ranks, settings_.integer("repeats"));
    const double recorded = now();
    for (OnPlatform& on : runs_) {
      if (on.ended) continue;
      try {
        on.runs.push_back(run_of(on.platform, training, study_.fit, {.adding = adding_}));
      } catch (const LimitError& error) {
        on.ended = true;
        screen_.message(LogLevel::warning, fmt::format("{} is simulated on less than {} ranks: {}",
                                                       on.platform.name, ranks, error.what()));
      }
    }
    screen_.line(fmt::format("as {} rank{}: trained in {}, simulated in {}", ranks,
                             ranks == 1 ? "" : "s", format_seconds(recorded - start),
                             format_seconds(now() - recorded)));
    return training.rows;
  }

  const Settings& settings_;
  Communicator alone_;
  io::ScalingStudy& study_;
  Screen& screen_;
  double adding_;
  std::vector<OnPlatform> runs_;
};

}  // namespace

std::vector<Platform> platforms_asked_for(const Settings& settings,
                                          const std::vector<Index>& ranks) {
  std::vector<Platform> platforms;
  if (!settings.has("simulate")) return platforms;
  const std::string place = settings.place("simulate");
  for (const std::string& text : settings.list("simulate")) {
    try {
      platforms.push_back(platform_from(text));
    } catch (const ConfigError& error) {
      throw ConfigError(fmt::format("{}: {}", place, error.what()));
    }
    const Platform& platform = platforms.back();
    if (platform.kind == Platform::Kind::file && !std::ifstream(platform.path))
      throw ConfigError(fmt::format("{}: {} cannot be read", place, platform.path));
  }
  if (const std::string missing = missing_for_replays(); !missing.empty())
    throw ConfigError(fmt::format("{}: {}", place, missing));
  if (!settings.is("scaling", "strong")) throw ConfigError(place + ": is for --scaling strong");
  if (settings.given("chains") || settings.given("virtual_shards") || threads_of(settings) > 1)
    throw ConfigError(place +
                      ": a rank has one chain and one thread: leave out --chains, "
                      "--virtual-shards and --threads");
  for (const Index p : ranks)
    if (!std::has_single_bit(static_cast<std::uint64_t>(p)))
      throw ConfigError(
          fmt::format("{}: simulated ranks are powers of two, got {}", settings.place("ranks"), p));
  return platforms;
}

void simulate(const Settings& settings, const Communicator& world,
              const std::vector<Platform>& platforms, const std::vector<Index>& ranks,
              io::ScalingStudy& study, Screen& screen) {
  const auto reductions = timed_reductions(world);
  const Communicator alone = world.split(world.is_root() ? 0 : 1, world.rank());
  std::optional<Error> failure;
  if (world.is_root()) {
    try {
      study.fit = fit_of(reductions, study);
      Simulation(settings, alone, platforms, study, screen).run(ranks);
    } catch (const Error& error) {
      failure = error;
    }
  }
  world.rest();
  world.agree("", [&] {
    if (failure) throw *failure;
  });
}

double efficiency_of(const io::ScalingStudy& study, const io::SimulatedRun& run) {
  const io::SimulatedRun* one = on_one_rank(study, run.platform);
  return one ? one->train_seconds / (run.train_seconds * static_cast<double>(run.ranks))
             : std::numeric_limits<double>::quiet_NaN();
}

std::vector<Payoff> payoffs_of(const io::ScalingStudy& study) {
  std::vector<Payoff> payoffs;
  double least = 0;
  for (const io::SimulatedRun& run : study.simulated) {
    if (payoffs.empty() || payoffs.back().platform != run.platform) {
      payoffs.push_back({.platform = run.platform});
      least = std::numeric_limits<double>::infinity();
    }
    Payoff& payoff = payoffs.back();
    payoff.all_efficient = efficiency_of(study, run) >= 0.5;
    if (payoff.all_efficient) payoff.efficient = run.ranks;
    if (run.train_seconds >= least) continue;
    least = run.train_seconds;
    payoff.fastest = run.ranks;
  }
  return payoffs;
}

}  // namespace svrg::app
