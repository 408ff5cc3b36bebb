#include "svrg/train/best_epoch.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "svrg/train/metric.hpp"

namespace svrg {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

BestEpoch after(const std::vector<double>& values, bool larger, Index from = 0) {
  BestEpoch best({"valid_acc", larger});
  Outcome at;
  at.epoch = from;
  for (const double value : values) {
    at.objective = -value;
    best.observe(at, value);
    ++at.epoch;
  }
  return best;
}

TEST(BestEpoch, is_the_first_of_equals_and_turns_over_with_the_sign) {
  const std::vector<double> values = {0.5, 0.7, 0.6, 0.7, 0.65};
  const auto best = after(values, true);
  EXPECT_EQ(best.at().epoch, 1);
  EXPECT_EQ(best.value(), 0.7);
  EXPECT_EQ(best.at().objective, -0.7);
  EXPECT_EQ(best.epochs_since(), 3);
  std::vector<double> negated;
  for (const double value : values) negated.push_back(-value);
  const auto mirrored = after(negated, false);
  EXPECT_EQ(mirrored.at().epoch, 1);
  EXPECT_EQ(mirrored.epochs_since(), 3);
}

TEST(BestEpoch, takes_nan_for_no_improvement) {
  const auto best = after({nan, 0.2, nan, nan}, true);
  EXPECT_EQ(best.at().epoch, 1);
  EXPECT_EQ(best.epochs_since(), 2);
  const auto none = after({nan, nan, nan}, false);
  EXPECT_EQ(none.at().epoch, -1);
  EXPECT_EQ(none.epochs_since(), 3);
}

TEST(BestEpoch, cut_anywhere_and_gone_on_with_is_the_unbroken_one) {
  const std::vector<double> values = {0.5, nan, 0.7, 0.6, 0.8, 0.1, 0.2};
  const auto whole = after(values, true);
  for (std::size_t cut = 0; cut <= values.size(); ++cut) {
    State state;
    after({values.begin(), values.begin() + static_cast<std::ptrdiff_t>(cut)}, true).save(state);
    BestEpoch rest({"valid_acc", true});
    ASSERT_TRUE(rest.load(state));
    Outcome at;
    // The last epoch is measured once more, as a resumed run may.
    for (std::size_t e = cut > 0 ? cut - 1 : 0; e < values.size(); ++e) {
      at.epoch = static_cast<Index>(e);
      at.objective = -values[e];
      rest.observe(at, values[e]);
    }
    EXPECT_EQ(rest.at().epoch, whole.at().epoch) << cut;
    EXPECT_EQ(rest.value(), whole.value()) << cut;
    EXPECT_EQ(rest.at().objective, whole.at().objective) << cut;
    EXPECT_EQ(rest.epochs_since(), whole.epochs_since()) << cut;
  }
}

TEST(BestEpoch, does_not_go_on_from_another_figure) {
  State state;
  BestEpoch other({"train_objective", false});
  EXPECT_FALSE(other.load(state));
  after({0.5}, true).save(state);
  EXPECT_FALSE(other.load(state));
  EXPECT_EQ(other.at().epoch, -1);
}

TEST(BestEpoch, knows_which_way_each_metric_is_better) {
  for (const char* name : {"acc", "auc", "f1", "r2", "top_k:3"})
    EXPECT_TRUE(Metric::of(name).larger_is_better()) << name;
  for (const char* name : {"ce", "mae", "mse", "rmse"})
    EXPECT_FALSE(Metric::of(name).larger_is_better()) << name;
}

}  // namespace
}  // namespace svrg
