#pragma once
#include <string>
#include <vector>

#include "svrg/io/tuning_file.hpp"
#include "svrg/train/metric.hpp"
#include "training_run.hpp"
#include "tuning_grid.hpp"

namespace svrg::app {

/// How far a cross-validation came.
struct CrossValidation {
  std::string stop_reason;                       // empty: all is done; else "signal" or "time"
  Index cells = 0, trained = 0, unfinished = 0;  // in all, by this job, not done yet
  io::TuningStudy study;                         // complete but for the choice; on root
  /// Weights by point, means of the folds' models. [points x parameters]
  std::vector<double> weights;
};

/// --metrics; without it acc for classes, mse for numbers. The first is what is chosen by. Local.
/// @throws ConfigError
std::vector<Metric> tuning_metrics(const Settings& settings, Loss loss);

/// Trains on what each fold leaves at every point of the grid, from the weights of the neighbour of
/// stronger penalty, and scores what the fold holds out; groups of ranks take the folds in turn. A
/// dry run says what it would do, and no more. Collective.
/// @throws CollectiveError as a training does
CrossValidation cross_validate(const RunContext& run, const TuningGrid& grid);

}  // namespace svrg::app
