#pragma once
#include <string>

#include "svrg/io/model_file.hpp"
#include "svrg/train/trainer.hpp"

namespace svrg::app {

/// "converged at epoch 14: …": why a run ended and where.
std::string verdict(const TrainResult& result, const TrainerOptions& options);

/// The model to be kept: the weights w, or those of the best epoch, with what is known of them.
/// On root. Local.
io::ModelRecord trained_model(const io::ModelRecord& record, ConstVecRef<double> w,
                              const TrainResult& result, const TrainerOptions& options);
/// In the format of the name's suffix. @throws OutputError, ConfigError
void export_model(const std::string& path, const io::ModelRecord& model);

}  // namespace svrg::app
