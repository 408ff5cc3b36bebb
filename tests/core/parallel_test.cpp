#include "svrg/core/parallel.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

namespace svrg {
namespace {

TEST(Lanes, hold_everything_once_and_evenly) {
  for (const Index count : {1, 2, 3, 7, 16})
    for (const Index things : {1, 2, 5, 16, 33}) {
      const Lanes lanes{count, things};
      EXPECT_EQ(lanes.begin(0), 0);
      EXPECT_EQ(lanes.begin(count), things);
      for (Index lane = 0; lane < count; ++lane) {
        const Index size = lanes.begin(lane + 1) - lanes.begin(lane);
        EXPECT_LE(size, (things + count - 1) / count);
        EXPECT_GE(size, things / count);
        for (Index t = lanes.begin(lane); t < lanes.begin(lane + 1); ++t)
          EXPECT_EQ(lanes.lane_of(t), lane);
      }
    }
}

TEST(Parallel, calls_each_once) {
  std::vector<std::atomic<int>> calls(9);
  parallel(9, [&](Index i) { ++calls[static_cast<std::size_t>(i)]; });
  for (const auto& count : calls) EXPECT_EQ(count, 1);
}

TEST(Parallel, throws_the_lowest_error_after_all_have_ended) {
  std::atomic<int> ended = 0;
  try {
    parallel(6, [&](Index i) {
      ++ended;
      if (i >= 2) throw std::runtime_error(std::to_string(i));
    });
    ADD_FAILURE() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "2");
  }
  EXPECT_EQ(ended, 6);
}

TEST(Parallel, knows_some_core) { EXPECT_GE(cores_allowed(), 1); }

}  // namespace
}  // namespace svrg
