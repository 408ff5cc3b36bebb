#include "svrg/optimizer/optimizer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "svrg/comm/two_bit.hpp"
#include "svrg/core/error.hpp"
#include "svrg/core/random.hpp"
#include "svrg/optimizer/lr_scheduler.hpp"

namespace svrg {
namespace {

constexpr const char* all[] = {"sgd",     "nag",          "signum",  "dcasgd",   "lars",
                               "adam",    "adamax",       "nadam",   "ftml",     "lamb",
                               "adagrad", "groupadagrad", "rmsprop", "adadelta", "ftrl"};

ParameterLayout two_parameters() {
  ParameterLayout layout;
  Parameter w;
  w.name = "fc_weight";
  w.shape = {3, 2};
  layout.add(w);
  Parameter b;
  b.name = "fc_bias";
  b.shape = {3};
  b.wd_mult = 0;
  layout.add(b);
  return layout;
}

Vec<double> drawn(Index size, std::uint64_t stream) {
  Vec<double> v(size);
  for (Index i = 0; i < size; ++i)
    v[i] = CounterRandom(4, stream).normal(static_cast<std::uint64_t>(i));
  return v;
}

TEST(Optimizer, each_decreases_a_quadratic) {
  const auto layout = two_parameters();
  for (const char* name : all) {
    Options params;
    if (std::string(name) == "ftrl") params = {{"lamda1", 0.0}};
    if (std::string(name) == "lars") params = {{"eta", 1.0}};
    const auto optimizer = make_optimizer<double>(name, params);
    Vec<double> w = drawn(layout.size(), 1);
    const double before = w.squaredNorm();
    for (int step = 0; step < 40; ++step) optimizer->step(layout, w, w, 0.02);
    EXPECT_LT(w.squaredNorm(), 0.9 * before) << name;
  }
}

TEST(Optimizer, saved_and_loaded_it_goes_on_as_if_never_stopped) {
  const auto layout = two_parameters();
  for (const char* name : all) {
    const Options params =
        std::string(name) == "sgd" || std::string(name) == "nag" || std::string(name) == "lars"
            ? Options{{"momentum", 0.9}}
            : Options{};
    const auto through = make_optimizer<double>(name, params);
    Vec<double> w = drawn(layout.size(), 1);
    for (std::uint64_t s = 0; s < 3; ++s) through->step(layout, w, drawn(w.size(), 10 + s), 0.05);
    State state;
    through->save(state);
    const auto resumed = make_optimizer<double>(name, params);
    resumed->load(state);
    Vec<double> v = w;
    for (std::uint64_t s = 3; s < 6; ++s) {
      through->step(layout, w, drawn(w.size(), 10 + s), 0.05);
      resumed->step(layout, v, drawn(w.size(), 10 + s), 0.05);
    }
    EXPECT_EQ(w, v) << name;
  }
}

TEST(Optimizer, multipliers_scale_rate_and_decay_and_fixed_parameters_stay) {
  ParameterLayout layout;
  for (const double mult : {1.0, 3.0}) {
    Parameter p;
    p.name = "w" + std::to_string(static_cast<int>(mult));
    p.shape = {1};
    p.lr_mult = mult;
    p.wd_mult = mult;
    layout.add(p);
  }
  Parameter fixed;
  fixed.name = "fixed";
  fixed.shape = {1};
  fixed.fixed = true;
  layout.add(fixed);
  Vec<double> w = Vec<double>::Ones(3);
  const Vec<double> g = Vec<double>::Constant(3, 2);
  make_optimizer<double>("sgd", {{"wd", 0.1}})->step(layout, w, g, 0.01);
  EXPECT_DOUBLE_EQ(w[0], 1 - 0.01 * (2 + 0.1));
  EXPECT_DOUBLE_EQ(w[1], 1 - 0.03 * (2 + 0.3));
  EXPECT_EQ(w[2], 1);
}

TEST(Optimizer, clipping_comes_after_rescaling) {
  const auto layout = two_parameters();
  Vec<double> w = Vec<double>::Zero(layout.size());
  const Vec<double> g = Vec<double>::Constant(w.size(), 10);
  make_optimizer<double>("sgd", {{"rescale_grad", 0.5}, {"clip_gradient", 2.0}})
      ->step(layout, w, g, 1);
  EXPECT_EQ(w, Vec<double>::Constant(w.size(), -2));
}

TEST(Optimizer, adams_first_step_is_one_learning_rate_long_in_every_coordinate) {
  const auto layout = two_parameters();
  Vec<double> w = Vec<double>::Zero(layout.size());
  const Vec<double> g = drawn(w.size(), 7);
  make_optimizer<double>("adam", {{"epsilon", 0.0}})->step(layout, w, g, 0.01);
  for (Index i = 0; i < w.size(); ++i) EXPECT_NEAR(w[i], g[i] > 0 ? -0.01 : 0.01, 1e-15);
}

TEST(Optimizer, momentum_sums_a_geometric_series_and_nesterov_looks_ahead) {
  const auto layout = two_parameters();
  const Vec<double> g = Vec<double>::Ones(layout.size());
  Vec<double> w = Vec<double>::Zero(layout.size()), v = w;
  const auto sgd = make_optimizer<double>("sgd", {{"momentum", 0.5}});
  const auto nag = make_optimizer<double>("nag", {{"momentum", 0.5}});
  for (int step = 0; step < 3; ++step) {
    sgd->step(layout, w, g, 1);
    nag->step(layout, v, g, 1);
  }
  EXPECT_DOUBLE_EQ(w[0], -(1 + 1.5 + 1.75));
  EXPECT_DOUBLE_EQ(v[0], -(1.5 + 1.75 + 1.875));
}

TEST(Optimizer, names_and_options_that_are_not_known_are_refused) {
  EXPECT_THROW(make_optimizer<double>("adamm"), ConfigError);
  EXPECT_THROW(make_optimizer<double>("adam", {{"momentum", 0.9}}), ConfigError);
  EXPECT_THROW(make_optimizer<double>("sgd", {{"wd", -1.0}}), ConfigError);
  EXPECT_THROW(make_optimizer<double>("sgd", {{"momentum", "much"}}), ConfigError);
}

TEST(LrScheduler, factor_falls_after_every_so_many_updates_down_to_its_floor) {
  const auto rate = lr_scheduler::Factor(
      {{"step", 2}, {"factor", 0.5}, {"base_lr", 1.0}, {"stop_factor_lr", 0.2}});
  const double expected[] = {1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2, 0.2};
  for (Index n = 0; n < 10; ++n) EXPECT_DOUBLE_EQ((*rate)(n), expected[n]) << n;
}

TEST(LrScheduler, warm_up_rises_to_the_base_rate_even_where_that_is_replaced) {
  const auto rate =
      lr_scheduler::Cosine({{"max_update", 12}, {"warmup_steps", 4}, {"base_lr", 0.1}});
  rate->set_base_lr(0.8);
  EXPECT_DOUBLE_EQ((*rate)(2), 0.4);
  EXPECT_DOUBLE_EQ((*rate)(4), 0.8);
  EXPECT_DOUBLE_EQ((*rate)(8), 0.8 * (1 + std::cos(std::numbers::pi / 2)) / 2);
  EXPECT_DOUBLE_EQ((*rate)(12), 0);
  EXPECT_DOUBLE_EQ((*rate)(99), 0);
  EXPECT_THROW(lr_scheduler::Poly({{"max_update", 3}, {"warmup_steps", 4}}), ConfigError);
  EXPECT_THROW(lr_scheduler::MultiFactor({{"step", {4, 4}}}), ConfigError);
}

TEST(TwoBit, what_is_sent_and_what_is_kept_add_up_to_what_came_in) {
  constexpr std::size_t n = 37;
  std::vector<float> residual(n, 0.0F), sent(n, 0.0F), sum(n, 0.0F);
  std::vector<std::uint32_t> words;
  for (std::uint64_t step = 0; step < 20; ++step) {
    std::vector<float> values(n);
    for (std::size_t i = 0; i < n; ++i) {
      values[i] = static_cast<float>(CounterRandom(1, step).normal(i)) * 0.2F;
      sum[i] += values[i];
    }
    encode_two_bit<float>(values, residual, 0.5, words);
    EXPECT_EQ(words.size(), 3U);
    add_two_bit<float>(words, 0.5, sent);
  }
  for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(sent[i] + residual[i], sum[i], 1e-5);
}

TEST(TwoBit, codes_lie_as_the_original_packs_them) {
  std::vector<float> values(17, 0.0F), residual(17, 0.0F);
  values[0] = 1;    // 11 in the highest bits of byte 0
  values[5] = -1;   // 10 in the second pair of byte 1
  values[16] = -1;  // 10 in the highest bits of the next word
  std::vector<std::uint32_t> words;
  encode_two_bit<float>(values, residual, 0.5, words);
  EXPECT_EQ(words, (std::vector<std::uint32_t>{0xC0U | 0x20U << 8, 0x80U}));
  EXPECT_THROW(encode_two_bit<float>(values, residual, 0, words), ConfigError);
}

}  // namespace
}  // namespace svrg
