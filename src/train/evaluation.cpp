// One pass that only counts: bins and thresholds are set before it, from a sample of the rows.
#include "svrg/train/evaluation.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "svrg/core/error.hpp"
#include "train/scored_rows.hpp"

namespace svrg {
namespace {

constexpr Index most_confused = 60;  // classes whose confusion is kept
constexpr Index sampled_rows = 8192;
constexpr std::size_t thresholds_a_class = 100, value_bins = 20, residual_bins = 40;

/// Ascending values, some `count` of them at equal steps of rank, ends included.
std::vector<double> quantiles(std::vector<double> values, std::size_t count) {
  std::sort(values.begin(), values.end());
  std::vector<double> chosen = values;
  if (values.size() > count) {
    chosen.clear();
    for (std::size_t i = 0; i < count; ++i)
      chosen.push_back(values[i * (values.size() - 1) / (count - 1)]);
  }
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  return chosen;
}

std::size_t place(const std::vector<double>& edges, double value) {
  return static_cast<std::size_t>(std::upper_bound(edges.begin(), edges.end(), value) -
                                  edges.begin());
}

/// Where the counts of a pass over rows of one score each are made.
struct Bins {
  std::vector<double> thresholds;              // ascending; a row above i of them counts in place i
  std::vector<double> predictions, residuals;  // inner edges, ascending
};

Bins choose_bins(const Communicator& comm, Loss loss, std::span<const double> z,
                 const Shard& shard) {
  const Index stride = std::max<Index>(1, shard.info().rows / sampled_rows);
  std::vector<double> first, second;  // of positives and negatives, or scores and residuals
  const bool numbers = takes_numbers(loss);
  for (std::size_t i = 0; i < z.size(); ++i) {
    if (shard.global_rows()[i] % stride != 0) continue;
    const double y = shard.labels()[i];
    if (numbers || y > 0) first.push_back(z[i]);
    if (numbers || y <= 0) second.push_back(numbers ? z[i] - y : z[i]);
  }
  first = comm.gather(std::span<const double>(first));
  second = comm.gather(std::span<const double>(second));
  Bins bins;
  if (!numbers) {
    bins.thresholds = quantiles(first, thresholds_a_class);
    const auto others = quantiles(second, thresholds_a_class);
    bins.thresholds.insert(bins.thresholds.end(), others.begin(), others.end());
    bins.thresholds = quantiles(bins.thresholds, 2 * thresholds_a_class);
  } else if (!first.empty()) {
    bins.predictions = quantiles(first, value_bins + 1);
    // Whatever is largest lies in the last bin, not beyond it.
    if (bins.predictions.size() > 1) bins.predictions.pop_back();
    const auto ends = quantiles(second, 201);
    const std::size_t cut = ends.size() > 200 ? 1 : 0;
    const double low = ends[cut], high = ends[ends.size() - 1 - cut];
    const double width = std::max(high - low, 1e-12 + 1e-9 * std::fabs(low)) / residual_bins;
    for (std::size_t b = 0; b <= residual_bins; ++b)
      bins.residuals.push_back(low + width * static_cast<double>(b));
  }
  return bins;
}

/// Sums of a pass, one after the other in one vector.
class Tally {
 public:
  Tally(const LabelMap& labels, Index K, Bins bins)
      : loss_(labels.loss),
        K_(K),
        classes_(static_cast<Index>(labels.classes.size())),
        bins_(std::move(bins)) {
    const auto take = [&](std::size_t n) { return std::exchange(size_, size_ + n); };
    const auto classes = static_cast<std::size_t>(classes_);
    by_class_ = take(3 * classes);
    confusion_ = take(classes_ <= most_confused ? classes * classes : 0);
    calibrated_ = takes_numbers(loss_)           ? bins_.predictions.size() + 1
                  : loss_ == Loss::squared_hinge ? 0
                                                 : static_cast<std::size_t>(probability_bins);
    calibration_ = take(3 * calibrated_);
    roc_ = take(bins_.thresholds.empty() ? 0 : 2 * (bins_.thresholds.size() + 1));
    residuals_ = take(bins_.residuals.empty() ? 0 : residual_bins);
  }
  std::size_t size() const { return size_; }

  void add(const ScoredRows& rows, std::span<double> sums) const {
    for (Index i = 0; i < rows.count; ++i) {
      const double* z = rows.z + i * K_;
      if (takes_numbers(loss_))
        add_number(z[0], rows.labels[i], rows.weight(i), sums);
      else
        add_class(z, rows.labels[i], rows.weight(i), sums);
    }
  }

  io::Evaluation evaluation(std::span<const double> sums, const LabelMap& labels) const {
    io::Evaluation e;
    e.classes = labels.classes;
    const auto classes = static_cast<std::size_t>(classes_);
    const auto copy = [&](std::size_t from, std::size_t n) {
      const auto part = sums.subspan(from, n);
      return std::vector<double>(part.begin(), part.end());
    };
    e.support = copy(by_class_, classes);
    e.taken = copy(by_class_ + classes, classes);
    e.hits = copy(by_class_ + 2 * classes, classes);
    e.confusion = copy(confusion_, calibration_ - confusion_);
    for (std::size_t b = 0; b < calibrated_; ++b) {
      const double* bin = &sums[calibration_ + 3 * b];
      if (bin[2] > 0) e.calibration.push_back({bin[0] / bin[2], bin[1] / bin[2], bin[2]});
    }
    if (residuals_ > roc_) {
      double above[] = {0, 0};  // negatives, positives
      for (std::size_t t = bins_.thresholds.size(); t > 0; --t) {
        above[0] += sums[roc_ + 2 * t];
        above[1] += sums[roc_ + 2 * t + 1];
        e.roc.push_back({bins_.thresholds[t - 1], above[1], above[0]});
      }
    }
    for (std::size_t b = 0; residuals_ + b < size_; ++b)
      e.residuals.push_back({bins_.residuals[b], bins_.residuals[b + 1], sums[residuals_ + b]});
    return e;
  }

 private:
  void add_calibration(std::size_t bin, double predicted, double observed, double weight,
                       std::span<double> sums) const {
    double* at = &sums[calibration_ + 3 * bin];
    at[0] += weight * predicted;
    at[1] += weight * observed;
    at[2] += weight;
  }
  void add_number(double z, double y, double weight, std::span<double> sums) const {
    add_calibration(place(bins_.predictions, z), z, y, weight, sums);
    if (bins_.residuals.empty()) return;
    const std::size_t at = place(bins_.residuals, z - y);
    sums[residuals_ + std::min(std::max<std::size_t>(at, 1) - 1, residual_bins - 1)] += weight;
  }
  void add_class(const double* z, double y, double weight, std::span<double> sums) const {
    const Index a = true_class(loss_, y), b = predicted_class(loss_, z, K_);
    const auto row = static_cast<std::size_t>(a), column = static_cast<std::size_t>(b);
    const auto classes = static_cast<std::size_t>(classes_);
    sums[by_class_ + row] += weight;
    sums[by_class_ + classes + column] += weight;
    if (a == b) sums[by_class_ + 2 * classes + row] += weight;
    if (calibration_ > confusion_) sums[confusion_ + row * classes + column] += weight;
    if (!bins_.thresholds.empty())
      sums[roc_ + 2 * place_above(z[0]) + static_cast<std::size_t>(a)] += weight;
    if (calibrated_ == 0) return;
    const auto [p, hit] = probability_of(loss_, as_they_are_, z, y, K_);
    add_calibration(bin_of(p), p, hit ? 1 : 0, weight, sums);
  }
  /// Thresholds that a score is above: not those that it equals. Halving without branches, which
  /// scores in no order would mispredict.
  std::size_t place_above(double z) const {
    const double* first = bins_.thresholds.data();
    std::size_t count = bins_.thresholds.size();
    while (count > 1) {
      const std::size_t half = count / 2;
      first += first[half - 1] < z ? half : 0;
      count -= half;
    }
    return static_cast<std::size_t>(first - bins_.thresholds.data()) + (*first < z ? 1 : 0);
  }

  Loss loss_;
  io::Calibration as_they_are_;  // scores, in training
  Index K_, classes_;
  Bins bins_;
  std::size_t size_ = 0, by_class_ = 0, confusion_ = 0, calibrated_ = 0, calibration_ = 0, roc_ = 0,
              residuals_ = 0;
};

template <class ScoresOf>
io::Evaluation count(const Communicator& comm, const LabelMap& labels, const Tally& tally,
                     const Shard& shard, Reduction reduction, Index block, ScoresOf&& scores_of) {
  const auto sums = make_reducer<double>(comm, reduction, shard.partition().virtual_shards(),
                                         shard.owned_shards());
  sums->start(static_cast<Index>(tally.size()), 0);
  each_block(shard, block, scores_of,
             [&](Index owned, const ScoredRows& rows) { tally.add(rows, sums->values(owned)); });
  sums->reduce();
  io::Evaluation e = tally.evaluation(sums->total(), labels);
  e.rows = shard.info().rows;
  return e;
}

}  // namespace

io::Evaluation evaluate_scores_for_report(const Communicator& comm, const LabelMap& labels,
                                          std::span<const double> z, const Shard& shard,
                                          Reduction reduction) {
  const Index K = labels.scores_per_row();
  SVRG_EXPECT(static_cast<Index>(z.size()) == shard.rows() * K, "scores of every row");
  const Tally tally(labels, K, K == 1 ? choose_bins(comm, labels.loss, z, shard) : Bins());
  return count(comm, labels, tally, shard, reduction, shard.rows() + 1,
               [&](const Part& rows) { return z.data() + rows.first * K; });
}

io::Evaluation evaluate_for_report(const Communicator& comm, Predictor& model,
                                   const LabelMap& labels, const Shard& shard,
                                   Reduction reduction) {
  const Index K = labels.scores_per_row();
  if (K > 1) {
    std::vector<double> z(static_cast<std::size_t>(block_rows * K));
    return count(comm, labels, Tally(labels, K, {}), shard, reduction, block_rows,
                 [&](const Part& rows) {
                   model.score(shard.all(), rows, z);
                   return z.data();
                 });
  }
  std::vector<double> z(static_cast<std::size_t>(shard.rows()));
  for (const Part& part : shard.all().parts)
    model.score(shard.all(), part,
                std::span(z).subspan(static_cast<std::size_t>(part.first),
                                     static_cast<std::size_t>(part.count)));
  return evaluate_scores_for_report(comm, labels, z, shard, reduction);
}

}  // namespace svrg
