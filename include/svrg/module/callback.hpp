#pragma once
#include <functional>
#include <map>
#include <string>

#include "svrg/comm/communicator.hpp"
#include "svrg/core/log.hpp"
#include "svrg/data/nd_array.hpp"
#include "svrg/model/symbol.hpp"
#include "svrg/module/metric.hpp"

namespace svrg {

class Module;

/// What a callback is told at the end of a batch, or of a score. The metric is reduced, hence equal
/// on all ranks; it may be null.
struct BatchEndParam {
  Index epoch = 0, nbatch = 0;  // both counted from 0
  EvalMetric* eval_metric = nullptr;
};

/// Callbacks run on every rank. Those below print into the sink they are given; Local unless
/// marked.
using BatchEndCallback = std::function<void(const BatchEndParam&)>;
using EpochEndCallback =
    std::function<void(Index epoch, const Symbol& symbol, const std::map<std::string, NDArray>& arg,
                       const std::map<std::string, NDArray>& aux)>;

namespace callback {

/// Every `frequent` batches the rows per second since the last line, and the metric since then
/// (auto_reset) or since the epoch began.
/// @param batch_size  rows of a batch over all ranks
BatchEndCallback Speedometer(Index batch_size, Index frequent = 50, bool auto_reset = true,
                             LogSink log = {});
/// A bar of `length` characters for `total` batches.
BatchEndCallback ProgressBar(Index total, Index length = 80, LogSink log = {});
/// The metric every `period` batches, as one line a name.
BatchEndCallback log_train_metric(Index period, bool auto_reset = false, LogSink log = {});
/// The metric at the end of a validation.
BatchEndCallback LogValidationMetricsCallback(LogSink log = {});
/// Every `period` epochs PREFIX-symbol.json and PREFIX-0001.params, numbered by finished epochs, as
/// MXNet writes them; root of `comm` writes. Collective, when called too.
/// @throws CollectiveError (output) on every rank if root cannot write
EpochEndCallback do_checkpoint(std::string prefix, Index period = 1,
                               Communicator comm = Communicator::world(), LogSink log = {});

/// The same with Module::save_checkpoint(), so that training can go on from there. The module must
/// outlive the callback.
EpochEndCallback module_checkpoint(Module& module, std::string prefix, Index period = 1,
                                   bool save_optimizer_states = false);

}  // namespace callback
}  // namespace svrg
