#pragma once
#include <optional>
#include <span>
#include <string>

#include "epoch_table.hpp"
#include "result_line.hpp"
#include "settings.hpp"
#include "svrg/io/model_file.hpp"
#include "svrg/train/evaluation.hpp"
#include "svrg/train/trainer.hpp"

namespace svrg::app {

/// "converged at epoch 14: …": why a run ended and where.
std::string verdict(const TrainResult& result, const TrainerOptions& options);

/// A row of the table.
EpochLine line_of(const io::EpochRecord& record, double first_grad_norm, double rows_per_second);

/// What the result line says beside what the solver knows.
struct RunFacts {
  int ranks = 1, threads = 1;
  double seconds_load = 0, seconds_total = 0;
  Index memory_peak = 0;  // bytes, of the rank that took most
  std::string run_dir;
};
/// The line of JSON that a run ends with.
Results results_of(const TrainResult& result, Index rows, const RunFacts& facts);

/// The model to be kept: the weights w, or those of the best epoch, with what is known of them.
/// On root. Local.
io::ModelRecord trained_model(const io::ModelRecord& record, ConstVecRef<double> w,
                              const TrainResult& result, const TrainerOptions& options);
/// For run.h5: on the validation rows if there are any, else on the training rows, whose scores may
/// be known. The predictor has its weights. Collective.
io::Evaluation evaluation_at_end(const Communicator& comm, Predictor& predictor,
                                 const LabelMap& labels, const Shard& train,
                                 const std::optional<Shard>& valid,
                                 std::optional<std::span<const double>> train_scores,
                                 Reduction reduction);
/// Where there is --export, in the format of its suffix. @throws OutputError, ConfigError
void export_model(const Settings& settings, const io::ModelRecord& model);

}  // namespace svrg::app
