#include "svrg/comm/two_bit.hpp"

#include <gtest/gtest.h>

#include "svrg/core/error.hpp"
#include "svrg/core/random.hpp"

namespace svrg {
namespace {

template <class Real>
class TwoBit : public testing::Test {};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(TwoBit, Reals);

TYPED_TEST(TwoBit, what_is_sent_and_what_is_kept_add_up_to_what_came_in) {
  using Real = TypeParam;
  for (const std::size_t n : {std::size_t{1}, std::size_t{16}, std::size_t{37}}) {
    std::vector<Real> residual(n), sent(n), sum(n), values(n);
    std::vector<std::uint32_t> words;
    for (std::uint64_t step = 0; step < 20; ++step) {
      for (std::size_t i = 0; i < n; ++i) {
        values[i] = static_cast<Real>(CounterRandom(1, step).normal(i) * 0.2);
        sum[i] += values[i];
      }
      encode_two_bit<Real>(values, residual, 0.5, words);
      EXPECT_EQ(words.size(), (n + 15) / 16);
      add_two_bit<Real>(words, 0.5, sent);
    }
    for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(sent[i] + residual[i], sum[i], 1e-5);
  }
}

TYPED_TEST(TwoBit, a_value_is_sent_as_soon_as_it_reaches_the_threshold) {
  using Real = TypeParam;
  // Exact in binary, so that nothing is rounded.
  const std::vector<Real> values{Real(0.5), Real(-0.5), Real(0.25), Real(-0.25), Real(2)};
  std::vector<Real> residual(5), sent(5);
  std::vector<std::uint32_t> words;
  encode_two_bit<Real>(values, residual, 0.5, words);
  add_two_bit<Real>(words, 0.5, sent);
  EXPECT_EQ(sent, (std::vector<Real>{Real(0.5), Real(-0.5), 0, 0, Real(0.5)}));
  EXPECT_EQ(residual, (std::vector<Real>{0, 0, Real(0.25), Real(-0.25), Real(1.5)}));
  encode_two_bit<Real>(values, residual, 0.5, words);
  add_two_bit<Real>(words, 0.5, sent);
  EXPECT_EQ(sent, (std::vector<Real>{1, -1, Real(0.5), Real(-0.5), 1}));
}

TYPED_TEST(TwoBit, codes_lie_as_the_original_packs_them) {
  using Real = TypeParam;
  std::vector<Real> values(17), residual(17);
  values[0] = 1;    // 11 in the highest bits of byte 0
  values[5] = -1;   // 10 in the second pair of byte 1
  values[16] = -1;  // 10 in the highest bits of the next word
  std::vector<std::uint32_t> words;
  encode_two_bit<Real>(values, residual, 0.5, words);
  EXPECT_EQ(words, (std::vector<std::uint32_t>{0xC0U | 0x20U << 8, 0x80U}));
}

TYPED_TEST(TwoBit, a_threshold_that_is_not_positive_is_refused) {
  using Real = TypeParam;
  const std::vector<Real> values(3);
  std::vector<Real> residual(3);
  std::vector<std::uint32_t> words;
  EXPECT_THROW(encode_two_bit<Real>(values, residual, 0, words), ConfigError);
  EXPECT_THROW(encode_two_bit<Real>(values, residual, -0.5, words), ConfigError);
}

}  // namespace
}  // namespace svrg
