#include "svrg/train/metric.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "svrg/core/error.hpp"
#include "svrg/core/suggest.hpp"
#include "train/auc.hpp"
#include "train/scored_rows.hpp"

namespace svrg {
namespace {

using Kind = Metric::Kind;

constexpr std::array<std::string_view, 10> names = {"acc", "auc", "ce", "ece",  "f1",
                                                    "mae", "mse", "r2", "rmse", "top_k"};

double cross_entropy(Loss loss, const io::Calibration& c, const double* z, double y, Index K) {
  if (takes_two_classes(loss)) {
    const double m = y * c.at(z[0]);
    return std::max(0.0, -m) + std::log1p(std::exp(-std::fabs(m)));
  }
  const double top = *std::max_element(z, z + K);
  double sum = 0;
  for (Index k = 0; k < K; ++k) sum += std::exp(c.slope * (z[k] - top));
  return c.slope * top + std::log(sum) - c.slope * z[static_cast<Index>(y)];
}

/// Everything of which a metric is made, summed over rows: `size` numbers, into which add(...) adds
/// those of some rows, then value(sums, sum of weights).
class Summed {
 public:
  Summed(const Metric& metric, Loss loss, const io::Calibration& calibration, Index K, double pivot)
      : metric_(metric),
        loss_(loss),
        calibration_(calibration),
        K_(K),
        classes_(takes_two_classes(loss) ? 2 : K),
        pivot_(pivot) {}

  std::size_t size() const {
    return metric_.kind == Kind::f1    ? static_cast<std::size_t>(3 * classes_)
           : metric_.kind == Kind::r2  ? 3
           : metric_.kind == Kind::ece ? static_cast<std::size_t>(probability_bins)
                                       : 1;
  }
  void add(const ScoredRows& rows, std::span<double> sums) const {
    const auto mean_of = [&](auto&& of_row) {
      double sum = 0;
      for (Index i = 0; i < rows.count; ++i)
        sum += rows.weight(i) * static_cast<double>(of_row(rows.z + i * K_, rows.labels[i]));
      sums[0] += sum;
    };
    switch (metric_.kind) {
      case Kind::f1:
        return add_counts(rows, sums);
      case Kind::r2:
        return add_squares(rows, sums);
      case Kind::ece:
        return add_gaps(rows, sums);
      case Kind::acc:
        if (K_ == 1)
          return mean_of([](const double* z, double y) { return (z[0] > 0) == (y > 0); });
        return mean_of([&](const double* z, double y) {
          return predicted_class(loss_, z, K_) == true_class(loss_, y);
        });
      case Kind::ce:
        return mean_of([&](const double* z, double y) {
          return cross_entropy(loss_, calibration_, z, y, K_);
        });
      case Kind::top_k:
        return mean_of([&](const double* z, double y) {
          const double own = z[static_cast<Index>(y)];
          return std::count_if(z, z + K_, [&](double v) { return v > own; }) < metric_.k;
        });
      case Kind::mae:
        return mean_of([](const double* z, double y) { return std::fabs(z[0] - y); });
      default:
        return mean_of([](const double* z, double y) { return (z[0] - y) * (z[0] - y); });
    }
  }
  double value(std::span<const double> sums, double weight) const {
    if (metric_.kind == Kind::rmse) return std::sqrt(sums[0] / weight);
    if (metric_.kind == Kind::ece) {
      double gap = 0;
      for (const double sum : sums) gap += std::fabs(sum);
      return gap / weight;
    }
    if (metric_.kind == Kind::r2) return 1 - sums[0] / (sums[2] - sums[1] * sums[1] / weight);
    if (metric_.kind != Kind::f1) return sums[0] / weight;
    const auto f1 = [&](Index c) {  // 2 TP / (predicted + there); 0 where neither is
      const auto at = 3 * static_cast<std::size_t>(c);
      const double both = sums[at + 1] + sums[at + 2];
      return both > 0 ? 2 * sums[at] / both : 0;
    };
    if (classes_ == 2) return f1(1);
    double sum = 0;
    for (Index c = 0; c < classes_; ++c) sum += f1(c);
    return sum / static_cast<double>(classes_);
  }

 private:
  void add_counts(const ScoredRows& rows, std::span<double> sums) const {
    for (Index i = 0; i < rows.count; ++i) {
      const auto p = 3 * static_cast<std::size_t>(predicted_class(loss_, rows.z + i * K_, K_));
      const auto t = 3 * static_cast<std::size_t>(true_class(loss_, rows.labels[i]));
      const double weight = rows.weight(i);
      if (p == t) sums[t] += weight;
      sums[p + 1] += weight;
      sums[t + 2] += weight;
    }
  }
  void add_gaps(const ScoredRows& rows, std::span<double> sums) const {
    for (Index i = 0; i < rows.count; ++i) {
      const auto [p, hit] =
          probability_of(loss_, calibration_, rows.z + i * K_, rows.labels[i], K_);
      sums[bin_of(p)] += rows.weight(i) * (p - (hit ? 1 : 0));
    }
  }
  void add_squares(const ScoredRows& rows, std::span<double> sums) const {
    for (Index i = 0; i < rows.count; ++i) {
      const double y = rows.labels[i], error = rows.z[i] - y, weight = rows.weight(i);
      sums[0] += weight * error * error;
      sums[1] += weight * (y - pivot_);
      sums[2] += weight * (y - pivot_) * (y - pivot_);
    }
  }
  const Metric& metric_;
  Loss loss_;
  const io::Calibration& calibration_;
  Index K_, classes_;
  double pivot_;
};

template <class ScoresOf>
std::map<std::string, double> evaluate_blocks(const Communicator& comm, Loss loss,
                                              const io::Calibration& calibration, Index K,
                                              const Shard& shard, std::span<const Metric> metrics,
                                              Reduction reduction, Index block,
                                              ScoresOf&& scores_of) {
  const bool ranks_rows = std::ranges::any_of(metrics, [](auto& m) { return m.kind == Kind::auc; });
  double pivot = 0;  // near the labels, so that their deviation does not cancel
  if (std::ranges::any_of(metrics, [](auto& m) { return m.kind == Kind::r2; })) {
    const auto& y = shard.labels();
    pivot =
        comm.max(y.empty() ? std::numeric_limits<double>::lowest() : *std::ranges::max_element(y));
  }
  std::vector<Summed> summed;
  std::vector<std::size_t> at{1};  // behind the sum of weights
  for (const Metric& m : metrics) {
    summed.emplace_back(m, loss, calibration, K, pivot);
    at.push_back(at.back() + (m.kind == Kind::auc ? 0 : summed.back().size()));
  }
  std::vector<ScoredRow> scored;
  const auto sums = make_reducer<double>(comm, reduction, shard.partition().virtual_shards(),
                                         shard.owned_shards());
  sums->start(static_cast<Index>(at.back()), 0);
  each_block(shard, block, scores_of, [&](Index owned, const ScoredRows& rows) {
    const auto values = sums->values(owned);
    for (Index i = 0; i < rows.count; ++i) values[0] += rows.weight(i);
    for (std::size_t m = 0; m < metrics.size(); ++m)
      if (metrics[m].kind != Kind::auc)
        summed[m].add(rows, values.subspan(at[m], at[m + 1] - at[m]));
    if (!ranks_rows) return;
    for (Index i = 0; i < rows.count; ++i)
      scored.push_back({rows.z[i], rows.weight(i), rows.labels[i] > 0});
  });
  sums->reduce();
  const auto total = sums->total();
  const double area = ranks_rows ? area_under_roc(comm, std::move(scored)) : 0;
  std::map<std::string, double> result;
  for (std::size_t m = 0; m < metrics.size(); ++m)
    result[metrics[m].name()] =
        metrics[m].kind == Kind::auc
            ? area
            : summed[m].value(total.subspan(at[m], at[m + 1] - at[m]), total[0]);
  return result;
}

}  // namespace

std::string Metric::name() const {
  const std::string text(names[static_cast<std::size_t>(kind)]);
  return kind == Kind::top_k ? fmt::format("{}_{}", text, k) : text;
}

bool Metric::larger_is_better() const noexcept {
  return kind == Kind::acc || kind == Kind::auc || kind == Kind::f1 || kind == Kind::r2 ||
         kind == Kind::top_k;
}

Metric Metric::of(std::string_view name) {
  const auto colon = std::min(name.find(':'), name.size());
  const auto found = std::find(names.begin(), names.end(), name.substr(0, colon));
  if (found == names.end())
    throw ConfigError("there is no metric '" + std::string(name) + "'" +
                      suggestion(name, {names.begin(), names.end()}));
  Metric metric{static_cast<Kind>(found - names.begin())};
  if (colon == name.size()) return metric;
  const std::string_view number = name.substr(colon + 1);
  const auto end = number.data() + number.size();
  const auto read = std::from_chars(number.data(), end, metric.k);
  if (metric.kind != Kind::top_k || read.ec != std::errc() || read.ptr != end || metric.k < 1)
    throw ConfigError("metric '" + std::string(name) +
                      "': only top_k takes a number, as in top_k:5");
  return metric;
}

void require_suitable(const Metric& metric, Loss loss, bool calibrated) {
  const auto refuse = [&](const char* why) {
    throw ConfigError(
        fmt::format("metric '{}' is {}, not for a {} model", metric.name(), why, loss_name(loss)));
  };
  const Kind kind = metric.kind;
  const bool numbers =
      kind == Kind::mae || kind == Kind::mse || kind == Kind::rmse || kind == Kind::r2;
  if (numbers && !takes_numbers(loss)) refuse("for models of numbers");
  if (!numbers && takes_numbers(loss)) refuse("for models of classes");
  const bool probable = kind == Kind::ce || kind == Kind::ece;
  if (probable && loss == Loss::squared_hinge && !calibrated)
    refuse("for models with probabilities");
  if (kind == Kind::auc && !takes_two_classes(loss)) refuse("for models of two classes");
  if (kind == Kind::top_k && loss != Loss::softmax) refuse("for softmax models");
}

Metric default_metric(Loss loss) { return {takes_numbers(loss) ? Kind::rmse : Kind::acc}; }

std::map<std::string, double> evaluate(const Communicator& comm, Predictor& model, Loss loss,
                                       const Shard& shard, std::span<const Metric> metrics,
                                       Reduction reduction) {
  const Index K = model.scores_per_row();
  std::vector<double> z(static_cast<std::size_t>(block_rows * K));
  return evaluate_blocks(comm, loss, model.calibration(), K, shard, metrics, reduction, block_rows,
                         [&](const Part& rows) {
                           model.score(shard.all(), rows, z);
                           return z.data();
                         });
}

std::map<std::string, double> evaluate_scores(const Communicator& comm, Loss loss, Index K,
                                              std::span<const double> scores, const Shard& shard,
                                              std::span<const Metric> metrics,
                                              Reduction reduction) {
  SVRG_EXPECT(static_cast<Index>(scores.size()) == shard.rows() * K, "scores of every row");
  return evaluate_blocks(comm, loss, {}, K, shard, metrics, reduction, shard.rows() + 1,
                         [&](const Part& rows) { return scores.data() + rows.first * K; });
}

Eigen::MatrixXd confusion(const Communicator& comm, Predictor& model, Loss loss, const Shard& shard,
                          Reduction reduction) {
  const Index K = model.scores_per_row(), classes = takes_two_classes(loss) ? 2 : K;
  std::vector<double> z(static_cast<std::size_t>(block_rows * K));
  const auto sums = make_reducer<double>(comm, reduction, shard.partition().virtual_shards(),
                                         shard.owned_shards());
  sums->start(classes * classes, 0);
  each_block(
      shard, block_rows,
      [&](const Part& rows) {
        model.score(shard.all(), rows, z);
        return z.data();
      },
      [&](Index owned, const ScoredRows& rows) {
        const auto counts = sums->values(owned);
        for (Index i = 0; i < rows.count; ++i) {
          const Index a = true_class(loss, rows.labels[i]);
          const Index b = predicted_class(loss, rows.z + i * K, K);
          counts[static_cast<std::size_t>(a * classes + b)] += rows.weight(i);
        }
      });
  sums->reduce();
  return Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
      sums->total().data(), classes, classes);
}

}  // namespace svrg
