#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model_choice.hpp"
#include "problem.hpp"
#include "screen.hpp"
#include "solve.hpp"
#include "svrg/train/trainer.hpp"

namespace svrg::app {

/// What a training stands on, by the options.
struct Problem {
  Shard train;
  std::optional<Shard> valid;
  LabelMap labels;
  io::ModelRecord record;  // of the model to come, without weights
};

/// Reads or makes the rows, says so on the screen, and makes of them what the model takes.
/// @param share  of the rows of DATA or --synthetic to train on
/// Collective. @throws CollectiveError (usage, data, limit)
Problem load_problem(const Settings& settings, const ModelChoice& choice, const Communicator& comm,
                     Screen& screen, double share = 1);

/// Over the training rows of all ranks. Collective.
double sum_of_weights(const Communicator& comm, const Shard& shard, Reduction reduction);

/// Zero for a linear model, random for a net, or those of --warm-start. Collective.
Vec<double> start_weights(const Settings& settings, const Communicator& comm,
                          const ModelChoice& choice, const io::ModelRecord& record, Screen& screen);

/// When to stop and what to keep, by the options. `bounded`: a bound on the gap is known. Local.
/// @throws ConfigError
TrainerOptions trainer_options(const Settings& settings, const Problem& problem,
                               const std::string& manifest, bool bounded);

/// "train_acc" and the like at weights w, by the solver's scores where it holds them. Collective.
std::map<std::string, double> metrics_at(ConstVecRef<double> w, const Settings& settings,
                                         const Communicator& comm, const Problem& problem,
                                         Predictor& predictor, SolverSetup& setup,
                                         const std::vector<Metric>& train_metrics,
                                         const std::vector<Metric>& valid_metrics);

}  // namespace svrg::app
