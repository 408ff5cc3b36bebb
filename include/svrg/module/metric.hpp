#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "svrg/comm/communicator.hpp"
#include "svrg/core/options.hpp"
#include "svrg/data/nd_array.hpp"

namespace svrg {

/// MXNet's metrics, for batches whose rows are spread over ranks: update() keeps what this rank's
/// rows say, reduce() adds up over ranks, batch by batch, and only then the original's averaging
/// takes place. So a mean over batches is one over global batches, however their rows are spread.
class EvalMetric {
 public:
  using Values = std::vector<std::pair<std::string, double>>;
  virtual ~EvalMetric() = default;
  /// Local: this rank's rows of one batch, maybe none; every rank calls equally often. labels[i]
  /// belong to preds[i]. @throws ConfigError on shapes that do not fit
  virtual void update(std::span<const NDArray> labels, std::span<const NDArray> preds) = 0;
  /// Collective: takes in what update() kept.
  virtual void reduce(const Communicator& comm) = 0;
  /// Of all that was reduced since reset_local(), or since reset(): (name, value) pairs; NaN where
  /// there was nothing. Local, equal on all ranks.
  virtual Values get_name_value() const = 0;
  virtual Values get_global_name_value() const = 0;
  /// Forgets all.
  virtual void reset() = 0;
  /// Forgets what get_name_value() tells, but not the global values.
  virtual void reset_local() = 0;
};

namespace metric {

/// By MXNet's name or alias: acc (axis of the classes, 1), top_k_accuracy (top_k), ce, nll_loss,
/// perplexity (ignore_label), f1 (average macro|micro), mcc, mae, mse, rmse, pearsonr, pcc, loss
/// (torch, caffe).
/// @throws ConfigError for an unknown name or option
std::shared_ptr<EvalMetric> create(const std::string& name, const Options& options = {});
/// All of them at once.
std::shared_ptr<EvalMetric> create(const std::vector<std::string>& names);
/// Several as one.
std::shared_ptr<EvalMetric> composite(std::vector<std::shared_ptr<EvalMetric>> parts);
/// One's own: Σ and count of a batch's rows. Their quotient over all rows is the value.
using SumAndCount =
    std::function<std::pair<double, double>(const NDArray& label, const NDArray& pred)>;
/// A metric from such a function.
std::shared_ptr<EvalMetric> np(const std::string& name, SumAndCount function);

}  // namespace metric
}  // namespace svrg
