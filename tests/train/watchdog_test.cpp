#include "svrg/train/watchdog.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "train/stall_judge.hpp"

namespace svrg {
namespace {

// A file of the test's own, however many ranks run it.
class SlotFile {
 public:
  SlotFile()
      : path_(std::filesystem::temp_directory_path() /
              ("svrg-slots-" + std::to_string(::getpid()))) {
    std::filesystem::remove(path_);
  }
  ~SlotFile() { std::filesystem::remove(path_); }
  StallSlots slots(int ranks) const { return {path_.string(), ranks}; }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

Heartbeat::Place waiting(Index collectives, std::uint64_t marks = 5) {
  return {marks, Phase::full_gradient, true, collectives, 3};
}
Heartbeat::Place working(std::uint64_t marks = 5) { return {marks, Phase::data, false, 6, 3}; }

constexpr StallJudge::Limits limits{.warn = 10, .abort = 60};

// Looks once a second until it says something; how long that took. A judge's first look only finds
// out where the rank is.
struct Heard {
  std::string text;
  int seconds = 0;
  bool ends = false;
};
Heard listen(StallJudge& judge, const Heartbeat::Place& at, bool busy, int most) {
  for (int s = 1; s <= most; ++s)
    if (const auto v = judge.look(at, 1, busy); !v.warning.empty()) return {v.warning, s, v.ends};
  return {};
}

TEST(Heartbeat, says_where_the_rank_is) {
  Heartbeat h;
  const auto before = h.place();
  {
    const Heartbeat::Within inner(h, Phase::inner);
    h.enter_collective(true);
    EXPECT_TRUE(h.place().waits);
    EXPECT_EQ(h.place().phase, Phase::inner);
    EXPECT_EQ(h.place().collectives, before.collectives + 1);
    h.leave_collective();
    h.enter_collective(false);
    EXPECT_EQ(h.place().collectives, before.collectives + 1);
    h.leave_collective();
  }
  EXPECT_FALSE(h.place().waits);
  EXPECT_EQ(h.place().phase, before.phase);
  EXPECT_NE(h.place().marks, before.marks);
}

TEST(Heartbeat, is_marked_by_every_collective) {
  const auto world = Communicator::world();
  const Communicator half = world.split(world.rank() % 2, 0);
  const auto expect_marked = [&](const char* what, Index counted, const auto& collective) {
    const auto before = world.heartbeat().place();
    collective();
    const auto after = world.heartbeat().place();
    EXPECT_FALSE(after.waits) << what;
    EXPECT_EQ(after.collectives - before.collectives, world.size() > 1 ? counted : 0) << what;
    EXPECT_EQ(after.marks == before.marks, world.size() == 1) << what;
  };
  std::vector<double> values(3, 1);
  expect_marked("sum", 1, [&] { world.sum(std::span(values)); });
  expect_marked("broadcast", 1, [&] { world.broadcast(std::span(values)); });
  expect_marked("gather", 1, [&] { world.gather_at_root(values); });
  expect_marked("barrier", 1, [&] { world.barrier(); });
  expect_marked("agree", 1, [&] { world.agree("", [] {}); });
  if (half.size() > 1) expect_marked("of a part", 0, [&] { half.barrier(); });
}

TEST(StallSlots, come_back_as_they_were_written) {
  const SlotFile file;
  const StallSlots slots = file.slots(4);
  EXPECT_TRUE(slots.write({2, RankState::idles, Phase::checkpoint, 123456789012, 42}));
  EXPECT_EQ(std::filesystem::file_size(file.path()), 3 * slot_size);
  const auto found = slots.read();
  ASSERT_EQ(found.size(), 4U);
  EXPECT_FALSE(found[0] || found[1] || found[3]);
  ASSERT_TRUE(found[2]);
  EXPECT_EQ(found[2]->state, RankState::idles);
  EXPECT_EQ(found[2]->phase, Phase::checkpoint);
  EXPECT_EQ(found[2]->collectives, 123456789012);
  EXPECT_EQ(found[2]->writes, 42);
}

TEST(StallSlots, that_are_damaged_or_of_another_rank_are_none) {
  EXPECT_FALSE(slot_of("rank 1 waits nowhere 3 4"));
  EXPECT_FALSE(slot_of("rank 1 dreams data 3 4"));
  EXPECT_FALSE(slot_of("rank 1 waits data 3"));
  const SlotFile file;
  std::ofstream(file.path()) << to_text({1, RankState::waits, Phase::data, 1, 1});
  EXPECT_FALSE(file.slots(2).read()[0]);
  EXPECT_FALSE(StallSlots("/no/such/folder/heartbeat", 2).write({}));
}

TEST(StallJudge, is_silent_while_the_rank_moves_or_uses_its_processor) {
  const SlotFile file;
  StallJudge judge(0, 2, limits, file.slots(2));
  for (std::uint64_t s = 0; s < 1000; ++s)
    EXPECT_EQ(judge.look(waiting(1, s / 5), 1, true).warning, "");
  EXPECT_FALSE(std::filesystem::exists(file.path()));
  EXPECT_EQ(listen(judge, working(2000), true, 1000).text, "");
}

TEST(StallJudge, takes_a_starved_rank_for_one_at_work) {
  StallJudge judge(0, 1, limits, StallSlots("", 1));
  for (int s = 0; s < 1000; ++s)
    EXPECT_EQ(judge.look(working(), 1, s % 9 == 0).warning, "") << "a turn every nine looks";
}

TEST(StallJudge, names_who_has_not_arrived_and_where_it_is_once) {
  const SlotFile file;
  StallJudge first(0, 4, limits, file.slots(4)), second(1, 4, limits, file.slots(4)),
      slow(2, 4, limits, file.slots(4));
  std::vector<std::string> said;
  for (int s = 0; s < 25; ++s) {
    slow.look(working(), 1, true);
    EXPECT_EQ(second.look(waiting(7), 1, true).warning, "");
    if (const auto v = first.look(waiting(7), 1, true); !v.warning.empty())
      said.push_back(v.warning);
  }
  ASSERT_EQ(said.size(), 2U);  // and again after twice the time
  EXPECT_EQ(said[0],
            "waits in full_gradient of epoch 3 for 12 s; not arrived: rank 2 (at work in data), "
            "rank 3 (no sign of it)");
  EXPECT_EQ(first.look(waiting(8, 6), 1, true).warning, "goes on, after 25 s");
}

TEST(StallJudge, knows_a_wait_in_an_earlier_collective_from_one_in_a_later) {
  for (const Index other : {6, 8}) {
    const SlotFile file;
    StallJudge first(0, 3, limits, file.slots(3)), second(1, 3, limits, file.slots(3));
    Heard heard;
    for (int s = 0; s < 20 && heard.text.empty(); ++s) {
      second.look(waiting(other), 1, true);
      heard = listen(first, waiting(7), true, 1);
    }
    const std::string missing =
        heard.text.substr(std::min(heard.text.find(';'), heard.text.size()));
    EXPECT_EQ(missing,
              other == 8
                  ? "; not arrived: rank 2 (no sign of it)"
                  : "; not arrived: rank 1 (still waits before that, in full_gradient), rank 2 (no "
                    "sign of it)");
  }
}

TEST(StallJudge, lets_the_next_rank_speak_once_the_first_is_dead) {
  const SlotFile file;
  StallJudge first(0, 3, limits, file.slots(3)), second(1, 3, limits, file.slots(3));
  for (int s = 0; s < 12; ++s) {
    first.look(waiting(7), 1, true);
    EXPECT_EQ(second.look(waiting(7), 1, true).warning, "");
  }
  const Heard heard = listen(second, waiting(7), true, 20);
  EXPECT_NE(heard.text.find("rank 0 (no sign of it), rank 2 (no sign of it)"), std::string::npos)
      << heard.text;
}

TEST(StallJudge, ends_a_wait_for_the_dead_but_not_for_a_rank_at_work) {
  const SlotFile file;
  StallJudge first(0, 2, limits, file.slots(2)), slow(1, 2, limits, file.slots(2));
  for (int s = 0; s < 500; ++s) {
    EXPECT_FALSE(slow.look(working(), 1, true).ends);
    EXPECT_FALSE(first.look(waiting(7), 1, true).ends) << s;
  }
  Heard heard;
  int seconds = 0;
  while (!heard.ends && seconds < 500) {
    heard = listen(first, waiting(7), true, 1);
    ++seconds;
  }
  EXPECT_TRUE(heard.ends);
  EXPECT_NEAR(seconds, limits.abort, 15);
}

TEST(StallJudge, speaks_for_itself_without_a_file_and_without_a_processor) {
  StallJudge waits(1, 2, limits, StallSlots("", 2));
  waits.look(waiting(7), 1, true);
  EXPECT_EQ(listen(waits, waiting(7), true, 10).text,
            "waits in full_gradient of epoch 3 for 10 s; who has not arrived is not known without "
            "a run directory");
  StallJudge blocked(0, 1, limits, StallSlots("", 1));
  blocked.look(working(), 1, false);
  EXPECT_EQ(listen(blocked, working(), false, 10).text,
            "uses no processor in data of epoch 3 for 10 s");
  Heard last;
  for (int s = 11; s <= 60 && !last.ends; ++s) last = listen(blocked, working(), false, 1);
  EXPECT_EQ(last.text, "stalled: uses no processor in data of epoch 3 for 60 s (--stall-abort)");
}

TEST(StallJudge, does_nothing_that_is_switched_off) {
  StallJudge never_ends(0, 1, {.warn = 10, .abort = 0}, StallSlots("", 1));
  for (int s = 0; s < 5000; ++s) EXPECT_FALSE(never_ends.look(working(), 1, false).ends);
  StallJudge never_warns(0, 1, {.warn = 0, .abort = 60}, StallSlots("", 1));
  never_warns.look(working(), 1, false);
  const Heard heard = listen(never_warns, working(), false, 100);
  EXPECT_TRUE(heard.ends);
  EXPECT_EQ(heard.seconds, 60);
}

TEST(Watchdog, sees_a_sleep_as_a_stall_and_work_as_none) {
  const Communicator self = Communicator::self();
  std::mutex mutex;
  std::vector<std::string> said;
  {
    const Watchdog watchdog(
        self, {.warn = 0.3, .abort = 0, .folder = "", .say = [&](LogLevel, std::string_view text) {
                 const std::lock_guard lock(mutex);
                 said.emplace_back(text);
               }});
    const Heartbeat::Within loading(self.heartbeat(), Phase::data);
    const double until = now() + 0.8;
    volatile double work = 0;
    while (now() < until) work = work + 1;
    {
      const std::lock_guard lock(mutex);
      EXPECT_EQ(said.size(), 0U);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1200));
  }
  ASSERT_GE(said.size(), 1U);
  EXPECT_NE(said[0].find("rank 0: uses no processor in data"), std::string::npos) << said[0];
}

}  // namespace
}  // namespace svrg
