#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

#include "svrg/core/error.hpp"
#include "svrg/core/parameters.hpp"
#include "svrg/core/random.hpp"
#include "svrg/core/state.hpp"
#include "svrg/core/suggest.hpp"

namespace svrg {
namespace {

Parameter make_parameter(std::string name, std::vector<Index> shape, bool column_major = false) {
  Parameter p;
  p.name = std::move(name);
  p.shape = std::move(shape);
  p.column_major = column_major;
  return p;
}

TEST(CounterRandom, gives_the_published_philox_numbers) {
  // The known answer for counter 0 and key 0 in Random123's kat_vectors.
  const CounterRandom zero(0, 0);
  EXPECT_EQ(static_cast<std::uint32_t>(zero.bits(0)), 0x6627e8d5U);
  EXPECT_EQ(zero.bits(0) >> 32, 0xe169c58dU);
}

TEST(CounterRandom, depends_on_seed_stream_and_counter) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 4; ++seed)
    for (std::uint64_t stream = 0; stream < 4; ++stream)
      for (std::uint64_t counter = 0; counter < 4; ++counter)
        seen.insert(CounterRandom(seed, stream).bits(counter));
  EXPECT_EQ(seen.size(), 64U);
}

TEST(CounterRandom, is_uniform_and_normal_to_a_few_standard_errors) {
  const CounterRandom random(1, 2);
  double mean = 0, normal = 0, square = 0;
  constexpr int n = 20000;
  for (std::uint64_t i = 0; i < n; ++i) {
    const double u = random.uniform(i), z = random.normal(i);
    EXPECT_TRUE(u > 0 && u < 1);
    mean += u / n;
    normal += z / n;
    square += z * z / n;
  }
  EXPECT_NEAR(mean, 0.5, 5 * 0.289 / std::sqrt(n));
  EXPECT_NEAR(normal, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(square, 1, 5 * std::sqrt(2.0 / n));
}

TEST(Shuffle, is_a_permutation_and_the_same_each_time) {
  std::vector<Index> a(1000), b(1000);
  std::iota(a.begin(), a.end(), 0);
  std::iota(b.begin(), b.end(), 0);
  shuffle(std::span(a), CounterRandom(3, 4));
  shuffle(std::span(b), CounterRandom(3, 4));
  EXPECT_EQ(a, b);
  EXPECT_FALSE(std::is_sorted(a.begin(), a.end()));
  std::sort(a.begin(), a.end());
  for (Index i = 0; i < 1000; ++i) EXPECT_EQ(a[static_cast<std::size_t>(i)], i);
}

TEST(KeepRunsTogether, is_a_permutation_of_whole_runs_in_random_order) {
  for (const Index run : {1, 4, 7, 100}) {
    std::vector<Index> order(50);
    std::iota(order.begin(), order.end(), Index{10});
    shuffle(std::span(order), CounterRandom(3, 5));
    const std::vector<Index> before = order;
    keep_runs_together(order, 10, run);
    if (run == 1) {
      EXPECT_EQ(order, before);
    }
    std::vector<Index> sorted = order, runs;
    std::sort(sorted.begin(), sorted.end());
    for (Index i = 0; i < 50; ++i) EXPECT_EQ(sorted[static_cast<std::size_t>(i)], 10 + i);
    for (const Index number : order)
      if (runs.empty() || runs.back() != (number - 10) / run) runs.push_back((number - 10) / run);
    const std::set<Index> distinct(runs.begin(), runs.end());
    EXPECT_EQ(distinct.size(), runs.size()) << "a run is met once";
    if (run == 4) {
      EXPECT_FALSE(std::is_sorted(runs.begin(), runs.end()));
      EXPECT_FALSE(std::is_sorted(order.begin(), order.begin() + 4) &&
                   std::is_sorted(order.begin() + 4, order.begin() + 8) &&
                   std::is_sorted(order.begin() + 8, order.begin() + 12));
    }
  }
}

TEST(Permutation, is_a_bijection_with_its_inverse_for_every_size) {
  for (Index n : {1, 2, 3, 7, 64, 100, 1023, 1025}) {
    const Permutation permutation(n, 42);
    std::set<Index> seen;
    for (Index i = 0; i < n; ++i) {
      const Index to = permutation(i);
      EXPECT_TRUE(to >= 0 && to < n);
      EXPECT_EQ(permutation.inverse(to), i);
      seen.insert(to);
    }
    EXPECT_EQ(static_cast<Index>(seen.size()), n);
  }
}

TEST(Permutation, of_many_is_that_of_each) {
  for (Index n : {1, 2, 5, 255, 256, 257, 1025, 5000}) {
    const Permutation permutation(n, 7);
    std::vector<Index> all(static_cast<std::size_t>(n));
    std::iota(all.begin(), all.end(), Index{0});
    const std::vector<Index> before = all;
    permutation.apply(all);
    for (std::size_t i = 0; i < all.size(); ++i)
      ASSERT_EQ(all[i], permutation(before[i])) << "row " << i << " of " << n;
    permutation.apply_inverse(all);
    EXPECT_EQ(all, before) << n;
  }
}

TEST(ParameterLayout, places_segments_one_behind_the_other) {
  ParameterLayout layout;
  layout.add(make_parameter("fc1_weight", {3, 4}));
  layout.add(make_parameter("fc1_bias", {3}));
  EXPECT_EQ(layout.size(), 15);
  EXPECT_EQ(layout.at("fc1_bias").offset, 12);
  EXPECT_THROW(layout.add(make_parameter("fc1_bias", {1})), ConfigError);
  EXPECT_THROW(layout.at("fc2_bias"), ConfigError);
}

TEST(Parameter, column_major_storage_comes_back_from_row_major) {
  ParameterLayout layout;
  layout.add(make_parameter("w", {2, 3}, true));
  const Vec<double> stored = Vec<double>::LinSpaced(6, 0, 5);  // (0,0) (1,0) (0,1) …
  const Vec<double> logical = to_row_major(layout.at("w"), stored);
  EXPECT_EQ(logical, (Vec<double>(6) << 0, 2, 4, 1, 3, 5).finished());
  EXPECT_EQ(from_row_major(layout.at("w"), logical), stored);
}

TEST(State, names_what_is_missing_or_of_another_type) {
  State state;
  state.values["epoch"] = std::int64_t{3};
  state.arrays["x"] = Array::vector(std::vector<double>{1, 2});
  EXPECT_EQ(state.integer("epoch"), 3);
  EXPECT_EQ(state.vector("x", 2)[1], 2);
  EXPECT_THROW(state.real("epoch"), DataError);
  EXPECT_THROW(state.integer("step"), DataError);
  EXPECT_THROW(state.vector("x", 3), DataError);
  EXPECT_THROW(state.array("y"), DataError);
}

TEST(Suggestion, is_the_nearest_name_and_none_where_nothing_is_near) {
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("abc", "acb"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(nearest("epoch", {"passes", "epochs"}), "epochs");
  EXPECT_EQ(nearest("trian", {"train", "valid"}), "train");
  EXPECT_EQ(nearest("foo", {"acc", "ce"}), std::nullopt);
  EXPECT_EQ(nearest("", {"C"}), std::nullopt);
  EXPECT_EQ(did_you_mean("sead", {"seed"}), "; did you mean 'seed'?");
  EXPECT_EQ(suggestion("adamm", {"sgd", "adam"}), "; did you mean 'adam'?");
  EXPECT_EQ(suggestion("lion", {"sgd", "adam"}), "; there are sgd, adam");
}

}  // namespace
}  // namespace svrg
