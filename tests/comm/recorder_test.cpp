#include <gtest/gtest.h>

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "svrg/comm/communicator.hpp"
#include "svrg/comm/reducer.hpp"

namespace svrg {
namespace {

using Meetings = std::vector<std::pair<Meeting, Index>>;

/// What a group writes down of some work.
template <class Work>
Meetings meetings_of(const Communicator& comm, const Work& work) {
  comm.recorder().start();
  work(comm);
  Meetings meetings;
  for (const ScheduleStep& step : comm.recorder().stop())
    meetings.emplace_back(step.meeting, step.bytes);
  return meetings;
}

TEST(Recorder, writes_down_the_same_on_one_rank_as_on_several) {
  const auto work = [](const Communicator& comm) {
    std::vector<double> values(7, 1.0), tail(2, 1.0), many(70000, 1.0);
    std::vector<float> floats(70000, 1.0F);
    comm.sum(std::span(values));
    comm.sum(std::span(values), std::span(tail));
    comm.sum(std::span(many), std::span(tail));
    comm.sum(std::span(floats), std::span(tail));
    comm.broadcast(std::span(values));
    comm.broadcast(std::string("text"));
    comm.gather_at_root(values);
    comm.sum(Index{1});
    comm.max(1.0);
    comm.sum_before(Index{1});
    comm.barrier();
    comm.agree("", [] {});
  };
  const Communicator world = Communicator::world();
  const Meetings there = meetings_of(world, work);
  EXPECT_EQ(there, meetings_of(Communicator::self(), work));
  using enum Meeting;
  EXPECT_EQ(there, (Meetings{{allreduce, 56},
                             {allreduce, 72},
                             {allreduce, 560000},
                             {allreduce, 16},
                             {allreduce, 280000},
                             {allreduce, 16},
                             {broadcast, 56},
                             {broadcast, 8},
                             {broadcast, 4},
                             {gather_at_root, 56},
                             {allreduce, 8},
                             {allreduce, 8},
                             {scan, 8},
                             {barrier, 0},
                             {allreduce, 8},
                             {none, 0}}));
}

TEST(Recorder, writes_down_the_sums_of_virtual_shards_whoever_owns_them) {
  constexpr Index shards = 12;
  for (const Reduction kind : {Reduction::plain, Reduction::fixed_tree}) {
    const auto work = [&](const Communicator& comm) {
      const auto reducer = make_reducer<double>(comm, kind, shards, shards / comm.size());
      reducer->start(5, 2);
      reducer->reduce();
    };
    EXPECT_EQ(meetings_of(Communicator::world(), work), meetings_of(Communicator::self(), work));
  }
}

TEST(Recorder, is_that_of_all_copies_and_of_no_other_group) {
  const Communicator world = Communicator::world(), copy = world;
  const Communicator half = world.split(world.rank() % 2, 0);
  world.recorder().start();
  copy.barrier();
  half.barrier();
  EXPECT_EQ(world.recorder().stop().size(), 2U);
  EXPECT_FALSE(copy.recorder().on());
}

}  // namespace
}  // namespace svrg
