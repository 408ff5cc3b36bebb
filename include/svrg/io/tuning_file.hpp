#pragma once
#include <map>
#include <string>
#include <vector>

#include "svrg/core/types.hpp"

namespace svrg::io {

/// One training of a cross-validation: at one point of the grid, on the rows that one fold leaves.
struct TuningCell {
  Index fold = 0, point = 0;
  std::vector<double> scores{};  // of the rows held out, by metric
  double objective = 0;          // of the rows trained on
  double grad_norm = 0;
  double passes = 0, seconds = 0;
  Index epochs = 0;
  Index nonzeros = 0;  // weights that are not 0, intercepts apart
  bool converged = false;
  bool operator==(const TuningCell&) const = default;
};

/// A cross-validated grid of penalties, strongest first.
struct TuningStudy {
  std::string data, command;
  std::string kind;  // of the loss
  Index rows = 0, features = 0, outputs = 0, seed = 0, ranks = 0, groups = 0;
  bool stratified = false;
  std::string rule = "best";  // or "one-se"
  Index best = 0, chosen = 0;
  std::vector<std::string> settings;    // by point, "C=0.1"
  std::vector<double> l2, l1;           // by point, as they are for all rows
  std::vector<std::string> metrics;     // the first is what was chosen by
  std::vector<Index> held_out;          // rows, by fold
  std::vector<TuningCell> cells;        // fold after fold, in each point after point
  std::vector<double> mean, error;      // of the scores over the folds, point after point by metric
  std::vector<double> weights, biases;  // (point, output[, feature]), means of the folds' models
  std::vector<Index> fold_of_row;       // empty: not kept
  bool operator==(const TuningStudy&) const = default;
};

/// Writes `study` as a file of format svrg-tuning: /tuning with what was measured along (fold,
/// point), its means along (point), and the models' weights along (point, output, feature).
/// Local. @throws OutputError
void write_tuning(const std::string& path, const TuningStudy& study);
/// The inverse. Local. @throws DataError
TuningStudy read_tuning(const std::string& path);

}  // namespace svrg::io
