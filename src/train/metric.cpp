#include "svrg/train/metric.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "svrg/core/error.hpp"
#include "svrg/core/suggest.hpp"

namespace svrg {
namespace {

constexpr std::array<std::string_view, 5> names = {"acc", "ce", "mae", "mse", "rmse"};

double cross_entropy(Loss loss, const double* z, double y, Index K) {
  if (loss == Loss::logistic) {
    const double m = y * z[0];
    return std::max(0.0, -m) + std::log1p(std::exp(-std::fabs(m)));
  }
  const double top = *std::max_element(z, z + K);
  double sum = 0;
  for (Index k = 0; k < K; ++k) sum += std::exp(z[k] - top);
  return top + std::log(sum) - z[static_cast<Index>(y)];
}

double row_value(Metric metric, Loss loss, const double* z, double y, Index K) {
  switch (metric) {
    case Metric::acc:
      if (takes_two_classes(loss)) return (z[0] > 0) == (y > 0) ? 1 : 0;
      return std::max_element(z, z + K) - z == static_cast<Index>(y) ? 1 : 0;
    case Metric::ce:
      return cross_entropy(loss, z, y, K);
    case Metric::mae:
      return std::fabs(z[0] - y);
    case Metric::mse:
    case Metric::rmse:
      break;
  }
  return (z[0] - y) * (z[0] - y);
}

}  // namespace

std::string_view metric_name(Metric metric) { return names[static_cast<std::size_t>(metric)]; }

Metric metric_from_name(std::string_view name, Loss loss) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    throw ConfigError("there is no metric '" + std::string(name) + "'" +
                      suggestion(name, {names.begin(), names.end()}));
  const auto metric = static_cast<Metric>(found - names.begin());
  const bool of_classes = metric == Metric::acc || metric == Metric::ce;
  if (metric == Metric::ce && loss == Loss::squared_hinge)
    throw ConfigError("metric 'ce' needs probabilities, which an svm-sq model has not");
  if (of_classes == takes_numbers(loss))
    throw ConfigError("metric '" + std::string(name) + "' is for models of " +
                      (of_classes ? "classes" : "numbers") + ", not for a " +
                      std::string(loss_name(loss)) + " model");
  return metric;
}

Metric default_metric(Loss loss) { return takes_numbers(loss) ? Metric::rmse : Metric::acc; }

namespace {

/// `scores_of(rows)` gives the scores of a stretch of rows, at most `block` of them.
template <class ScoresOf>
std::map<std::string, double> evaluate_blocks(const Communicator& comm, Loss loss, Index K,
                                              const Shard& shard, std::span<const Metric> metrics,
                                              Reduction reduction, Index block,
                                              ScoresOf&& scores_of) {
  const auto sums = make_reducer<double>(comm, reduction, shard.partition().virtual_shards(),
                                         shard.owned_shards());
  sums->start(static_cast<Index>(metrics.size()) + 1, 0);
  for (const Part& part : shard.all().parts) {
    const auto values = sums->values(part.virtual_shard);
    for (Index from = 0; from < part.count; from += block) {
      const Part rows{part.virtual_shard, part.first + from, std::min(block, part.count - from)};
      const double* z = scores_of(rows);
      for (Index i = 0; i < rows.count; ++i) {
        const auto row = static_cast<std::size_t>(rows.first + i);
        const double weight = shard.weights().empty() ? 1 : shard.weights()[row];
        values[metrics.size()] += weight;
        for (std::size_t m = 0; m < metrics.size(); ++m)
          values[m] += weight * row_value(metrics[m], loss, z + i * K, shard.labels()[row], K);
      }
    }
  }
  sums->reduce();
  const auto total = sums->total();
  std::map<std::string, double> result;
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    const double mean = total[m] / total[metrics.size()];
    result[std::string(metric_name(metrics[m]))] =
        metrics[m] == Metric::rmse ? std::sqrt(mean) : mean;
  }
  return result;
}

}  // namespace

std::map<std::string, double> evaluate(const Communicator& comm, Predictor& model, Loss loss,
                                       const Shard& shard, std::span<const Metric> metrics,
                                       Reduction reduction) {
  constexpr Index block = 1024;
  const Index K = model.scores_per_row();
  std::vector<double> z(static_cast<std::size_t>(block * K));
  return evaluate_blocks(comm, loss, K, shard, metrics, reduction, block, [&](const Part& rows) {
    model.score(shard.all(), rows, z);
    return z.data();
  });
}

std::map<std::string, double> evaluate_scores(const Communicator& comm, Loss loss, Index K,
                                              std::span<const double> scores, const Shard& shard,
                                              std::span<const Metric> metrics,
                                              Reduction reduction) {
  SVRG_EXPECT(static_cast<Index>(scores.size()) == shard.rows() * K, "scores of every row");
  return evaluate_blocks(comm, loss, K, shard, metrics, reduction, shard.rows() + 1,
                         [&](const Part& rows) { return scores.data() + rows.first * K; });
}

}  // namespace svrg
