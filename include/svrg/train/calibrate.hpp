#pragma once
#include <string_view>

#include "svrg/comm/reducer.hpp"
#include "svrg/data/shard.hpp"
#include "svrg/train/label_map.hpp"
#include "svrg/train/predictor.hpp"

namespace svrg {

/// @throws ConfigError where the method is not for this kind of model: "platt" takes two classes,
/// "temperature" probabilities of the scores
void require_calibration(std::string_view method, Loss loss);

/// Slope and offset that make the model's probabilities most likely on rows that it was not trained
/// on, by Newton's method: the optimum, whatever the ranks. "platt" fits both for two classes, to
/// targets (n₊ + 1)/(n₊ + 2) and 1/(n₋ + 2), so that they are finite where the classes are apart;
/// "temperature" fits a slope from 1/1000 to 1000. Labels as the loss takes them. Collective.
/// @throws CollectiveError (usage) where the method is not for the model, or a class is missing
/// Source: Platt (1999), "Probabilistic outputs for support vector machines"; Lin, Lin, Weng
/// (2007); Guo et al. (2017), "On calibration of modern neural networks".
io::Calibration calibrate(const Communicator& comm, Predictor& model, Loss loss, const Shard& shard,
                          std::string_view method, Reduction reduction);

}  // namespace svrg
