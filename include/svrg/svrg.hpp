#pragma once
// Everything a program needs.
#include "svrg/comm/communicator.hpp"
#include "svrg/comm/environment.hpp"
#include "svrg/comm/packed_sum.hpp"
#include "svrg/comm/reducer.hpp"
#include "svrg/comm/two_bit.hpp"
#include "svrg/core/error.hpp"
#include "svrg/core/memory.hpp"
#include "svrg/core/options.hpp"
#include "svrg/core/random.hpp"
#include "svrg/core/soft_threshold.hpp"
#include "svrg/core/version.hpp"
#include "svrg/data/data_reader.hpp"
#include "svrg/data/data_writer.hpp"
#include "svrg/data/folds.hpp"
#include "svrg/data/idx_reader.hpp"
#include "svrg/data/nd_array.hpp"
#include "svrg/data/sampler.hpp"
#include "svrg/data/scaling.hpp"
#include "svrg/data/selection.hpp"
#include "svrg/data/shard.hpp"
#include "svrg/data/synthetic.hpp"
#include "svrg/data/text_reader.hpp"
#include "svrg/data/weights.hpp"
#include "svrg/estimator/estimator.hpp"
#include "svrg/io/checkpoint.hpp"
#include "svrg/io/evaluation.hpp"
#include "svrg/io/event_file.hpp"
#include "svrg/io/liblinear_model.hpp"
#include "svrg/io/model_file.hpp"
#include "svrg/io/onnx_model.hpp"
#include "svrg/io/run_record.hpp"
#include "svrg/io/scaling_file.hpp"
#include "svrg/io/tuning_file.hpp"
#include "svrg/model/executor.hpp"
#include "svrg/model/initializer.hpp"
#include "svrg/model/instruction_set.hpp"
#include "svrg/model/linear_form.hpp"
#include "svrg/model/linear_model.hpp"
#include "svrg/model/net.hpp"
#include "svrg/model/symbol.hpp"
#include "svrg/model/symbol_model.hpp"
#include "svrg/module/bucket_sentence_iter.hpp"
#include "svrg/module/bucketing_module.hpp"
#include "svrg/module/callback.hpp"
#include "svrg/module/data_iter.hpp"
#include "svrg/module/iterators.hpp"
#include "svrg/module/metric.hpp"
#include "svrg/module/module.hpp"
#include "svrg/module/monitor.hpp"
#include "svrg/module/ndarray_file.hpp"
#include "svrg/module/svrg_module.hpp"
#include "svrg/objective/margin_objective.hpp"
#include "svrg/objective/objective.hpp"
#include "svrg/optimizer/lr_scheduler.hpp"
#include "svrg/optimizer/optimizer.hpp"
#include "svrg/solver/cost_model.hpp"
#include "svrg/solver/guarded_svrg.hpp"
#include "svrg/solver/minibatch.hpp"
#include "svrg/solver/proximal_svrg.hpp"
#include "svrg/solver/widened.hpp"
#include "svrg/train/best_epoch.hpp"
#include "svrg/train/calibrate.hpp"
#include "svrg/train/evaluation.hpp"
#include "svrg/train/label_map.hpp"
#include "svrg/train/metric.hpp"
#include "svrg/train/predictor.hpp"
#include "svrg/train/signals.hpp"
#include "svrg/train/trainer.hpp"
#include "svrg/train/warm_start.hpp"
#include "svrg/train/watchdog.hpp"

/// All of the library.
namespace svrg {
/// Files: HDF5 documents, checkpoints, models and records.
namespace io {}
/// Parts of symbols' graphs.
namespace graph {}
/// Operators of symbols by MXNet's names, as mx.sym has them.
namespace sym {}
/// Metrics by MXNet's names, as mx.metric has them.
namespace metric {}
/// Callbacks by MXNet's names, as mx.callback has them.
namespace callback {}
/// First values of parameters by MXNet's names, as mx.init has them.
namespace initializer {}
/// Learning rates by MXNet's names, as mx.lr_scheduler has them.
namespace lr_scheduler {}
}  // namespace svrg
