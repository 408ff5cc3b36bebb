#pragma once
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "svrg/comm/reducer.hpp"
#include "svrg/data/shard.hpp"
#include "svrg/train/predictor.hpp"

namespace svrg {

/// Means over all rows of all ranks, weighted by the rows' weights.
enum class Metric {
  acc,  // share of rows whose label is the predicted one
  ce,   // cross-entropy, nats
  mae,
  mse,
  rmse,
};
std::string_view metric_name(Metric metric);
/// @throws ConfigError naming the choices, or saying that the metric is not for this kind of model.
Metric metric_from_name(std::string_view name, Loss loss);
/// acc for classes, rmse for numbers.
Metric default_metric(Loss loss);

/// Metrics of a model on a data set; labels as the loss takes them (−1/+1, class numbers).
/// Collective: one reduction. Empty data give NaN.
std::map<std::string, double> evaluate(const Communicator& comm, Predictor& model, Loss loss,
                                       const Shard& shard, std::span<const Metric> metrics,
                                       Reduction reduction);
/// The same where the scores are known: [rows, scores per row] of the shard's rows, such as the
/// margins that a solver holds.
std::map<std::string, double> evaluate_scores(const Communicator& comm, Loss loss,
                                              Index scores_per_row, std::span<const double> scores,
                                              const Shard& shard, std::span<const Metric> metrics,
                                              Reduction reduction);

}  // namespace svrg
