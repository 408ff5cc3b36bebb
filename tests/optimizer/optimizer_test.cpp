#include "svrg/optimizer/optimizer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "svrg/core/error.hpp"
#include "svrg/core/random.hpp"
#include "svrg/optimizer/lr_scheduler.hpp"

namespace svrg {
namespace {

constexpr const char* all[] = {"sgd",          "nag",     "signum",   "dcasgd", "lars", "lbsgd",
                               "adam",         "adamax",  "nadam",    "ftml",   "lamb", "adagrad",
                               "groupadagrad", "rmsprop", "adadelta", "ftrl"};

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
    EXPECT_EQ(through->slots(), static_cast<Index>(state.arrays.size())) << name;
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

TEST(Optimizer, loaded_with_a_state_from_before_the_first_step_it_forgets_all) {
  const auto layout = two_parameters();
  const Vec<double> start = drawn(layout.size(), 1), g = drawn(layout.size(), 2);
  for (const char* name : all) {
    State state;
    make_optimizer<double>(name)->save(state);
    const auto fresh = make_optimizer<double>(name), used = make_optimizer<double>(name);
    Vec<double> w = start, v = start;
    used->step(layout, v, drawn(v.size(), 3), 0.05);
    used->load(state);
    v = start;
    for (int step = 0; step < 2; ++step) {
      fresh->step(layout, w, g, 0.05);
      used->step(layout, v, g, 0.05);
    }
    EXPECT_EQ(w, v) << name;
  }
}

TEST(Optimizer, a_state_of_another_number_of_weights_is_refused) {
  const auto layout = two_parameters();
  ParameterLayout smaller;
  smaller.add({.name = "fc_weight", .shape = {3, 2}, .group = {}});
  for (const char* name : all) {
    Vec<double> w = drawn(smaller.size(), 1), v = drawn(layout.size(), 1);
    const auto of_smaller = make_optimizer<double>(name);
    of_smaller->step(smaller, w, w, 0.05);
    State state;
    of_smaller->save(state);
    const auto other = make_optimizer<double>(name);
    other->load(state);
    EXPECT_THROW(other->step(layout, v, v, 0.05), DataError) << name;
  }
}

TEST(Optimizer, a_parameter_moves_as_it_would_alone) {
  ParameterLayout both, first, second;
  const Parameter w{.name = "fc_weight", .shape = {3, 2}, .group = {}};
  const Parameter b{.name = "gc_weight", .shape = {2, 2}, .lr_mult = 10, .group = {}};
  both.add(w);
  both.add(b);
  first.add(w);
  second.add(b);
  for (const char* name : all) {
    Options params = {{"wd", std::string(name) == "groupadagrad" ? 0 : 0.01}};
    if (std::string(name) == "lars") params["momentum"] = 0.9;
    const auto together = make_optimizer<double>(name, params);
    const auto one = make_optimizer<double>(name, params);
    const auto two = make_optimizer<double>(name, params);
    Vec<double> all_of = drawn(10, 1), head = all_of.head(6), tail = all_of.tail(4);
    for (std::uint64_t s = 0; s < 4; ++s) {
      const Vec<double> g = drawn(10, 10 + s);
      const double rate = 0.02 / static_cast<double>(s + 1);
      together->step(both, all_of, g, rate);
      one->step(first, head, g.head(6), rate);
      two->step(second, tail, g.tail(4), rate);
    }
    EXPECT_EQ(all_of.head(6), head) << name;
    EXPECT_EQ(all_of.tail(4), tail) << name;
  }
}

TEST(Optimizer, a_multiplier_of_the_rate_is_a_factor_of_the_rate) {
  ParameterLayout plain, multiplied;
  plain.add({.name = "fc_weight", .shape = {3, 2}, .group = {}});
  multiplied.add({.name = "fc_weight", .shape = {3, 2}, .lr_mult = 8, .group = {}});
  for (const char* name : all) {
    const Options params =
        std::string(name) == "lars" ? Options{{"momentum", 0.9}, {"eta", 0.1}} : Options{};
    const auto one = make_optimizer<double>(name, params);
    const auto other = make_optimizer<double>(name, params);
    Vec<double> w = drawn(6, 1), v = w;
    for (std::uint64_t s = 0; s < 4; ++s) {
      const double rate = 0.004 / static_cast<double>(s + 1);
      one->step(plain, w, drawn(6, 10 + s), 8 * rate);
      other->step(multiplied, v, drawn(6, 10 + s), rate);
    }
    EXPECT_LT((w - v).norm(), 1e-13) << name;
  }
}

// Schedules end at a rate of 0 and warm-ups begin there.
TEST(Optimizer, a_rate_of_zero_moves_nothing_and_spoils_no_later_step) {
  const auto layout = two_parameters();
  const Vec<double> start = drawn(layout.size(), 1);
  for (const char* name : all) {
    if (std::string(name) == "adadelta") continue;  // has no rate
    const auto optimizer = make_optimizer<double>(name);
    Vec<double> w = start;
    optimizer->step(layout, w, drawn(w.size(), 2), 0);
    EXPECT_EQ(w, start) << name;
    optimizer->step(layout, w, drawn(w.size(), 3), 0.01);
    EXPECT_TRUE(w.allFinite() && w != start) << name;
  }
}

TEST(Optimizer, in_float_it_goes_where_it_goes_in_double) {
  const auto layout = two_parameters();
  for (const char* name : all) {
    const auto exact = make_optimizer<double>(name);
    const auto rounded = make_optimizer<float>(name);
    Vec<double> w = drawn(layout.size(), 1);
    Vec<float> v = w.cast<float>();
    for (std::uint64_t s = 0; s < 5; ++s) {
      const Vec<double> g = drawn(w.size(), 10 + s);
      exact->step(layout, w, g, 0.02);
      rounded->step(layout, v, g.cast<float>(), 0.02);
    }
    EXPECT_LT((v.cast<double>() - w).norm(), 1e-5 * w.norm()) << name;
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

TEST(Optimizer, centered_rmsprop_survives_gradients_without_variance) {
  ParameterLayout layout;
  layout.add({.name = "w_weight", .shape = {4}, .group = {}});
  Vec<float> w = Vec<float>::Zero(4), g(4);
  g << 1234.567F, 1358.0237F, -864.1969F, 370.3701F;
  const auto optimizer = make_optimizer<float>("rmsprop", {{"centered", true}});
  for (int step = 0; step < 500; ++step) optimizer->step(layout, w, g, 1e-3);
  EXPECT_TRUE(w.allFinite());
}

TEST(Optimizer, groupadagrads_rows_are_rows_however_they_are_stored) {
  ParameterLayout by_rows, by_columns;
  Parameter p{.name = "w_weight", .shape = {3, 2}, .group = {}};
  by_rows.add(p);
  p.column_major = true;
  by_columns.add(p);
  const auto turned = [&](const Vec<double>& v) {
    return from_row_major(by_columns.at("w_weight"), v);
  };
  const auto one = make_optimizer<double>("groupadagrad");
  const auto two = make_optimizer<double>("groupadagrad");
  Vec<double> w = drawn(6, 1), v = turned(w);
  for (std::uint64_t s = 0; s < 3; ++s) {
    const Vec<double> g = drawn(6, 10 + s);
    one->step(by_rows, w, g, 0.1);
    two->step(by_columns, v, turned(g), 0.1);
  }
  EXPECT_LT((turned(w) - v).norm(), 1e-14);
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
}

TEST(LrScheduler, none_rises_after_its_warm_up_or_depends_on_the_order_of_calls) {
  const Options common = {{"base_lr", 0.8}, {"warmup_steps", 5}, {"warmup_begin_lr", 0.1}};
  const auto with = [&](Options own) {
    own.insert(common.begin(), common.end());
    return own;
  };
  const std::shared_ptr<LrScheduler> kinds[] = {
      make_lr_scheduler("constant", common),
      lr_scheduler::Factor(with({{"step", 3}, {"factor", 0.5}})),
      lr_scheduler::MultiFactor(with({{"step", {7, 11}}, {"factor", 0.5}})),
      lr_scheduler::Poly(with({{"max_update", 20}, {"final_lr", 0.05}})),
      lr_scheduler::Cosine(with({{"max_update", 20}, {"final_lr", 0.05}}))};
  for (const auto& rate : kinds) {
    std::vector<double> rates;
    for (Index n = 0; n < 40; ++n) rates.push_back((*rate)(n));
    EXPECT_DOUBLE_EQ(rates[0], 0.1);
    for (std::size_t n = 1; n < 5; ++n) EXPECT_GT(rates[n], rates[n - 1]);
    for (std::size_t n = 6; n < 40; ++n) EXPECT_LE(rates[n], rates[n - 1]);
    for (Index n = 39; n >= 0; --n) EXPECT_EQ((*rate)(n), rates[static_cast<std::size_t>(n)]);
  }
}

TEST(LrScheduler, settings_without_sense_are_refused) {
  EXPECT_THROW(make_lr_scheduler("sine", {}), ConfigError);
  EXPECT_THROW(lr_scheduler::Factor({{"step", 0}}), ConfigError);
  EXPECT_THROW(lr_scheduler::Factor({{"step", 3}, {"factor", 1.1}}), ConfigError);
  EXPECT_THROW(lr_scheduler::Poly({{"max_update", 3}, {"warmup_steps", 4}}), ConfigError);
  EXPECT_THROW(lr_scheduler::MultiFactor({{"step", {4, 4}}}), ConfigError);
}

}  // namespace
}  // namespace svrg
