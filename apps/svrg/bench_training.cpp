#include "bench_training.hpp"

#include "precautions.hpp"
#include "screen.hpp"
#include "svrg/core/clock.hpp"

namespace svrg::app {

BenchTraining::BenchTraining(const Settings& settings, const ModelChoice& choice,
                             const Communicator& comm, Screen& screen, double share)
    : settings_(settings),
      choice_(choice),
      comm_(comm),
      load_seconds_(now()),
      problem_(load_problem(settings, choice, comm, screen, share)) {
  load_seconds_ = now() - load_seconds_;
  comm.agree("", [&] {
    predictor_ = make_predictor(problem_.record);
    metrics_ = chosen_metrics(settings, problem_.labels.loss);
  });
  problem_.record.layout = predictor_->layout();
}

TrainResult BenchTraining::train(const std::string& folder, Index stands_for, Schedule* schedule) {
  Screen silent(silent_screen());
  TrainerOptions options;
  comm_.agree("", [&] {
    options = trainer_options(settings_, problem_, "", has_bound(settings_, choice_));
    options.run_dir = folder;
    options.overwrite = true;
  });
  Vec<double> w = start_weights(settings_, comm_, choice_, problem_.record, silent);
  const auto setup = make_solver(
      settings_, comm_, problem_.record, problem_.train, [] { return Requests(); }, stands_for);
  solver_ = setup->describe();
  Trainer trainer(comm_, setup->solver(), problem_.record, problem_.train.info().rows, options,
                  silent.sink());
  trainer.set_metrics([&](ConstVecRef<double> at) {
    return metrics_at(at, settings_, comm_, problem_, *predictor_, *setup, metrics_, metrics_);
  });
  trainer.set_phase_source([&] { return setup->times(); }, setup->rest());
  if (schedule == nullptr) return trainer.fit(w);
  comm_.recorder().start();
  const TrainResult result = trainer.fit(w);
  *schedule = comm_.recorder().stop();
  return result;
}

}  // namespace svrg::app
