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

/// A figure of all rows of all ranks, weighted by the rows' weights.
struct Metric {
  /// The figures there are.
  enum class Kind {
    acc,  // share of rows whose label is the predicted one
    auc,  // area under the ROC curve: share of pairs of classes that are in order, ties half
    ce,   // cross-entropy, nats
    ece,  // expected calibration error: by how much rows of one of ten equal parts of probability
          // differ from it, of class 1 of two or the predicted class of more; a mean over rows
    f1,   // of class 1 of two; the mean over the classes of more (macro)
    mae,
    mse,
    r2,  // 1 − Σ(z − y)²/Σ(y − ȳ)²
    rmse,
    top_k,  // share of rows whose label is among the k largest scores
  };
  Kind kind = Kind::acc;
  Index k = 5;  // of top_k
  /// "acc", "top_k_5": names of results and of columns in files.
  std::string name() const;
  /// Not so for errors and the cross-entropy.
  bool larger_is_better() const noexcept;
  /// "acc", "top_k:5". @throws ConfigError naming the nearest, or the choices
  static Metric of(std::string_view name);
};
/// `calibrated`: its scores have been made probabilities.
/// @throws ConfigError where the metric is not for this kind of model
void require_suitable(const Metric& metric, Loss loss, bool calibrated = false);
/// acc for classes, rmse for numbers.
Metric default_metric(Loss loss);

/// Metrics of a model on a data set; labels as the loss takes them (−1/+1, class numbers).
/// Probabilities are those of the model's calibration.
/// Collective. Empty data, and what is not defined on them, give NaN.
std::map<std::string, double> evaluate(const Communicator& comm, Predictor& model, Loss loss,
                                       const Shard& shard, std::span<const Metric> metrics,
                                       Reduction reduction);
/// The same where the scores are known: [rows, scores per row] of the shard's rows, such as the
/// margins that a solver holds.
std::map<std::string, double> evaluate_scores(const Communicator& comm, Loss loss,
                                              Index scores_per_row, std::span<const double> scores,
                                              const Shard& shard, std::span<const Metric> metrics,
                                              Reduction reduction);

/// Weight of the rows of class a that are taken for class b, in (a, b); two classes: 0 is −1.
/// Collective.
Eigen::MatrixXd confusion(const Communicator& comm, Predictor& model, Loss loss, const Shard& shard,
                          Reduction reduction);

}  // namespace svrg
