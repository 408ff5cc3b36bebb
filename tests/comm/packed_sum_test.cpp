#include "svrg/comm/packed_sum.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "svrg/core/error.hpp"
#include "svrg/core/random.hpp"

namespace svrg {
namespace {

constexpr Index shards = 8;

ParameterLayout two_parameters() {
  ParameterLayout layout;
  for (const auto& [name, shape] : {std::pair<std::string, std::vector<Index>>{"a_weight", {5, 7}},
                                    std::pair<std::string, std::vector<Index>>{"a_bias", {5}}}) {
    Parameter p;
    p.name = name;
    p.shape = shape;
    layout.add(p);
  }
  return layout;
}

/// What virtual shard s contributes to element i in a step.
double contribution(Index step, Index s, Index i) {
  return CounterRandom(3, static_cast<std::uint64_t>(step * shards + s))
             .normal(static_cast<std::uint64_t>(i)) *
         (1 + static_cast<double>(i));
}

Index owned_by(const Communicator& comm) {
  const Index p = comm.size(), r = comm.rank();
  return (r + 1) * shards / p - r * shards / p;
}

template <class Real>
void add_contributions(const Communicator& comm, Index step, PackedSum<Real>& sum) {
  const Index first = comm.rank() * shards / comm.size();
  const Index n = two_parameters().size();
  sum.start(n, 2);
  for (Index s = 0; s < owned_by(comm); ++s)
    for (Index i = 0; i < n; ++i)
      sum.values(s)[static_cast<std::size_t>(i)] +=
          static_cast<Real>(contribution(step, first + s, i));
  sum.tail(0)[1] += static_cast<double>(owned_by(comm));
  sum.reduce();
}

class PackedSums : public ::testing::TestWithParam<const char*> {};

TEST_P(PackedSums, have_the_same_bits_on_any_number_of_ranks) {
  const auto world = Communicator::world(), self = Communicator::self();
  const ParameterLayout layout = two_parameters();
  PackedSum<float> shared(world, Compression::of(GetParam()), layout, owned_by(world));
  PackedSum<float> alone(self, Compression::of(GetParam()), layout, shards);
  for (Index step = 0; step < 5; ++step) {
    add_contributions(world, step, shared);
    add_contributions(self, step, alone);
    const auto a = shared.total(), b = alone.total();
    EXPECT_EQ(std::vector<float>(a.begin(), a.end()), std::vector<float>(b.begin(), b.end()));
    EXPECT_EQ(shared.total_tail()[1], shards);
    EXPECT_EQ(shared.residuals(), alone.residuals());
  }
}

TEST_P(PackedSums, lose_nothing_that_residuals_do_not_keep) {
  const auto world = Communicator::world();
  const ParameterLayout layout = two_parameters();
  PackedSum<double> sum(world, Compression::of(GetParam()), layout, owned_by(world));
  const auto n = static_cast<std::size_t>(layout.size());
  std::vector<double> sent(n, 0), came(n, 0);
  for (Index step = 0; step < 30; ++step) {
    add_contributions(world, step, sum);
    for (std::size_t i = 0; i < n; ++i) {
      sent[i] += sum.total()[i];
      for (Index s = 0; s < shards; ++s) came[i] += contribution(step, s, static_cast<Index>(i));
    }
  }
  const auto residuals = sum.residuals();
  for (std::size_t i = 0; i < n; ++i) {
    double kept = 0;
    for (std::size_t s = 0; s < shards; ++s) kept += residuals[s * n + i];
    EXPECT_NEAR(sent[i] + kept, came[i], 1e-9);
  }
}

TEST_P(PackedSums, go_on_from_their_residuals) {
  const auto world = Communicator::world();
  const ParameterLayout layout = two_parameters();
  const Compression how = Compression::of(GetParam());
  PackedSum<double> whole(world, how, layout, owned_by(world)),
      resumed(world, how, layout, owned_by(world));
  add_contributions(world, 0, whole);
  resumed.set_residuals(whole.residuals());
  add_contributions(world, 1, whole);
  add_contributions(world, 1, resumed);
  EXPECT_TRUE(std::equal(whole.total().begin(), whole.total().end(), resumed.total().begin()));
  EXPECT_THROW(resumed.set_residuals(std::vector<double>(3)), DataError);
}

TEST_P(PackedSums, forget_where_weights_jump) {
  const auto world = Communicator::world();
  const ParameterLayout layout = two_parameters();
  const Compression how = Compression::of(GetParam());
  PackedSum<double> used(world, how, layout, owned_by(world)),
      fresh(world, how, layout, owned_by(world));
  add_contributions(world, 0, used);
  used.forget();
  add_contributions(world, 1, used);
  add_contributions(world, 1, fresh);
  EXPECT_TRUE(std::equal(used.total().begin(), used.total().end(), fresh.total().begin()));
}

TEST_P(PackedSums, drop_what_is_not_finite) {
  const auto self = Communicator::self();
  PackedSum<float> sum(self, Compression::of(GetParam()), two_parameters(), 1);
  sum.start(two_parameters().size(), 0);
  sum.values(0)[0] = std::numeric_limits<float>::quiet_NaN();
  sum.values(0)[1] = -std::numeric_limits<float>::infinity();
  sum.values(0)[2] = 1e30F;  // beyond a half
  sum.reduce();
  for (const float v : sum.total()) EXPECT_TRUE(std::isfinite(v));
  for (const float v : sum.residuals()) EXPECT_TRUE(std::isfinite(v));
}

INSTANTIATE_TEST_SUITE_P(Kinds, PackedSums, ::testing::Values("2bit:0.5", "2bit", "1bit", "fp16"),
                         [](const auto& kind) {
                           std::string name = kind.param;
                           std::replace_if(
                               name.begin(), name.end(), [](char c) { return !std::isalnum(c); },
                               '_');
                           return name;
                         });

TEST(PackedSum, sends_few_bits) {
  ParameterLayout layout;
  Parameter p;
  p.name = "w";
  p.shape = {1 << 20};
  layout.add(p);
  const auto bits = [&](const char* how) {
    return 8 * static_cast<double>(packed_bytes(Compression::of(how), layout)) / (1 << 20);
  };
  EXPECT_EQ(bits("2bit:0.5"), 2);
  EXPECT_NEAR(bits("2bit"), 2, 1e-4);
  EXPECT_NEAR(bits("1bit"), 1, 1e-4);
  EXPECT_EQ(bits("fp16"), 16);
}

TEST(Compression, is_named_as_on_the_command_line) {
  EXPECT_FALSE(Compression::of("none"));
  EXPECT_EQ(Compression::of("2bit:0.25").threshold, 0.25);
  for (const char* wrong :
       {"", "2bit:", "2bit:0", "2bit:-1", "2bit:x", "2bit:1x", "2bits", "3bit", "2bit:inf"})
    EXPECT_THROW(Compression::of(wrong), ConfigError) << wrong;
}

}  // namespace
}  // namespace svrg
