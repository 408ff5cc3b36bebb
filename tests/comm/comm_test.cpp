#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <ctime>
#include <thread>
#include <vector>

#include "svrg/comm/communicator.hpp"
#include "svrg/comm/reducer.hpp"
#include "svrg/core/clock.hpp"
#include "svrg/core/error.hpp"
#include "svrg/core/random.hpp"

namespace svrg {
namespace {

TEST(Communicator, sums_values_and_tail_over_ranks) {
  const auto world = Communicator::world();
  const double p = world.size();
  for (const std::size_t n :
       std::vector<std::size_t>{0, 1, 1000, 70000}) {  // short: one message; long: two
    std::vector<double> values(n, world.rank() + 1);
    std::vector<float> floats(n, 1.0F);
    std::vector<double> tail = {1, static_cast<double>(world.rank())};
    world.sum(std::span(values), std::span(tail));
    for (const double v : values) EXPECT_EQ(v, p * (p + 1) / 2);
    EXPECT_EQ(tail, (std::vector<double>{p, p * (p - 1) / 2}));
    std::vector<double> other = {1};
    world.sum(std::span(floats), std::span(other));
    for (const float v : floats) EXPECT_EQ(v, static_cast<float>(p));
    EXPECT_EQ(other[0], p);
  }
}

TEST(Communicator, tells_waiting_from_communication_where_asked) {
  const auto world = Communicator::world();
  const Communicator apart = world.split(0, world.rank());
  apart.tell_waits_apart();
  constexpr double late = 0.05;
  world.barrier();
  if (world.rank() == 0) std::this_thread::sleep_for(std::chrono::duration<double>(late));
  apart.sum(Index{1});
  const Traffic& traffic = apart.traffic();
  if (world.size() == 1) {
    EXPECT_EQ(traffic.waiting, 0);
  } else if (world.rank() > 0) {
    EXPECT_GT(traffic.waiting, late / 2);
  }
  EXPECT_LE(traffic.waiting, traffic.seconds);
  EXPECT_EQ(world.traffic().waiting, 0);
}

TEST(Communicator, sleeps_until_all_are_there) {
  const auto world = Communicator::world();
  const double start = now();
  constexpr double late = 0.05;
  world.barrier();
  if (world.rank() == 0) std::this_thread::sleep_for(std::chrono::duration<double>(late));
  const std::clock_t work = std::clock();
  world.rest();
  EXPECT_LT(static_cast<double>(std::clock() - work) / CLOCKS_PER_SEC, late / 2);
  EXPECT_GE(now() - start, world.size() > 1 ? late : 0);
}

TEST(Communicator, gathers_pieces_of_different_length_in_order_of_ranks) {
  const auto world = Communicator::world();
  const std::vector<std::int64_t> mine(static_cast<std::size_t>(world.rank()), world.rank());
  const auto all = world.gather(std::span<const std::int64_t>(mine));
  std::vector<std::int64_t> expected;
  for (int r = 0; r < world.size(); ++r)
    expected.insert(expected.end(), static_cast<std::size_t>(r), r);
  EXPECT_EQ(all, expected);
}

TEST(Communicator, exchanges_a_piece_with_every_rank) {
  const auto world = Communicator::world();
  const auto me = static_cast<std::size_t>(world.rank());
  std::vector<std::vector<std::byte>> outgoing(static_cast<std::size_t>(world.size()));
  for (std::size_t r = 0; r < outgoing.size(); ++r) outgoing[r].assign(10 * me + r, std::byte(me));
  const auto incoming = world.exchange(outgoing);
  for (std::size_t r = 0; r < incoming.size(); ++r)
    EXPECT_EQ(incoming[r], std::vector<std::byte>(10 * r + me, std::byte(r)));
}

TEST(Communicator, knows_prefix_sums_maxima_and_texts) {
  const auto world = Communicator::world();
  EXPECT_EQ(world.sum_before(Index{1}), world.rank());
  EXPECT_EQ(world.max(Index{world.rank()}), world.size() - 1);
  EXPECT_EQ(world.max(-1.5 * world.rank()), 0);
  const std::string text = world.is_root() ? "from root" : "";
  EXPECT_EQ(world.broadcast(text), "from root");
}

TEST(Communicator, throws_one_ranks_error_on_all) {
  const auto world = Communicator::world();
  const int culprit = world.size() - 1;
  try {
    world.agree("read shard", [&] {
      if (world.rank() == culprit) throw DataError("row 17 is broken");
    });
    ADD_FAILURE() << "agree returned";
  } catch (const CollectiveError& error) {
    EXPECT_EQ(error.rank(), culprit);
    EXPECT_EQ(error.code(), ExitCode::data);
    EXPECT_STREQ(error.what(), "read shard: row 17 is broken");
  }
  world.agree("again", [] {});  // nobody is left behind in another call
}

TEST(Communicator, agree_any_says_on_all_ranks_whether_one_asked) {
  const auto world = Communicator::world();
  EXPECT_FALSE(world.agree_any("", [] { return false; }));
  EXPECT_TRUE(world.agree_any("", [&] { return world.rank() == world.size() - 1; }));
  EXPECT_THROW(world.agree_any("",
                               [&]() -> bool {
                                 if (world.is_root()) throw DataError("no such file");
                                 return true;
                               }),
               CollectiveError);
}

TEST(Communicator, gathers_at_root_in_order_of_ranks) {
  const auto world = Communicator::world();
  const double mine[] = {1.0 * world.rank(), 0.5};
  const auto all = world.gather_at_root(mine);
  EXPECT_EQ(all.size(), world.is_root() ? 2 * static_cast<std::size_t>(world.size()) : 0);
  if (!world.is_root()) return;
  for (int r = 0; r < world.size(); ++r) {
    EXPECT_EQ(all[2 * static_cast<std::size_t>(r)], r);
    EXPECT_EQ(all[2 * static_cast<std::size_t>(r) + 1], 0.5);
  }
}

TEST(Communicator, splits_into_groups) {
  const auto world = Communicator::world();
  const auto half = world.split(world.rank() % 2, world.rank());
  EXPECT_EQ(half.size(), (world.size() + 1 - world.rank() % 2) / 2);
  EXPECT_EQ(half.sum(Index{1}), half.size());
}

TEST(Communicator, self_needs_nobody) {
  const auto self = Communicator::self();
  EXPECT_EQ(self.size(), 1);
  EXPECT_EQ(self.sum(Index{5}), 5);
  EXPECT_EQ(self.sum_before(Index{5}), 0);
}

// Shard s contributes numbers whose sum depends on the order of additions.
double contribution(Index shard, Index j) {
  return CounterRandom(1, static_cast<std::uint64_t>(shard)).normal(static_cast<std::uint64_t>(j)) *
         std::pow(10.0, static_cast<double>((shard * 7 + j) % 12));
}

std::vector<double> reduced(const Communicator& comm, Reduction kind, Index shards,
                            Index lanes = 1) {
  constexpr Index n = 50;
  const Index first = shards * comm.rank() / comm.size();
  const Index last = shards * (comm.rank() + 1) / comm.size();
  const auto reducer = make_reducer<double>(comm, kind, shards, last - first, lanes);
  reducer->start(n, 1);
  const Lanes owned{lanes, last - first};
  parallel(lanes, [&](Index lane) {
    for (Index s = owned.begin(lane); s < owned.begin(lane + 1); ++s) {
      for (Index j = 0; j < n; ++j)
        reducer->values(s)[static_cast<std::size_t>(j)] += contribution(first + s, j);
      reducer->tail(s)[0] += 1;
    }
  });
  reducer->reduce();
  EXPECT_EQ(reducer->total_tail()[0], static_cast<double>(shards));
  return {reducer->total().begin(), reducer->total().end()};
}

TEST(Reducer, fixed_tree_gives_the_bits_of_one_rank_on_any_number) {
  const auto world = Communicator::world();
  EXPECT_EQ(reduced(world, Reduction::fixed_tree, 8),
            reduced(Communicator::self(), Reduction::fixed_tree, 8));
}

TEST(Reducer, lanes_add_up_on_threads) {
  const auto world = Communicator::world();
  const auto one = reduced(world, Reduction::plain, 16);
  for (const Index lanes : {2, 3, 20}) {
    EXPECT_EQ(reduced(world, Reduction::fixed_tree, 16, lanes),
              reduced(world, Reduction::fixed_tree, 16));
    const auto several = reduced(world, Reduction::plain, 16, lanes);
    EXPECT_EQ(several, reduced(world, Reduction::plain, 16, lanes));
    for (std::size_t j = 0; j < one.size(); ++j) EXPECT_NEAR(several[j], one[j], 1e-13 * 1e12);
  }
}

TEST(Reducer, plain_and_tree_agree_to_rounding) {
  const auto world = Communicator::world();
  const auto plain = reduced(world, Reduction::plain, 8),
             tree = reduced(world, Reduction::fixed_tree, 8);
  for (std::size_t j = 0; j < plain.size(); ++j) EXPECT_NEAR(plain[j], tree[j], 1e-13 * 1e12);
}

}  // namespace
}  // namespace svrg
