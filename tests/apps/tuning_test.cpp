// Grids of penalties, and the choice among their scores.
#include <gtest/gtest.h>

#include <cmath>

#include "app_test.hpp"
#include "svrg/train/metric.hpp"
#include "tuning_choice.hpp"
#include "tuning_grid.hpp"

namespace svrg::app {
namespace {

using testing::error_of;
using testing::settings_of;

Settings tune(std::vector<std::string> more) {
  std::vector<std::string> line = {"tune", "x.svm"};
  line.insert(line.end(), more.begin(), more.end());
  return settings_of(line);
}

std::vector<std::string> texts(const TuningGrid& grid) {
  std::vector<std::string> all;
  for (Index p = 0; p < static_cast<Index>(grid.points().size()); ++p) all.push_back(grid.text(p));
  return all;
}

TEST(Grid, goes_from_the_strongest_penalty_to_the_weakest) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(texts(TuningGrid(tune({"--grid", "l2=1e-2:1:3"}))),
            (Texts{"l2=1", "l2=0.1", "l2=0.01"}));
  EXPECT_EQ(texts(TuningGrid(tune({"--grid", "C=10,1,0.1,1"}))), (Texts{"C=0.1", "C=1", "C=10"}));
  EXPECT_EQ(texts(TuningGrid(tune({"--grid", "l2=1/n:100/n:3"}))),
            (Texts{"l2=100/n", "l2=10/n", "l2=1/n"}));
  EXPECT_EQ(texts(TuningGrid(tune({"--grid", "l1=0,1e-3"}))), (Texts{"l1=0.001", "l1=0"}));
}

TEST(Grid, needs_no_thought) {
  const TuningGrid grid(tune({}));
  ASSERT_EQ(grid.points().size(), 10U);
  for (Index p = 0; p < 10; ++p)  // numpy.logspace(-4, 4, 10), to six digits
    EXPECT_NEAR(std::log10(grid.settings_at(tune({}), p).number("C")),
                -4 + 8.0 / 9 * static_cast<double>(p), 1e-6);
}

TEST(Grid, starts_each_point_from_a_neighbour_of_stronger_penalty) {
  const TuningGrid grid(tune({"--grid", "l1=1e-3,1e-2", "--grid", "l2=0.1,1,10"}));
  ASSERT_EQ(grid.points().size(), 6U);
  const auto penalties = [&](Index p) {
    const Settings s = grid.settings_at(tune({}), p);
    return std::pair(s.scaled("l1").value, s.scaled("l2").value);
  };
  EXPECT_EQ(grid.points()[0].stronger, -1);
  for (Index p = 1; p < 6; ++p) {
    const Index from = grid.points()[static_cast<std::size_t>(p)].stronger;
    ASSERT_LT(from, p);
    const auto [l1, l2] = penalties(p);
    const auto [strong_l1, strong_l2] = penalties(from);
    EXPECT_TRUE((strong_l1 == l1 && strong_l2 > l2) || (strong_l1 > l1 && strong_l2 == l2));
  }
}

TEST(Grid, sets_one_of_two_names_of_a_penalty) {
  const Settings base = tune({});
  const Settings at = TuningGrid(base).settings_at(base, 3);
  EXPECT_TRUE(at.has("C"));
  EXPECT_FALSE(at.has("l2"));
}

TEST(Grid, is_refused_with_a_remedy) {
  const auto says = [](std::vector<std::string> more, const std::string& text) {
    const std::string error = error_of([&] { TuningGrid{tune(more)}; });
    EXPECT_NE(error.find(text), std::string::npos) << error;
  };
  says({"--grid", "12=1"}, "must be C, l2 or l1");
  says({"--grid", "l2=1e-3:1"}, "is no value of l2");
  says({"--grid", "l2=0:1:3"}, "above 0");
  says({"--grid", "l2=1:2:1"}, "from 2");
  says({"--grid", "l2=1/n,1"}, "over n, or none");
  says({"--grid", "C=1/n"}, "is no value of C");
  says({"--grid", "C=1", "--grid", "l2=1"}, "say the same thing");
  says({"--grid", "l1=1", "--grid", "l1=2"}, "given twice");
  says({"--l2", "3"}, "--l2: svrg tune tries values");
  says({"--C", "3", "--grid", "l2=1"}, "--C: svrg tune tries values");
}

/// Scores by point and fold.
io::TuningStudy study_of(const std::vector<std::vector<double>>& scores) {
  io::TuningStudy study;
  study.metrics = {"acc"};
  study.held_out.assign(scores.front().size(), 10);
  for (std::size_t p = 0; p < scores.size(); ++p)
    study.settings.push_back("C=" + std::to_string(p));
  for (std::size_t f = 0; f < scores.front().size(); ++f)
    for (std::size_t p = 0; p < scores.size(); ++p)
      study.cells.push_back({.fold = static_cast<Index>(f),
                             .point = static_cast<Index>(p),
                             .scores = {scores[p][f]}});
  return study;
}

TEST(Choice, is_the_best_mean_or_the_strongest_within_its_standard_error) {
  // Means 0.5, 0.78, 0.8, 0.75; the best's deviation is 0.1, so its standard error 0.05.
  const std::vector<std::vector<double>> scores = {{0.5, 0.5, 0.5, 0.5},
                                                   {0.78, 0.78, 0.78, 0.78},
                                                   {0.7, 0.7, 0.9, 0.9},
                                                   {0.75, 0.75, 0.75, 0.75}};
  io::TuningStudy study = study_of(scores);
  choose(study, Metric::of("acc"), false);
  EXPECT_EQ(study.best, 2);
  EXPECT_EQ(study.chosen, 2);
  EXPECT_NEAR(study.error[2], std::sqrt(4 * 0.01 / 3 / 4), 1e-15);
  choose(study, Metric::of("acc"), true);
  EXPECT_EQ(study.best, 2);
  EXPECT_EQ(study.chosen, 1);
}

TEST(Choice, takes_the_least_of_an_error_and_the_stronger_of_equals) {
  io::TuningStudy study = study_of({{3, 3}, {1, 1}, {1, 1}, {2, 2}});
  choose(study, Metric::of("mse"), false);
  EXPECT_EQ(study.chosen, 1);
  choose(study, Metric::of("acc"), false);
  EXPECT_EQ(study.chosen, 0);
}

TEST(Choice, passes_over_what_is_not_defined) {
  const double nan = std::nan("");
  io::TuningStudy study = study_of({{nan, 1}, {0.5, 0.5}});
  choose(study, Metric::of("auc"), false);
  EXPECT_EQ(study.chosen, 1);
  study = study_of({{nan, 1}, {0.5, nan}});
  EXPECT_THROW(choose(study, Metric::of("auc"), false), DataError);
}

}  // namespace
}  // namespace svrg::app
