#include "svrg/core/schedule.hpp"

#include <gtest/gtest.h>

namespace svrg {
namespace {

void work(double seconds) {
  for (const double until = now() + seconds; now() < until;) continue;
}

TEST(ScheduleRecorder, charges_work_to_rows_or_to_all_and_waiting_to_neither) {
  ScheduleRecorder recorder;
  const double start = now();
  recorder.start();
  work(0.002);
  {
    const ScheduleRecorder::Divided divided(recorder, 100);
    work(0.004);
    recorder.pause();
    recorder.meet(Meeting::allreduce, 80);
    work(0.05);
    recorder.resume();
    work(0.006);
  }
  const Schedule schedule = recorder.stop();
  const double all = now() - start;
  ASSERT_EQ(schedule.size(), 2U);
  EXPECT_GE(schedule[0].repeated, 0.002);
  EXPECT_GE(schedule[0].divided, 0.004);
  EXPECT_EQ(schedule[0].meeting, Meeting::allreduce);
  EXPECT_EQ(schedule[0].bytes, 80);
  EXPECT_GE(schedule[1].divided, 0.006);
  EXPECT_EQ(schedule[1].rows, 100) << "of the same piece of work";
  EXPECT_EQ(schedule[1].meeting, Meeting::none);
  double charged = 0;
  for (const ScheduleStep& step : schedule) charged += step.divided + step.repeated;
  EXPECT_LE(charged, all - 0.05);
}

TEST(ScheduleRecorder, keeps_the_fewest_rows_of_a_step) {
  ScheduleRecorder recorder;
  recorder.start();
  for (const Index rows : {100, 8, 50}) const ScheduleRecorder::Divided divided(recorder, rows);
  recorder.pause();
  recorder.meet(Meeting::barrier, 0);
  recorder.resume();
  const Schedule schedule = recorder.stop();
  EXPECT_EQ(schedule.front().rows, 8);
  EXPECT_EQ(schedule.back().rows, 0);
}

TEST(ScheduleRecorder, writes_nothing_down_before_it_is_started) {
  ScheduleRecorder recorder;
  const ScheduleRecorder::Divided divided(recorder, 5);
  recorder.pause();
  recorder.meet(Meeting::broadcast, 8);
  recorder.resume();
  recorder.start();
  const Schedule schedule = recorder.stop();
  ASSERT_EQ(schedule.size(), 1U);
  EXPECT_EQ(schedule[0].meeting, Meeting::none);
}

}  // namespace
}  // namespace svrg
