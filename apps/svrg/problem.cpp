#include "problem.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "quantity.hpp"
#include "solve.hpp"
#include "stream_guard.hpp"
#include "svrg/core/clock.hpp"
#include "svrg/core/error.hpp"
#include "svrg/data/weights.hpp"
#include "system_memory.hpp"

namespace svrg::app {

ReadOptions read_options(const Settings& settings, int ranks) {
  ReadOptions o;
  const std::string format = settings.text("format"), base = settings.text("index_base");
  o.format = format == "svmlight" ? DataFormat::svmlight
             : format == "csv"    ? DataFormat::csv
             : format == "idx"    ? DataFormat::idx
             : format == "hdf5"   ? DataFormat::hdf5
                                  : DataFormat::automatic;
  o.index_base = base == "0"   ? IndexBase::zero
                 : base == "1" ? IndexBase::one
                               : IndexBase::automatic;
  o.max_columns = settings.integer("max_features");
  o.x_name = settings.text("x_name");
  o.y_name = settings.text("y_name");
  o.label_column = settings.text("label_column");
  o.weight_column = settings.text("weight_column");
  o.allow_nonfinite = settings.flag("allow_nonfinite");
  const std::string dtype = settings.text("dtype");
  o.dtype = dtype == "f32" ? Storage::f32 : dtype == "f64" ? Storage::f64 : Storage::automatic;
  o.virtual_shards = Partition::default_virtual_shards(
      chain_per_shard(settings) ? ranks : ranks * threads_of(settings));
  o.stream = settings.is("load", "stream");
  o.max_memory = settings.has("max_memory") ? settings.size("max_memory") : default_max_memory();
  return o;
}

ReadOptions read_options(const Settings& settings, int ranks, const io::ModelRecord& model) {
  ReadOptions o = read_options(settings, ranks);
  o.columns = model.features;
  o.feature_names = model.feature_names;
  if (!model.mean.empty()) o.dense_from = 0;  // a mean can be taken off dense rows only
  if (o.stream) guard_stream(settings.text("data_file"));
  return o;
}

Scaling chosen_scaling(const Settings& settings, const Communicator& comm, const Shard& shard,
                       Reduction reduction) {
  Scaling fixed;
  comm.agree("", [&] {
    if (!settings.has("x_scale")) return;
    if (!settings.is("standardize", "none"))
      throw ConfigError(settings.place("x_scale") + ": --standardize makes it useless");
    const std::string text = settings.text("x_scale");
    const std::size_t slash = text.find('/');
    const auto above = parse_number(std::string_view(text).substr(0, slash));
    const auto below = slash == std::string::npos
                           ? std::optional(1.0)
                           : parse_number(std::string_view(text).substr(slash + 1));
    if (!above || !below || !std::isnormal(*below / *above))
      throw ConfigError(settings.place("x_scale") +
                        ": must be a number such as 0.5 or 1/255, got " + text);
    fixed.scale.assign(static_cast<std::size_t>(shard.info().columns), *below / *above);
  });
  if (!fixed.empty()) return fixed;
  return standardizing(comm, shard,
                       settings.is("standardize", "zscore")  ? Standardize::zscore
                       : settings.is("standardize", "scale") ? Standardize::scale
                                                             : Standardize::none,
                       reduction);
}

void apply_class_weights(const Settings& settings, const Communicator& comm, const LabelMap& labels,
                         Shard& shard, Reduction reduction) {
  if (!settings.has("class_weight")) return;
  const std::string place = settings.place("class_weight");
  const auto items = settings.list("class_weight");
  // Classes as the loss takes them: −1 and +1, or numbers.
  std::vector<double> classes = {-1, 1}, factors;
  comm.agree("", [&] {
    if (labels.classes.empty()) throw ConfigError(place + ": is for classes, not for numbers");
    if (!takes_two_classes(labels.loss)) {
      classes.resize(labels.classes.size());
      std::iota(classes.begin(), classes.end(), 0.0);
    }
    if (items == std::vector<std::string>{"balanced"}) return;
    factors.assign(classes.size(), 1);
    for (const std::string& item : items) {
      const std::size_t colon = item.find(':');
      const auto label = parse_number(std::string_view(item).substr(0, colon));
      const double weight =
          colon == item.npos ? 0 : parse_number(item.substr(colon + 1)).value_or(0);
      if (!label || !(weight > 0))
        throw ConfigError(
            fmt::format("{}: must be balanced or LABEL:WEIGHT,…, got '{}'", place, item));
      auto at = std::ranges::find(labels.classes, *label);
      if (!labels.positive.empty()) {  // classes are then the rest and those that are named
        at = labels.classes.begin() + (std::ranges::count(labels.positive, *label) > 0 ? 1 : 0);
        const double before = factors[static_cast<std::size_t>(at - labels.classes.begin())];
        if (before != 1 && before != weight)
          throw ConfigError(place + ": labels that --positive makes one class have one weight");
      }
      if (at == labels.classes.end())
        throw ConfigError(fmt::format("{}: there is no label {}; the labels are {}", place, *label,
                                      fmt::join(labels.classes, ", ")));
      factors[static_cast<std::size_t>(at - labels.classes.begin())] = weight;
    }
  });
  if (factors.empty()) factors = balanced_class_weights(comm, shard, classes, reduction);
  weigh_classes(shard, classes, factors);
}

std::vector<double> numbers(const Settings& settings, const char* name) {
  std::vector<double> values;
  if (!settings.has(name)) return values;
  for (const std::string& text : settings.list(name)) {
    const auto number = parse_number(text);
    if (!number) throw ConfigError(settings.place(name) + ": '" + text + "' is not a number");
    values.push_back(*number);
  }
  return values;
}

std::vector<Metric> chosen_metrics(const Settings& settings, Loss loss, bool calibrated) {
  if (!settings.given("metrics")) return {default_metric(loss)};
  std::vector<Metric> metrics;
  for (const std::string& name : settings.list("metrics")) {
    metrics.push_back(Metric::of(name));
    require_suitable(metrics.back(), loss, calibrated);
  }
  return metrics;
}

LoadedModel load_model(const Communicator& comm, const std::string& path) {
  // Models are small and read-only: every rank reads the file, and all agree that it was good.
  LoadedModel loaded;
  comm.agree("", [&] { loaded.record = io::load_model(path); });
  comm.agree(path, [&] {
    loaded.labels = labels_of(loaded.record);
    loaded.predictor = make_predictor(loaded.record);
  });
  return loaded;
}

void apply_scaling(const Communicator& comm, const io::ModelRecord& record, Shard& shard) {
  comm.agree(shard.info().path, [&] {
    if (!record.mean.empty() && shard.sparse())
      throw ConfigError("sparse rows, but the model takes off means: give dense rows (CSV)");
    apply({record.mean, record.scale}, shard);
  });
}

std::string grouped(Index number) {
  if (number < 1000) return fmt::format("{}", number);
  return fmt::format("{},{:03}", grouped(number / 1000), number % 1000);
}

std::string describe(const Shard& shard, const Communicator& comm, double seconds) {
  const DataInfo& info = shard.info();
  const Index most = comm.max(shard.rows()), least = -comm.max(-shard.rows());
  const double cells = static_cast<double>(info.rows) * static_cast<double>(info.columns);
  const std::string kind =
      shard.sparse()
          ? fmt::format("sparse ({:.2g} % full)", 100 * static_cast<double>(info.nonzeros) / cells)
          : "dense";
  const std::string_view place = shard.streamed() ? " in their file" : "";
  return fmt::format(
      "{}  {} x {} {}{}{} · rows per rank {}{} · loaded in {}", info.path, grouped(info.rows),
      grouped(info.columns), kind, info.weighted ? ", weighted" : "", place, grouped(least),
      most == least ? std::string() : fmt::format("..{}", grouped(most)), format_seconds(seconds));
}

}  // namespace svrg::app
