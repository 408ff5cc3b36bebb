#include "scaling_bench.hpp"

#include <gtest/gtest.h>

#include "svrg/core/error.hpp"

namespace svrg::app {
namespace {

Settings with_ranks(const char* text) {
  Settings settings;
  settings.set(*find_option("ranks"), text, Source::command_line, "--ranks");
  return settings;
}

TEST(ScalingBench, takes_lists_and_powers_of_two_of_ranks) {
  using Ranks = std::vector<Index>;
  EXPECT_EQ(ranks_asked_for(Settings(), 6), (Ranks{1, 2, 4, 6}));
  EXPECT_EQ(ranks_asked_for(Settings(), 1), (Ranks{1}));
  EXPECT_EQ(ranks_asked_for(with_ranks("4,1,4"), 4), (Ranks{1, 4}));
  EXPECT_EQ(ranks_asked_for(with_ranks("2..16"), 16), (Ranks{2, 4, 8, 16}));
  EXPECT_EQ(ranks_asked_for(with_ranks("3,2..8"), 8), (Ranks{2, 3, 4, 8}));
  for (const char* wrong : {"0", "-2", "a", "4..2", "..8", "2..", "1.5", "9"})
    EXPECT_THROW(ranks_asked_for(with_ranks(wrong), 8), ConfigError) << wrong;
}

io::MeasuredRun run(Index ranks, Index repeat, double seconds, Index rows = 1000) {
  io::MeasuredRun run;
  run.ranks = ranks;
  run.repeat = repeat;
  run.rows = rows;
  run.epochs = 10 * ranks;  // more chains, more epochs
  run.passes = 20;
  run.train_seconds = seconds;
  run.phase_seconds.resize(static_cast<std::size_t>(ranks));
  for (auto& rank : run.phase_seconds) {
    rank[static_cast<std::size_t>(Phase::allreduce)] = seconds / 4;
    rank[static_cast<std::size_t>(Phase::wait)] = seconds / 10;
  }
  return run;
}

TEST(ScalingBench, compares_trainings_of_the_same_repeat) {
  io::ScalingStudy study;
  // The machine is slower in the second repeat and faster in the third: the ratio is 2 throughout.
  study.measured = {run(1, 0, 4), run(1, 1, 40), run(1, 2, 0.4),
                    run(2, 0, 2), run(2, 1, 20), run(2, 2, 0.2)};
  const auto points = points_of(study);
  ASSERT_EQ(points.size(), 2u);
  EXPECT_DOUBLE_EQ(points[1].train_seconds, 2);
  EXPECT_DOUBLE_EQ(points[1].speedup, 2);
  EXPECT_DOUBLE_EQ(points[1].efficiency, 1);
  EXPECT_DOUBLE_EQ(points[1].epoch_efficiency, 2);
  EXPECT_DOUBLE_EQ(points[1].spread, (20 - 0.2) / 2);
  EXPECT_DOUBLE_EQ(points[1].communication, 0.25);
  EXPECT_DOUBLE_EQ(points[1].waiting, 0.1);
  EXPECT_DOUBLE_EQ(points[0].rows_per_second, 1000 * 20 / 4.0);
}

TEST(ScalingBench, weak_scaling_is_perfect_where_time_stays) {
  io::ScalingStudy study;
  study.mode = "weak";
  study.measured = {run(2, 0, 3, 1000), run(4, 0, 3, 2000), run(8, 0, 6, 4000)};
  const auto points = points_of(study);
  EXPECT_DOUBLE_EQ(points[1].efficiency, 1);
  EXPECT_DOUBLE_EQ(points[1].speedup, 2);
  EXPECT_DOUBLE_EQ(points[2].efficiency, 0.5);
}

}  // namespace
}  // namespace svrg::app
