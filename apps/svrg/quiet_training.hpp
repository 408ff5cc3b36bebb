#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model_choice.hpp"
#include "solve.hpp"
#include "svrg/core/schedule.hpp"
#include "svrg/train/trainer.hpp"
#include "training_problem.hpp"

namespace svrg::app {

/// How a training without a word on the screen differs from that of svrg train.
struct QuietOptions {
  std::string folder{};          // a run directory; empty: none
  Index stands_for = 0;          // as so many ranks would; 0: as those there are
  Schedule* schedule = nullptr;  // it is written down there, from the first gradient on
  RequestProbe probe{};          // what is asked of it from outside; empty: nothing
  bool measures = true;          // the metrics of each epoch
  /// Where it starts is no reason to stop later or sooner than from zero.
  bool warm = false;
  double reference = 0;  // |∇F| at zero, where it is known
};

/// A problem that is trained on once or several times: what svrg train does, without a word on the
/// screen.
class QuietTraining {
 public:
  /// Collective. @throws CollectiveError where there is no memory for a model
  QuietTraining(const ModelChoice& choice, const Communicator& comm, Problem problem);

  const Problem& problem() const noexcept { return problem_; }
  /// The penalty of these options from now on. Collective.
  void set_penalty(const Settings& settings) { app::set_penalty(settings, comm_, problem_); }
  /// Where a training by these options starts. Collective.
  Vec<double> start(const Settings& settings) const;
  /// Trains from w. Collective. @throws CollectiveError as a training does
  TrainResult train(const Settings& settings, Vec<double>& w, const QuietOptions& options);
  /// How the last training describes itself.
  const std::string& solver() const noexcept { return solver_; }
  /// Of the problem's validation rows at w. Collective.
  std::map<std::string, double> valid_metrics(const Settings& settings, ConstVecRef<double> w,
                                              const std::vector<Metric>& metrics);

 private:
  const ModelChoice& choice_;
  Communicator comm_;
  Problem problem_;
  std::unique_ptr<Predictor> predictor_;
  std::string solver_;
};

}  // namespace svrg::app
