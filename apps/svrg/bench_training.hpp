#pragma once
#include <memory>
#include <string>
#include <vector>

#include "model_choice.hpp"
#include "solve.hpp"
#include "svrg/core/schedule.hpp"
#include "svrg/train/trainer.hpp"
#include "training_problem.hpp"

namespace svrg::app {

/// A problem by the options that is trained on once or several times, and measured: what svrg train
/// does, without a word on the screen but those of the problem.
class BenchTraining {
 public:
  /// Reads or makes the rows. Collective. @throws CollectiveError as load_problem
  BenchTraining(const Settings& settings, const ModelChoice& choice, const Communicator& comm,
                Screen& screen, double share = 1);

  const Problem& problem() const noexcept { return problem_; }
  /// Of the rows.
  double load_seconds() const noexcept { return load_seconds_; }
  /// Trains from the start. `folder`: a run directory, empty for none; `stands_for`: as so many
  /// ranks would, 0 for those there are; `schedule`: it is written down there, from the first
  /// gradient on. Collective. @throws CollectiveError as a training does
  TrainResult train(const std::string& folder, Index stands_for = 0, Schedule* schedule = nullptr);
  /// How the last training describes itself.
  const std::string& solver() const noexcept { return solver_; }

 private:
  const Settings& settings_;
  const ModelChoice& choice_;
  Communicator comm_;
  double load_seconds_;
  Problem problem_;
  std::unique_ptr<Predictor> predictor_;
  std::vector<Metric> metrics_;
  std::string solver_;
};

}  // namespace svrg::app
