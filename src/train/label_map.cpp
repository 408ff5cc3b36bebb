#include "svrg/train/label_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "svrg/core/error.hpp"
#include "svrg/data/text_reader.hpp"

namespace svrg {
namespace {

constexpr Index most_classes = 1000;

bool whole(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return v == std::floor(v); });
}

Loss automatic(const std::optional<std::vector<double>>& values) {
  if (!values || !whole(*values))
    return values && values->size() == 2 ? Loss::logistic : Loss::squared;
  if (values->size() == 2) return Loss::logistic;
  return values->size() > 2 ? Loss::softmax : Loss::squared;
}

}  // namespace

LabelMap LabelMap::choose(const Communicator& comm, const Shard& shard, const std::string& kind,
                          std::vector<double> positive) {
  const auto values = distinct_labels(comm, shard, most_classes);
  LabelMap map;
  comm.agree("", [&] {
    const std::string& path = shard.info().path;
    if (!positive.empty()) {
      if (kind != "auto" && !takes_two_classes(loss_from_name(kind)))
        throw ConfigError("--positive makes a two-class problem: use --model logistic or svm-sq");
      for (const double p : positive)
        if (values && !std::binary_search(values->begin(), values->end(), p))
          throw ConfigError(fmt::format("--positive: no row of {} has label {}", path, p));
      map = {kind == "auto" ? Loss::logistic : loss_from_name(kind), {0, 1}, std::move(positive)};
      return;
    }
    map.loss = kind == "auto" ? automatic(values) : loss_from_name(kind);
    if (takes_numbers(map.loss)) return;
    if (!values)
      throw ConfigError(
          fmt::format("{} has more than {} label values; --model linear takes them as numbers",
                      path, most_classes));
    if (values->size() < 2)
      throw ConfigError(fmt::format("every row of {} has label {}: there is nothing to tell apart",
                                    path, values->empty() ? 0.0 : values->front()));
    if (takes_two_classes(map.loss) && values->size() > 2)
      throw ConfigError(
          fmt::format("{} has {} label values; a {} model takes two: use "
                      "--model softmax, or --positive for some against the rest",
                      path, values->size(), kind));
    map.classes = *values;
  });
  return map;
}

void LabelMap::apply(const Communicator& comm, Shard& shard) const {
  if (takes_numbers(loss)) return;
  std::vector<double> mapped(shard.labels().begin(), shard.labels().end());
  comm.agree("", [&] {
    for (std::size_t i = 0; i < mapped.size(); ++i) {
      double& label = mapped[i];
      Index number = 0;
      if (!positive.empty()) {
        number = std::find(positive.begin(), positive.end(), label) != positive.end();
      } else {
        const auto found = std::lower_bound(classes.begin(), classes.end(), label);
        if (found == classes.end() || *found != label)
          throw DataError(fmt::format("{}: row {} has label {}, which the model does not know",
                                      shard.info().path, shard.global_rows()[i] + 1, label));
        number = found - classes.begin();
      }
      label = takes_two_classes(loss) ? 2.0 * static_cast<double>(number) - 1
                                      : static_cast<double>(number);
    }
  });
  shard.set_labels(std::move(mapped));
}

double LabelMap::label_of(const double* scores) const {
  if (takes_numbers(loss)) return scores[0];
  if (takes_two_classes(loss)) return classes[scores[0] > 0 ? 1 : 0];
  const auto K = static_cast<std::ptrdiff_t>(classes.size());
  return classes[static_cast<std::size_t>(std::max_element(scores, scores + K) - scores)];
}

}  // namespace svrg
