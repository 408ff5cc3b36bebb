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
  std::optional<Shard> held_out;  // of --calibrate-fraction
  LabelMap labels;
  io::ModelRecord record;  // of the model to come, without weights
};

/// How the options ask training rows to be read, on so many ranks. Local. @throws ConfigError
ReadOptions training_read_options(const Settings& settings, const ModelChoice& choice, int ranks);

/// Reads or makes the rows of DATA or --synthetic, with the weights of --weights.
/// @param share  of the rows to make; of those read, the caller takes it
/// Collective. @throws CollectiveError (usage, data, limit)
Shard load_rows(const Settings& settings, const ReadOptions& options, const Communicator& comm,
                double share = 1);

/// Makes of rows what the model takes, as the training rows say: class weights, scaling, penalty.
/// Labels are as the loss takes them already (LabelMap::apply). Collective.
/// @throws CollectiveError (usage)
Problem make_problem(const Settings& settings, const ModelChoice& choice, const Communicator& comm,
                     const LabelMap& labels, Shard train, std::optional<Shard> valid);

/// What --l2 or --C, and --l1, weigh.
struct Penalties {
  double l2 = 0, l1 = 0;
};
/// On so many rows of this sum of weights. Local.
Penalties penalties_of(const Settings& settings, Index rows, double weights);
/// The penalty by the options on these training rows, into the record. Collective.
void set_penalty(const Settings& settings, const Communicator& comm, Problem& problem);

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

/// What fixes the path of a solver but for data and model: "key=value" lines. Local.
std::string path_identity(const Settings& settings);

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
