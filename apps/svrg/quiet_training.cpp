#include "quiet_training.hpp"

#include "precautions.hpp"
#include "screen.hpp"

namespace svrg::app {

QuietTraining::QuietTraining(const ModelChoice& choice, const Communicator& comm, Problem problem)
    : choice_(choice), comm_(comm), problem_(std::move(problem)) {
  comm.agree("", [&] { predictor_ = make_predictor(problem_.record); });
  problem_.record.layout = predictor_->layout();
}

Vec<double> QuietTraining::start(const Settings& settings) const {
  Screen silent(silent_screen());
  return start_weights(settings, comm_, choice_, problem_.record, silent);
}

TrainResult QuietTraining::train(const Settings& settings, Vec<double>& w,
                                 const QuietOptions& quiet) {
  Screen silent(silent_screen());
  TrainerOptions options;
  std::vector<Metric> metrics;
  comm_.agree("", [&] {
    options = trainer_options(settings, problem_, "", has_bound(settings, choice_));
    options.run_dir = quiet.folder;
    options.overwrite = true;
    options.resume_newest = false;
    options.reference_at_zero = options.reference_at_zero || quiet.warm;
    options.reference = quiet.reference;
    metrics = chosen_metrics(settings, problem_.labels.loss);
  });
  const auto setup = make_solver(
      settings, comm_, problem_.record, problem_.train,
      quiet.probe ? quiet.probe : [] { return Requests(); }, quiet.stands_for);
  solver_ = setup->describe();
  Trainer trainer(comm_, setup->solver(), problem_.record, problem_.train.info().rows, options,
                  silent.sink());
  if (quiet.measures)
    trainer.set_metrics([&](ConstVecRef<double> at) {
      return metrics_at(at, settings, comm_, problem_, *predictor_, *setup, metrics, metrics);
    });
  trainer.set_phase_source([&] { return setup->times(); }, setup->rest());
  if (quiet.schedule == nullptr) return trainer.fit(w);
  comm_.recorder().start();
  const TrainResult result = trainer.fit(w);
  *quiet.schedule = comm_.recorder().stop();
  return result;
}

std::map<std::string, double> QuietTraining::valid_metrics(const Settings& settings,
                                                           ConstVecRef<double> w,
                                                           const std::vector<Metric>& metrics) {
  predictor_->set_weights(w);
  return evaluate(comm_, *predictor_, problem_.labels.loss, *problem_.valid, metrics,
                  reduction_of(settings));
}

}  // namespace svrg::app
