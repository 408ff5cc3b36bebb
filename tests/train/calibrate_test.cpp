// Calibration: first-order conditions of its optimum, and what scores may be replaced by.
#include "svrg/train/calibrate.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "problems.hpp"
#include "svrg/core/error.hpp"
#include "svrg/train/metric.hpp"

namespace svrg {
namespace {

using test::make_model;
using test::make_shard;
using test::ProblemSpec;

const ProblemSpec two{.loss = Loss::logistic, .rows = 300, .weighted = true};
const ProblemSpec many{.loss = Loss::softmax, .rows = 250, .classes = 4, .weighted = true};

/// A linear model whose weights are a function of the problem, times a factor; of a sign that makes
/// it better than no model.
class Scorer : public Predictor {
 public:
  explicit Scorer(const ProblemSpec& spec, double factor = 1) : model_(make_model(spec)) {
    w_ = (spec.loss == Loss::softmax ? -factor : factor) *
         Vec<double>::LinSpaced(model_.layout().size(), -0.6, 0.9);
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

io::Calibration fitted(const Communicator& comm, const ProblemSpec& spec, const char* method,
                       double factor = 1, Reduction reduction = Reduction::plain) {
  Scorer scorer(spec, factor);
  return calibrate(comm, scorer, spec.loss, make_shard(comm, spec), method, reduction);
}

double metric_of(const ProblemSpec& spec, const io::Calibration& calibration, const char* name) {
  const auto comm = Communicator::world();
  Scorer scorer(spec);
  scorer.set_calibration(calibration);
  const std::vector<Metric> metrics = {Metric::of(name)};
  return evaluate(comm, scorer, spec.loss, make_shard(comm, spec), metrics, Reduction::plain)
      .at(name);
}

TEST(Platt, leaves_no_mean_error_and_none_along_the_scores) {
  const auto alone = Communicator::self();
  const auto [method, a, b] = fitted(alone, two, "platt");
  EXPECT_EQ(method, "platt");
  Scorer scorer(two);
  const Shard shard = make_shard(alone, two);
  std::vector<double> z(static_cast<std::size_t>(shard.rows()));
  for (const Part& part : shard.all().parts)
    scorer.score(shard.all(), part,
                 std::span(z).subspan(static_cast<std::size_t>(part.first),
                                      static_cast<std::size_t>(part.count)));
  double positive = 0, negative = 0, error = 0, along = 0;
  for (std::size_t i = 0; i < z.size(); ++i)
    (shard.labels()[i] > 0 ? positive : negative) += shard.weights()[i];
  for (std::size_t i = 0; i < z.size(); ++i) {
    const double target =
        shard.labels()[i] > 0 ? (positive + 1) / (positive + 2) : 1 / (negative + 2);
    const double gap = shard.weights()[i] * (1 / (1 + std::exp(-(a * z[i] + b))) - target);
    error += gap;
    along += gap * z[i];
  }
  EXPECT_NEAR(error, 0, 1e-7 * (positive + negative));
  EXPECT_NEAR(along, 0, 1e-7 * (positive + negative));
}

TEST(Temperature, is_where_the_cross_entropy_is_least) {
  for (const auto* spec : {&two, &many}) {
    const auto best = fitted(Communicator::world(), *spec, "temperature");
    EXPECT_EQ(best.offset, 0);
    const double least = metric_of(*spec, best, "ce");
    for (const double factor : {0.5, 0.99, 1.01, 2.0})
      EXPECT_LT(least, metric_of(*spec, {"temperature", factor * best.slope, 0}, "ce"));
  }
}

TEST(Calibration, undoes_a_factor_of_the_scores) {
  const auto comm = Communicator::world();
  for (const double factor : {0.1, 7.0}) {
    const auto plain = fitted(comm, two, "platt"), scaled = fitted(comm, two, "platt", factor);
    EXPECT_NEAR(scaled.slope * factor, plain.slope, 1e-6 * std::fabs(plain.slope));
    EXPECT_NEAR(scaled.offset, plain.offset, 1e-6 * (1 + std::fabs(plain.offset)));
    EXPECT_NEAR(fitted(comm, many, "temperature", factor).slope * factor,
                fitted(comm, many, "temperature").slope, 1e-6);
  }
}

TEST(Calibration, is_the_same_on_any_number_of_ranks) {
  const auto comm = Communicator::world(), alone = Communicator::self();
  const auto here = fitted(comm, two, "platt"), there = fitted(alone, two, "platt");
  EXPECT_NEAR(here.slope, there.slope, 1e-9);
  EXPECT_NEAR(here.offset, there.offset, 1e-9);
  EXPECT_EQ(fitted(comm, two, "platt", 1, Reduction::fixed_tree),
            fitted(alone, two, "platt", 1, Reduction::fixed_tree));
  EXPECT_EQ(fitted(comm, many, "temperature", 1, Reduction::fixed_tree),
            fitted(alone, many, "temperature", 1, Reduction::fixed_tree));
}

/// Scores that are the labels: nothing is ever wrong.
class Oracle : public Scorer {
 public:
  explicit Oracle(const ProblemSpec& spec, const Shard& shard) : Scorer(spec), shard_(shard) {}
  void score(const Batch&, const Part& part, std::span<double> scores) override {
    const auto labels = shard_.labels().subspan(static_cast<std::size_t>(part.first),
                                                static_cast<std::size_t>(part.count));
    std::ranges::copy(labels, scores.begin());
  }

 private:
  const Shard& shard_;
};

TEST(Calibration, is_finite_where_classes_are_apart) {
  const auto comm = Communicator::world();
  const Shard shard = make_shard(comm, two);
  Oracle oracle(two, shard);
  const auto platt = calibrate(comm, oracle, two.loss, shard, "platt", Reduction::plain);
  EXPECT_TRUE(std::isfinite(platt.slope) && std::isfinite(platt.offset));
  EXPECT_GT(platt.slope, 1);
  const auto heat = calibrate(comm, oracle, two.loss, shard, "temperature", Reduction::plain);
  EXPECT_GT(heat.slope, 1);
  EXPECT_LE(heat.slope, 1000);
}

TEST(Calibration, is_refused_where_there_is_nothing_to_calibrate) {
  EXPECT_THROW(require_calibration("platt", Loss::squared), ConfigError);
  EXPECT_THROW(require_calibration("platt", Loss::softmax), ConfigError);
  EXPECT_THROW(require_calibration("temperature", Loss::squared_hinge), ConfigError);
  EXPECT_NO_THROW(require_calibration("platt", Loss::squared_hinge));
  EXPECT_NO_THROW(require_calibration("temperature", Loss::softmax));
  const auto comm = Communicator::world();
  Shard shard = make_shard(comm, two);
  shard.set_labels(std::vector<double>(static_cast<std::size_t>(shard.rows()), 1));
  Scorer scorer(two);
  EXPECT_THROW(calibrate(comm, scorer, two.loss, shard, "platt", Reduction::plain),
               CollectiveError);
}

TEST(CalibrationError, is_that_of_ten_bins_by_hand) {
  // Scores are the labels −1 and +1: two bins, each of one class.
  const auto comm = Communicator::world();
  const Shard shard = make_shard(comm, two);
  Oracle oracle(two, shard);
  const std::vector<Metric> metrics = {Metric::of("ece")};
  const auto error = [&] {
    return evaluate(comm, oracle, two.loss, shard, metrics, Reduction::plain).at("ece");
  };
  EXPECT_NEAR(error(), 1 / (1 + std::exp(1)), 1e-12);
  oracle.set_calibration({"platt", 5, 0});
  EXPECT_NEAR(error(), 1 / (1 + std::exp(5)), 1e-12);
  EXPECT_FALSE(metrics[0].larger_is_better());
}

}  // namespace
}  // namespace svrg
