#pragma once
#include <string>
#include <vector>

#include "settings.hpp"
#include "svrg/comm/communicator.hpp"
#include "svrg/data/data_reader.hpp"
#include "svrg/data/scaling.hpp"
#include "svrg/io/model_file.hpp"
#include "svrg/train/label_map.hpp"
#include "svrg/train/metric.hpp"
#include "svrg/train/predictor.hpp"

namespace svrg::app {

/// How the data options ask a file to be read. `ranks` and --threads set the number of virtual
/// shards.
ReadOptions read_options(const Settings& settings, int ranks);
/// The same for data that must fit a model that is there already.
ReadOptions read_options(const Settings& settings, int ranks, const io::ModelRecord& model);

/// --standardize, or --x-scale, for these rows. Collective. @throws CollectiveError (usage)
Scaling chosen_scaling(const Settings& settings, const Communicator& comm, const Shard& shard,
                       Reduction reduction);

/// --class-weight on the loss of these rows, whose labels are as the loss takes them. Collective.
/// @throws CollectiveError (usage)
void apply_class_weights(const Settings& settings, const Communicator& comm, const LabelMap& labels,
                         Shard& shard, Reduction reduction);
/// Numbers of a list option. @throws ConfigError naming it.
std::vector<double> numbers(const Settings& settings, const char* name);
/// --metrics, or the one that suits the loss. @throws ConfigError
/// `calibrated`: the model's scores have been made probabilities.
std::vector<Metric> chosen_metrics(const Settings& settings, Loss loss, bool calibrated = false);

/// A model read from a file, ready to be used on data.
struct LoadedModel {
  io::ModelRecord record;
  LabelMap labels;
  std::unique_ptr<Predictor> predictor;
};
/// Makes rows what the model was trained on. Collective. @throws CollectiveError (usage)
void apply_scaling(const Communicator& comm, const io::ModelRecord& record, Shard& shard);
/// Root reads, everybody gets it. Collective.
LoadedModel load_model(const Communicator& comm, const std::string& path);

/// "a9a.svm  32,561 x 123 sparse f64 …": one line of the header.
std::string describe(const Shard& shard, const Communicator& comm, double seconds);
/// 1234567 → "1,234,567".
std::string grouped(Index number);

}  // namespace svrg::app
