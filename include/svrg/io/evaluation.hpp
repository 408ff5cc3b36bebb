#pragma once
#include <optional>
#include <string>
#include <vector>

#include "svrg/core/types.hpp"

namespace svrg::io {

/// Rows above and below a threshold of the score, as sums of their weights.
struct RocPoint {
  double threshold = 0;
  double true_positives = 0, false_positives = 0;  // with a larger score than the threshold
  bool operator==(const RocPoint&) const = default;
};
/// Rows whose prediction is about the same.
struct CalibrationBin {
  double predicted = 0, observed = 0;  // weighted means
  double weight = 0;
  bool operator==(const CalibrationBin&) const = default;
};
/// Rows whose error z − y is in [low, high); the first and the last bin also hold what is beyond.
struct ResidualBin {
  double low = 0, high = 0;
  double weight = 0;
  bool operator==(const ResidualBin&) const = default;
};

/// How a model does on a set of rows: counts of which figures can be drawn, every row weighted.
struct Evaluation {
  std::string rows_of;  // "validation" or "training"
  Index rows = 0;
  std::vector<double> classes;  // label values; empty for numbers
  /// By class: weight of its rows, of the rows taken for it, and of those rightly so.
  std::vector<double> support, taken, hits;
  /// Weight of the rows of class a that are taken for class b, [a, b]; empty where classes are
  /// many.
  std::vector<double> confusion;
  std::vector<RocPoint> roc;  // of two classes, from the highest threshold to the lowest
  /// By predicted probability: of class 1 of two, of the predicted class of more; by predicted
  /// value for numbers. Bins without rows are left out.
  std::vector<CalibrationBin> calibration;
  std::vector<ResidualBin> residuals;  // of numbers
  bool operator==(const Evaluation&) const = default;
};

/// How a run ended: what run.h5 holds beside the history once it has.
struct RunEnd {
  std::string stop_reason;  // "tolerance", "epochs", "signal", …
  Index epoch = 0;
  double first_grad_norm = 0;
  double gap = 0;  // bound of the objective's distance to its minimum; NaN: none is known
  std::optional<Evaluation> evaluation;
};

}  // namespace svrg::io
