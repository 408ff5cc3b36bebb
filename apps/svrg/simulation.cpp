#include "simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>

#include "cost_fit.hpp"
#include "recorded_training.hpp"
#include "replay.hpp"
#include "solve.hpp"
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
  auto observations = timed_reductions(world);
  const Communicator alone = world.split(world.is_root() ? 0 : 1, world.rank());
  std::string failure;
  auto code = ExitCode::done;
  if (world.is_root()) try {
      const auto measured = observations_of(study);
      observations.insert(observations.end(), measured.begin(), measured.end());
      study.fit = fit_costs(observations);
      for (const Platform& platform : platforms) study.platforms.push_back(platform.describe());
      std::vector<Index> all = ranks;  // one rank is what the others are compared with
      if (all.front() != 1) all.insert(all.begin(), 1);
      ReplayOptions options;
      options.adding = seconds_of_adding_a_byte();
      std::vector<bool> ended(platforms.size(), false);
      for (const Index p : all) {
        if (study.simulated.size() > 0 && p > study.simulated.front().rows) {
          screen.message(LogLevel::warning,
                         fmt::format("{} ranks are more than there are rows: the simulation ends "
                                     "before them",
                                     p));
          break;
        }
        const RecordedTraining training = record_training(settings, alone, p);
        for (std::size_t i = 0; i < platforms.size(); ++i) {
          if (ended[i]) continue;
          try {
            study.simulated.push_back(run_of(platforms[i], training, study.fit, options));
          } catch (const LimitError& error) {
            ended[i] = true;
            screen.message(LogLevel::warning,
                           fmt::format("{} is simulated on less than {} ranks: {}",
                                       platforms[i].name, p, error.what()));
          }
        }
      }
      std::stable_sort(study.simulated.begin(), study.simulated.end(),
                       [&](const auto& a, const auto& b) {
                         const auto at = [&](const std::string& name) {
                           return std::find_if(platforms.begin(), platforms.end(),
                                               [&](const Platform& p) { return p.name == name; });
                         };
                         return at(a.platform) < at(b.platform);
                       });
    } catch (const Error& error) {
      code = error.code();
      failure = error.what();
    }
  world.rest();
  world.agree("", [&] {
    if (code != ExitCode::done) throw Error(code, failure);
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
