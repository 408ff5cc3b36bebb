#include "recorded_training.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "model_choice.hpp"
#include "quiet_training.hpp"
#include "screen.hpp"

namespace svrg::app {
namespace {

/// Chains are those of ranks, and a number of ranks cuts the rows for them.
Settings standing_for(const Settings& settings, Index ranks) {
  Settings s = settings;
  if (ranks == 0) return s;
  const std::string algorithm = settings.text("algorithm");
  const bool chains = algorithm == "auto" || algorithm == "local-svrg";
  const Index shards = chains ? ranks : Partition::default_virtual_shards(static_cast<int>(ranks));
  s.set(*find_option(chains ? "chains" : "virtual_shards"), fmt::format("{}", shards),
        Source::command_line, "--simulate");
  return s;
}

/// Step by step, what several times the same training took.
Schedule median_of(const std::vector<Schedule>& schedules) {
  Schedule median = schedules.front();
  std::vector<double> values(schedules.size());
  const auto take = [&](std::size_t step, double ScheduleStep::*seconds) {
    for (std::size_t i = 0; i < schedules.size(); ++i) values[i] = schedules[i].at(step).*seconds;
    const auto middle = values.begin() + static_cast<Index>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    median[step].*seconds = *middle;
  };
  for (std::size_t step = 0; step < median.size(); ++step) {
    take(step, &ScheduleStep::divided);
    take(step, &ScheduleStep::repeated);
  }
  return median;
}

}  // namespace

RecordedTraining record_training(const Settings& settings, const Communicator& comm, Index ranks,
                                 Index repeats) {
  const Settings s = standing_for(settings, ranks);
  Screen silent(silent_screen());
  std::optional<ModelChoice> choice;
  comm.agree("", [&] { choice.emplace(s); });
  QuietTraining bench(*choice, comm, load_problem(s, *choice, comm, silent));
  RecordedTraining training;
  std::vector<Schedule> schedules;
  for (Index repeat = 0; repeat < repeats; ++repeat) {
    Vec<double> w = bench.start(s);
    const TrainResult result =
        bench.train(s, w, {.stands_for = ranks, .schedule = &schedules.emplace_back()});
    training.epochs = result.last.epoch;
    training.passes = result.last.passes;
    training.converged = result.stop_reason == "tolerance" || result.stop_reason == "precision";
  }
  training.schedule = median_of(schedules);
  training.ranks = ranks == 0 ? comm.size() : ranks;
  training.recorded_on = comm.size();
  training.rows = bench.problem().train.info().rows;
  return training;
}

}  // namespace svrg::app
