// Steps whose gradient has values in a few rows of a parameter only.
#include <gtest/gtest.h>

#include "svrg/core/error.hpp"
#include "svrg/core/random.hpp"
#include "svrg/optimizer/optimizer.hpp"

namespace svrg {
namespace {

constexpr Index rows = 30, columns = 3;

ParameterLayout embedding_and_bias() {
  ParameterLayout layout;
  layout.add({.name = "a_bias", .shape = {4}, .wd_mult = 0, .group = {}});
  layout.add({.name = "embed_weight",
              .shape = {rows, columns},
              .lr_mult = 2,
              .row_sparse = true,
              .group = {}});
  layout.add(
      {.name = "other_weight", .shape = {5, 2}, .wd_mult = 0.5, .row_sparse = true, .group = {}});
  return layout;
}

Vec<double> drawn(Index size, std::uint64_t stream) {
  Vec<double> v(size);
  for (Index i = 0; i < size; ++i)
    v[i] = CounterRandom(4, stream).normal(static_cast<std::uint64_t>(i));
  return v;
}

/// The rows that step s touches: about a tenth of them, now and then none.
Support touched(const ParameterLayout& layout, std::uint64_t s) {
  std::vector<Index> some;
  for (Index row = 0; row < layout.sparse_rows(); ++row)
    if (s % 7 != 0 && CounterRandom(9, s).uniform(static_cast<std::uint64_t>(row)) < 0.1)
      some.push_back(row);
  return Support(layout, some);
}

/// A run in which rows owe steps, beside one in which every step moves everything.
struct Runs {
  ParameterLayout layout = embedding_and_bias();
  Vec<double> along = drawn(layout.size(), 1), lazy = drawn(layout.size(), 2), dense = lazy;
  std::unique_ptr<Optimizer<double>> owing, moving;
  double decay = 0;
  explicit Runs(const std::string& name, const Options& params)
      : owing(make_optimizer<double>(name, params)), moving(make_optimizer<double>(name, params)) {}

  Gradient<double> gradient(std::uint64_t s, const Vec<double>& values, const Support& support) {
    return {std::span(values.data(), static_cast<std::size_t>(values.size())),
            &support,
            {along.data(), s % 3 == 0 ? 0.0 : 0.4, decay}};
  }
  static double rate(std::uint64_t s) { return 0.05 / (1 + 0.01 * static_cast<double>(s % 200)); }

  /// Only the rows touched are looked at before the step, as a model does.
  double step(std::uint64_t s) {
    const Support support = touched(layout, s);
    owing->settle(layout, lazy, along.data(), &support);
    double apart = 0;
    for (const Stretch& t : support.stretches())
      apart = std::max(apart, (lazy - dense).segment(t.begin, t.size).lpNorm<Eigen::Infinity>());
    Vec<double> g = drawn(layout.size(), 100 + s);
    const auto of = gradient(s, g, support);
    owing->step(layout, lazy, of, rate(s));
    Vec<double> whole = of.rest.factor * along;
    for (const Parameter& p : layout.all())
      whole.segment(p.offset, p.size) += decay * p.wd_mult * dense.segment(p.offset, p.size);
    for (const Stretch& t : support.stretches())
      whole.segment(t.begin, t.size) = g.segment(t.begin, t.size);
    moving->step(layout, dense, whole, rate(s));
    return apart;
  }
};

TEST(RowSparse, owed_steps_come_to_what_taking_each_gives) {
  const std::vector<std::pair<std::string, Options>> cases = {
      {"sgd", {}},
      {"sgd", {{"wd", 0.1}}},
      {"sgd", {{"wd", 0.1}, {"momentum", 0.9}}},
      {"sgd", {{"momentum", 0.9}, {"clip_gradient", 0.3}, {"rescale_grad", 0.5}}},
      {"sgd", {{"momentum", 0.9}, {"lazy_update", false}}},
      {"nag", {{"wd", 0.1}, {"momentum", 0.9}, {"rescale_grad", 0.5}}},
      {"adam", {{"wd", 0.1}, {"lazy_update", false}}},
      {"rmsprop", {}},
      {"lars", {{"momentum", 0.9}, {"eta", 0.1}}}};
  for (const auto& [name, params] : cases)
    for (const double decay : {0.0, 0.2}) {
      Runs runs(name, params);
      runs.decay = decay;
      for (std::uint64_t s = 0; s < 300; ++s)
        EXPECT_LT(runs.step(s), 1e-11) << name << " at step " << s;
      runs.owing->settle(runs.layout, runs.lazy, runs.along.data());
      EXPECT_FALSE(runs.owing->owes());
      EXPECT_LT((runs.lazy - runs.dense).lpNorm<Eigen::Infinity>(), 1e-11) << name;
      // The memory is up to date, too.
      runs.owing->step(runs.layout, runs.lazy, runs.along, 0.1);
      runs.moving->step(runs.layout, runs.dense, runs.along, 0.1);
      EXPECT_LT((runs.lazy - runs.dense).lpNorm<Eigen::Infinity>(), 1e-11) << name;
    }
}

TEST(RowSparse, a_row_may_owe_thousands_of_steps) {
  Runs runs("sgd", {{"wd", 1e-4}, {"momentum", 0.9}});
  for (std::uint64_t s = 0; s < 6000; ++s) {
    const Support nothing(runs.layout, {});
    const Vec<double> g = Vec<double>::Zero(runs.layout.size());
    runs.owing->step(runs.layout, runs.lazy, runs.gradient(1, g, nothing), 0.01);
    Vec<double> whole = 0.4 * runs.along;
    whole.head(4).setZero();
    runs.moving->step(runs.layout, runs.dense, whole, 0.01);
  }
  runs.owing->settle(runs.layout, runs.lazy, runs.along.data());
  EXPECT_LT((runs.lazy - runs.dense).norm(), 1e-11 * runs.dense.norm());
}

TEST(RowSparse, a_gradient_of_everything_settles_all) {
  Runs runs("sgd", {{"wd", 0.1}, {"momentum", 0.9}});
  for (std::uint64_t s = 0; s < 20; ++s) runs.step(s);
  EXPECT_TRUE(runs.owing->owes());
  const Support everything(runs.layout);
  const Vec<double> g = drawn(runs.layout.size(), 3);
  runs.owing->step(runs.layout, runs.lazy, runs.gradient(1, g, everything), 0.1);
  runs.moving->step(runs.layout, runs.dense, g, 0.1);
  EXPECT_FALSE(runs.owing->owes());
  EXPECT_LT((runs.lazy - runs.dense).norm(), 1e-11);
}

TEST(RowSparse, saved_with_its_debts_it_goes_on_bit_for_bit) {
  for (const char* name : {"sgd", "nag", "adam"}) {
    const Options params = std::string(name) == "adam" ? Options{} : Options{{"momentum", 0.9}};
    Runs through(name, params), resumed(name, params);
    for (std::uint64_t s = 0; s < 21; ++s) through.step(s);
    State state;
    through.owing->save(state);
    resumed.owing->load(state);
    resumed.lazy = through.lazy;
    EXPECT_EQ(resumed.owing->owes(), std::string(name) != "adam");
    for (std::uint64_t s = 21; s < 50; ++s) {
      through.step(s);
      resumed.step(s);
    }
    for (Runs* runs : {&through, &resumed})
      runs->owing->settle(runs->layout, runs->lazy, runs->along.data());
    EXPECT_EQ(through.lazy, resumed.lazy) << name;
  }
}

TEST(RowSparse, a_copy_shows_what_settling_makes_and_leaves_the_debts) {
  Runs runs("nag", {{"wd", 0.1}, {"momentum", 0.9}});
  for (std::uint64_t s = 0; s < 20; ++s) runs.step(s);
  Vec<double> copy = runs.lazy;
  runs.owing->settle_copy(runs.layout, copy, runs.along.data());
  EXPECT_NE(copy, runs.lazy);
  EXPECT_TRUE(runs.owing->owes());
  runs.owing->settle(runs.layout, runs.lazy, runs.along.data());
  EXPECT_EQ(copy, runs.lazy);
}

TEST(RowSparse, debts_of_another_model_are_refused) {
  Runs runs("sgd", {{"momentum", 0.9}});
  runs.step(1);
  State state;
  runs.owing->save(state);
  ParameterLayout dense;
  dense.add({.name = "w_weight", .shape = {runs.layout.size()}, .group = {}});
  const auto other = make_optimizer<double>("sgd", {{"momentum", 0.9}});
  other->load(state);
  EXPECT_THROW(other->step(dense, runs.lazy, runs.along, 0.1), DataError);
}

TEST(RowSparse, adaptive_ones_move_the_rows_touched_as_ever_and_no_other) {
  for (const char* name : {"adam", "adagrad", "groupadagrad", "ftrl"}) {
    Runs runs(name, {});
    const Vec<double> start = runs.lazy;
    const Support support(runs.layout, {3, 4, 9, rows + 1});
    for (std::uint64_t s = 1; s < 4; ++s) {
      const Vec<double> g = drawn(runs.layout.size(), s);
      runs.owing->step(runs.layout, runs.lazy, runs.gradient(s, g, support), 0.1);
      runs.moving->step(runs.layout, runs.dense, g, 0.1);
    }
    Vec<double> expected = start;
    for (const Stretch& t : support.stretches())
      expected.segment(t.begin, t.size) = runs.dense.segment(t.begin, t.size);
    EXPECT_EQ(runs.lazy, expected) << name;
    EXPECT_FALSE(runs.owing->owes()) << name;
  }
}

}  // namespace
}  // namespace svrg
