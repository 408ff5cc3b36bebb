#include "simulation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "app_test.hpp"
#include "cost_fit.hpp"
#include "platform.hpp"
#include "recorded_training.hpp"
#include "replay.hpp"

namespace svrg::app::testing {
namespace {

const std::string data = SVRG_SOURCE_DIR "/apps/data/";

using Meetings = std::vector<std::pair<Meeting, Index>>;
Meetings meetings_of(const RecordedTraining& training) {
  Meetings meetings;
  for (const ScheduleStep& step : training.schedule)
    meetings.emplace_back(step.meeting, step.bytes);
  return meetings;
}

/// A training that every rank makes alone, standing for all, and one that they make together.
void expect_the_same_path(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "bench");
  const Settings settings = settings_of(arguments);
  const Communicator world = Communicator::world();
  const Index ranks = world.size();
  const auto alone = record_training(settings, world.split(world.rank(), 0), ranks);
  const auto together = record_training(settings, world, ranks);
  EXPECT_EQ(alone.recorded_on, 1);
  EXPECT_EQ(together.recorded_on, ranks);
  EXPECT_EQ(alone.epochs, together.epochs);
  EXPECT_EQ(alone.converged, together.converged);
  EXPECT_EQ(alone.passes, together.passes);
  EXPECT_EQ(meetings_of(alone), meetings_of(together));
  // As svrg train does by itself on as many ranks, whose virtual shards are cut more finely.
  const auto usual = record_training(settings, world, 0);
  EXPECT_EQ(usual.epochs, alone.epochs);
  EXPECT_EQ(meetings_of(usual), meetings_of(alone));
}

TEST(RecordedTraining, on_one_rank_meets_as_those_do_for_which_it_stands) {
  expect_the_same_path({data + "wdbc.train.svm", "--engine", "row", "--tol-grad", "1e-6"});
  expect_the_same_path({data + "wdbc.train.svm"});
  expect_the_same_path({data + "digits.train.svm", "--engine", "row", "-e", "5"});
  expect_the_same_path({data + "wdbc.train.svm", "--l1", "0.01"});
  expect_the_same_path({data + "wdbc.train.svm", "--algorithm", "svrg", "-e", "6", "-b", "32"});
  expect_the_same_path(
      {data + "wdbc.train.svm", "--deterministic", "--algorithm", "gd", "-e", "4"});
}

TEST(RecordedTraining, charges_all_of_its_time_to_steps) {
  if (Communicator::world().size() > 1) GTEST_SKIP() << "ranks may have to share a core";
  const Settings settings = settings_of(
      {"bench", data + "digits.train.svm", "--engine", "row", "-e", "3", "--tol-grad", "0"});
  const double start = now();
  const auto training = record_training(settings, Communicator::self(), 1);
  const double all = now() - start;
  double divided = 0, repeated = 0;
  for (const ScheduleStep& step : training.schedule) {
    divided += step.divided;
    repeated += step.repeated;
    EXPECT_EQ(step.rows > 0, step.divided > 0);
  }
  EXPECT_LT(divided + repeated, all) << "loading is no part of it";
  EXPECT_GT(divided, 0);
  EXPECT_GT(repeated, 0);
}

const Schedule made_up = {
    {.divided = 8, .repeated = 1, .rows = 100, .meeting = Meeting::allreduce, .bytes = 800},
    {.divided = 4, .repeated = 0, .rows = 10, .meeting = Meeting::allreduce, .bytes = 800},
    {.divided = 0, .repeated = 3, .meeting = Meeting::none}};

TEST(Plan, gives_one_rank_all_the_work_and_each_of_many_the_largest_share) {
  EXPECT_DOUBLE_EQ(own_seconds(plan_of(made_up, 1, 1)), 16);
  EXPECT_DOUBLE_EQ(own_seconds(plan_of(made_up, 1, 2)), 4 + 4 + 2);
  // 10 rows on 4 ranks: somebody has 3.
  EXPECT_DOUBLE_EQ(own_seconds(plan_of(made_up, 1, 4)), 4 + 2 + 4 * 0.3);
  // More ranks than rows: one row's work is left.
  EXPECT_DOUBLE_EQ(own_seconds(plan_of(made_up, 1, 1000)), 4 + 8 * 0.01 + 4 * 0.1);
  // Written down on two ranks, each with half of the work.
  EXPECT_DOUBLE_EQ(own_seconds(plan_of(made_up, 2, 2)), 16);
  EXPECT_DOUBLE_EQ(own_seconds(plan_of(made_up, 2, 1)), 4 + 24);
}

TEST(Plan, has_equal_meetings_in_one_line) {
  const auto plan = plan_of(made_up, 1, 1);
  ASSERT_EQ(plan.size(), 2U);
  EXPECT_EQ(plan[0], (PlannedStep{2, Meeting::allreduce, 800, 6.5}));
  EXPECT_EQ(plan[1], (PlannedStep{1, Meeting::none, 0, 3}));
  EXPECT_EQ(bytes_of(plan), 1600);
  EXPECT_EQ(messages_of(plan), 2);
}

TEST(Platform, takes_names_with_parameters_and_files) {
  const Platform slow = platform_from("ethernet:bandwidth=100Mbit:latency=1ms:cores=4");
  EXPECT_DOUBLE_EQ(slow.bandwidth, 12.5e6);
  EXPECT_DOUBLE_EQ(slow.latency, 1e-3);
  EXPECT_EQ(slow.cores, 4);
  EXPECT_EQ(platform_from("here/site.xml").path, "here/site.xml");
  const auto error = [](const char* text) { return error_of([&] { platform_from(text); }); };
  EXPECT_EQ(error("token-ring"),
            "must be ethernet, fattree, dragonfly or a platform file, FILE.xml, got token-ring");
  EXPECT_EQ(error("ethernet:bandwidth=fast"), "bandwidth must be like 100Mbit or 10Gbit, got fast");
  EXPECT_EQ(error("ethernet:latency=0us"), "latency must be like 20us or 1ms, got 0us");
  EXPECT_EQ(error("fattree:colour=red"), "must be bandwidth=, latency= or cores=, got colour=red");
  EXPECT_EQ(error("site.xml:cores=2"), "site.xml: the file says all there is to be said of it");
  EXPECT_THROW(files_of(platform_from("dragonfly"), 512), LimitError);
}

TEST(CostFit, finds_the_costs_that_times_were_made_of) {
  const io::CostFit truth = {.latency = 3e-6, .seconds_per_byte = 2e-10, .seconds_per_row = 4e-8};
  std::vector<CostObservation> seen;
  for (const Index ranks : {1, 2, 8}) {
    seen.push_back({.ranks = ranks, .rows = 1e6, .messages = 300, .bytes = 1e7, .fixed = 0.01});
    seen.push_back({.ranks = ranks, .messages = 1, .bytes = 8});
    seen.back().rows = ranks == 1 ? 10 : 0;  // something must take time
  }
  for (CostObservation& o : seen) o.seconds = predicted_seconds(truth, o);
  const io::CostFit fit = fit_costs(seen);
  EXPECT_NEAR(fit.latency, truth.latency, 1e-9 * truth.latency);
  EXPECT_NEAR(fit.seconds_per_byte, truth.seconds_per_byte, 1e-6 * truth.seconds_per_byte);
  EXPECT_NEAR(fit.seconds_per_row, truth.seconds_per_row, 1e-9 * truth.seconds_per_row);
}

TEST(CostFit, is_never_negative_and_knows_nothing_of_a_network_on_one_rank) {
  const std::vector<CostObservation> alone = {
      {.ranks = 1, .rows = 1000, .messages = 10, .bytes = 800, .seconds = 0.5}};
  EXPECT_EQ(fit_costs(alone), (io::CostFit{.seconds_per_row = 0.5 / 1000}));
  // Two ranks in less than half the time: no network pays one back.
  const std::vector<CostObservation> superlinear = {
      {.ranks = 1, .rows = 1000, .messages = 10, .bytes = 800, .seconds = 0.5},
      {.ranks = 2, .rows = 1000, .messages = 10, .bytes = 800, .seconds = 0.2}};
  const io::CostFit fit = fit_costs(superlinear);
  EXPECT_EQ(fit.latency, 0);
  EXPECT_EQ(fit.seconds_per_byte, 0);
  EXPECT_GT(fit.seconds_per_row, 0);
}

io::SimulatedRun simulated(const std::string& platform, Index ranks, double seconds) {
  io::SimulatedRun run;
  run.platform = platform;
  run.ranks = ranks;
  run.train_seconds = seconds;
  return run;
}

TEST(Payoff, is_where_more_ranks_do_not_pay_any_more) {
  io::ScalingStudy study;
  study.simulated = {simulated("slow", 1, 8), simulated("slow", 2, 5), simulated("slow", 4, 6),
                     simulated("fast", 1, 8), simulated("fast", 2, 4), simulated("fast", 4, 2.5)};
  const auto payoffs = payoffs_of(study);
  ASSERT_EQ(payoffs.size(), 2U);
  EXPECT_EQ(payoffs[0].fastest, 2);
  EXPECT_EQ(payoffs[0].efficient, 2);
  EXPECT_FALSE(payoffs[0].all_efficient);
  EXPECT_EQ(payoffs[1].fastest, 4);
  EXPECT_EQ(payoffs[1].efficient, 4);
  EXPECT_TRUE(payoffs[1].all_efficient);
}

/// What SimGrid makes of platforms; needs it.
class Replay : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = missing_for_replays(); !missing.empty())
      GTEST_SKIP() << missing;
    if (Communicator::world().size() > 1) GTEST_SKIP() << "is tested on one rank";
  }
  static double seconds(const std::vector<PlannedStep>& plan, const std::string& platform,
                        Index ranks, ReplayOptions options = {}) {
    return replayed_seconds(plan, platform_from(platform), ranks, options);
  }
};

TEST_F(Replay, takes_one_rank_as_long_as_its_own_work) {
  const auto plan = plan_of(made_up, 1, 1);
  EXPECT_NEAR(seconds(plan, "ethernet", 1), own_seconds(plan), 1e-6);
}

TEST_F(Replay, takes_a_short_message_latency_and_a_long_one_bandwidth) {
  const std::vector<PlannedStep> ping = {{100, Meeting::allreduce, 8, 0}};
  EXPECT_NEAR(seconds(ping, "ethernet:latency=1ms", 2), 100e-3, 1e-3);
  EXPECT_NEAR(seconds(ping, "ethernet:latency=1ms", 16), 400e-3, 4e-3) << "in four rounds";
  // Half to the other, its sum back: 2 · 4 MB at 94 % of 12.5 MB/s, each way at once.
  const std::vector<PlannedStep> pour = {{10, Meeting::allreduce, 8'000'000, 0}};
  EXPECT_NEAR(seconds(pour, "ethernet:bandwidth=100Mbit", 2), 10 * 8 / (0.94 * 12.5), 0.1);
}

TEST_F(Replay, is_not_faster_on_a_slower_network) {
  const std::vector<PlannedStep> plan = {{20, Meeting::allreduce, 8000, 1e-4},
                                         {20, Meeting::allreduce, 80, 1e-5},
                                         {5, Meeting::broadcast, 40, 0},
                                         {5, Meeting::gather_at_root, 72, 0},
                                         {1, Meeting::scan, 8, 0},
                                         {1, Meeting::gather, 640, 0}};
  double before = 0;
  for (const char* platform : {"fattree", "ethernet", "ethernet:bandwidth=1Gbit",
                               "ethernet:bandwidth=1Gbit:latency=1ms"}) {
    const double now = seconds(plan, platform, 8);
    EXPECT_GE(now, std::max(before, own_seconds(plan))) << platform;
    before = now;
  }
}

TEST_F(Replay, of_a_few_of_equal_steps_is_that_of_all) {
  const std::vector<PlannedStep> plan = {{50, Meeting::allreduce, 80'000, 1e-4},
                                         {30, Meeting::allreduce, 80, 1e-5}};
  for (const char* platform : {"ethernet", "fattree:cores=2"}) {
    const double all = seconds(plan, platform, 16, {.rounds = 1000});
    EXPECT_NEAR(seconds(plan, platform, 16), all, 0.01 * all) << platform;
  }
}

TEST_F(Replay, takes_every_platform) {
  const std::vector<PlannedStep> plan = {{2, Meeting::allreduce, 80, 1e-3}};
  for (const char* platform : {"ethernet", "fattree", "dragonfly", "ethernet:cores=8"})
    for (const Index ranks : {2, 32, 128})
      EXPECT_GT(seconds(plan, platform, ranks), 2e-3) << platform << ' ' << ranks;
}

TEST_F(Replay, says_what_simgrid_says) {
  const std::vector<PlannedStep> plan = {{1, Meeting::none, 0, 1}};
  const std::string error = error_of([&] { seconds(plan, "/nowhere/site.xml", 2); });
  EXPECT_TRUE(error.starts_with("--simulate: SimGrid failed on /nowhere/site.xml with 2 ranks: "))
      << error;
}

}  // namespace
}  // namespace svrg::app::testing
