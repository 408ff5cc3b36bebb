#include "svrg/train/evaluation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "problems.hpp"
#include "svrg/train/metric.hpp"

namespace svrg {
namespace {

using test::make_model;
using test::make_shard;
using test::ProblemSpec;

/// A linear model whose weights are a function of the problem alone.
class Scorer : public Predictor {
 public:
  explicit Scorer(const ProblemSpec& spec) : model_(make_model(spec)) {
    w_ = Vec<double>::LinSpaced(model_.layout().size(), -0.6, 0.9);
  }
  const ParameterLayout& layout() const override { return model_.layout(); }
  Index scores_per_row() const override { return model_.scores_per_row(); }
  void set_weights(ConstVecRef<double> w) override { w_ = w; }
  void score(const Batch& batch, const Part& part, std::span<double> scores) override {
    model_.predict(w_, batch, part, scores);
  }

 private:
  LinearModel model_;
  Vec<double> w_;
};

LabelMap labels_for(const ProblemSpec& spec) {
  LabelMap labels;
  labels.loss = spec.loss;
  if (takes_two_classes(spec.loss)) labels.classes = {-1, 1};
  if (spec.loss == Loss::softmax)
    for (Index k = 0; k < spec.classes; ++k) labels.classes.push_back(static_cast<double>(k));
  return labels;
}

/// Scores of all rows of this rank, in the shard's order.
std::vector<double> scores_of(Scorer& scorer, const Shard& shard) {
  const Index K = scorer.scores_per_row();
  std::vector<double> z(static_cast<std::size_t>(shard.rows() * K));
  for (const Part& part : shard.all().parts)
    scorer.score(shard.all(), part,
                 std::span(z).subspan(static_cast<std::size_t>(part.first * K),
                                      static_cast<std::size_t>(part.count * K)));
  return z;
}

io::Evaluation evaluated(const Communicator& comm, const ProblemSpec& spec) {
  Scorer scorer(spec);
  return evaluate_for_report(comm, scorer, labels_for(spec), make_shard(comm, spec),
                             Reduction::plain);
}

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

void expect_near(const std::vector<double>& a, const std::vector<double>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-9) << i;
}

const std::vector<ProblemSpec>& problems() {
  static const std::vector<ProblemSpec> all = {
      {.loss = Loss::logistic, .rows = 400, .weighted = true},
      {.loss = Loss::squared_hinge, .rows = 333, .sparse = true},
      {.loss = Loss::softmax, .rows = 250, .classes = 4, .weighted = true},
      {.loss = Loss::squared, .rows = 300},
      {.loss = Loss::huber, .rows = 120, .weighted = true},
      {.loss = Loss::logistic, .rows = 3}};
  return all;
}

TEST(Evaluation, is_the_same_on_any_number_of_ranks) {
  for (const ProblemSpec& spec : problems()) {
    const auto many = evaluated(Communicator::world(), spec);
    const auto one = evaluated(Communicator::self(), spec);
    EXPECT_EQ(many.rows, spec.rows);
    expect_near(many.support, one.support);
    expect_near(many.taken, one.taken);
    expect_near(many.confusion, one.confusion);
    ASSERT_EQ(many.roc.size(), one.roc.size());
    for (std::size_t i = 0; i < one.roc.size(); ++i) {
      EXPECT_EQ(many.roc[i].threshold, one.roc[i].threshold);
      EXPECT_NEAR(many.roc[i].true_positives, one.roc[i].true_positives, 1e-9);
      EXPECT_NEAR(many.roc[i].false_positives, one.roc[i].false_positives, 1e-9);
    }
    ASSERT_EQ(many.calibration.size(), one.calibration.size());
    for (std::size_t i = 0; i < one.calibration.size(); ++i)
      EXPECT_NEAR(many.calibration[i].observed, one.calibration[i].observed, 1e-9);
    ASSERT_EQ(many.residuals.size(), one.residuals.size());
    for (std::size_t i = 0; i < one.residuals.size(); ++i)
      EXPECT_NEAR(many.residuals[i].weight, one.residuals[i].weight, 1e-9);
  }
}

TEST(Evaluation, of_known_scores_is_that_of_the_model) {
  const auto world = Communicator::world();
  for (const ProblemSpec& spec : problems()) {
    Scorer scorer(spec);
    const Shard shard = make_shard(world, spec);
    const auto z = scores_of(scorer, shard);
    const LabelMap labels = labels_for(spec);
    EXPECT_EQ(evaluate_scores_for_report(world, labels, z, shard, Reduction::fixed_tree),
              evaluate_for_report(world, scorer, labels, shard, Reduction::fixed_tree));
  }
}

TEST(Evaluation, confuses_as_the_metric_does_and_its_sums_fit) {
  const auto world = Communicator::world();
  for (const ProblemSpec& spec : problems()) {
    if (takes_numbers(spec.loss)) continue;
    Scorer scorer(spec);
    const Shard shard = make_shard(world, spec);
    const auto e = evaluated(world, spec);
    const Eigen::MatrixXd table = confusion(world, scorer, spec.loss, shard, Reduction::plain);
    const auto classes = static_cast<std::size_t>(table.rows());
    ASSERT_EQ(e.confusion.size(), classes * classes);
    for (std::size_t a = 0; a < classes; ++a) {
      const auto row = static_cast<Index>(a);
      for (std::size_t b = 0; b < classes; ++b)
        EXPECT_NEAR(e.confusion[a * classes + b], table(row, static_cast<Index>(b)), 1e-9);
      EXPECT_NEAR(e.support[a], table.row(row).sum(), 1e-9);
      EXPECT_NEAR(e.taken[a], table.col(row).sum(), 1e-9);
      EXPECT_NEAR(e.hits[a], table(row, row), 1e-9);
    }
    double binned = 0;
    for (const auto& bin : e.calibration) binned += bin.weight;
    if (spec.loss != Loss::squared_hinge) {
      EXPECT_NEAR(binned, sum(e.support), 1e-9);
    }
  }
}

TEST(Evaluation, counts_at_thresholds_are_exact_and_their_area_is_the_auc) {
  const auto self = Communicator::self();
  const ProblemSpec spec{.loss = Loss::logistic, .rows = 3000, .weighted = true};
  Scorer scorer(spec);
  const Shard shard = make_shard(self, spec);
  const auto z = scores_of(scorer, shard);
  const auto e = evaluated(self, spec);
  ASSERT_GT(e.roc.size(), 100U);
  ASSERT_LE(e.roc.size(), 200U);
  double area = 0, x = 0, y = 0;
  for (const io::RocPoint& p : e.roc) {
    double above[] = {0, 0};
    for (std::size_t i = 0; i < z.size(); ++i)
      if (z[i] > p.threshold) above[shard.labels()[i] > 0] += shard.weights()[i];
    EXPECT_NEAR(p.false_positives, above[0], 1e-9);
    EXPECT_NEAR(p.true_positives, above[1], 1e-9);
    area += (p.false_positives - x) * (p.true_positives + y) / 2;
    x = p.false_positives;
    y = p.true_positives;
  }
  area += (e.support[0] - x) * (e.support[1] + y) / 2;
  const std::vector<Metric> auc = {Metric::of("auc")};
  const double exact = evaluate(self, scorer, spec.loss, shard, auc, Reduction::plain).at("auc");
  EXPECT_NEAR(area / (e.support[0] * e.support[1]), exact, 2e-3);
}

TEST(Evaluation, of_numbers_bins_every_row_once) {
  const auto world = Communicator::world();
  const ProblemSpec spec{.loss = Loss::squared, .rows = 500};
  const auto e = evaluated(world, spec);
  double predicted = 0, errors = 0, mean_error = 0, middle = 0;
  for (const auto& bin : e.calibration) {
    predicted += bin.weight;
    mean_error += bin.weight * (bin.predicted - bin.observed);
  }
  for (const auto& bin : e.residuals) {
    EXPECT_LT(bin.low, bin.high);
    errors += bin.weight;
    middle += bin.weight * (bin.low + bin.high) / 2;
  }
  EXPECT_NEAR(predicted, 500, 1e-9);
  EXPECT_NEAR(errors, 500, 1e-9);
  // The mean of the errors, exactly and by the middles of their bins.
  const double width = e.residuals.front().high - e.residuals.front().low;
  EXPECT_NEAR(mean_error / 500, middle / 500, 2 * width);
  EXPECT_TRUE(e.classes.empty() && e.confusion.empty() && e.roc.empty());
}

TEST(Evaluation, of_no_rows_is_empty) {
  const auto e = evaluated(Communicator::world(), {.loss = Loss::squared, .rows = 0});
  EXPECT_EQ(e.rows, 0);
  EXPECT_TRUE(e.calibration.empty());
  EXPECT_TRUE(e.residuals.empty());
}

}  // namespace
}  // namespace svrg
