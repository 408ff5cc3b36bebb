#include <gtest/gtest.h>

#include <cstring>

#include "problems.hpp"
#include "svrg/core/error.hpp"
#include "svrg/solver/guarded_svrg.hpp"
#include "svrg/solver/minibatch.hpp"

namespace svrg {
namespace {

using test::make_model;
using test::make_shard;
using test::ProblemSpec;

constexpr double l2 = 0.01;

bool same_bits(const Vec<double>& a, const Vec<double>& b) {
  return a.size() == b.size() &&
         std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(double)) == 0;
}

/// Guarded SVRG with all that it stands on.
struct Guarded {
  ProblemSpec spec;
  Shard shard;
  LinearModel model;
  MarginObjective f;
  GuardedSvrg solver;
  Vec<double> w;
  Guarded(const Communicator& comm, ProblemSpec s, EngineChoice engine,
          Reduction reduction = Reduction::plain, bool chain_per_shard = false)
      : spec(s),
        shard(make_shard(comm, s)),
        model(make_model(s)),
        f(comm, model, shard, Penalty<double>(model.layout(), l2), reduction),
        solver(f, {engine, {.seed = 1, .chain_per_shard = chain_per_shard}}),
        w(Vec<double>::Zero(model.layout().size())) {}
  Outcome run(int outers) {
    Outcome at = solver.start(w);
    for (int i = 0; i < outers; ++i) at = solver.advance(w);
    return at;
  }
};

/// The minibatch scheme with all that it stands on.
struct Minibatch {
  Shard shard;
  LinearModel model;
  ModelObjective<double> f;
  Sampler sampler;
  SvrgEstimator<double> svrg;
  PlainEstimator<double> plain;
  std::unique_ptr<Optimizer<double>> sgd = make_optimizer<double>("sgd");
  MinibatchSolver<double> solver;
  Vec<double> w;
  Minibatch(const Communicator& comm, ProblemSpec s, MinibatchOptions options, bool reduced = true,
            Reduction reduction = Reduction::plain, RequestProbe probe = {})
      : shard(make_shard(comm, s)),
        model(make_model(s)),
        f(comm, model, shard, Penalty<double>(model.layout(), l2), reduction, std::move(probe)),
        sampler(shard, 10, 1),
        solver(comm, model.layout(), f, sampler,
               reduced ? static_cast<GradientEstimator<double>&>(svrg) : plain, *sgd, options),
        w(Vec<double>::Zero(model.layout().size())) {}
  Outcome run(int epochs) {
    Outcome at = solver.start(w);
    for (int i = 0; i < epochs; ++i) at = solver.advance(w);
    return at;
  }
};

TEST(SvrgEstimator, equals_the_full_gradient_at_the_snapshot) {
  const auto world = Communicator::world();
  Minibatch m(world, {}, {});
  Vec<double> mu(m.w.size()), g(m.w.size());
  const Vec<double> w = test::some_weights(m.w.size());
  m.svrg.measure(m.f, w, mu);
  while (const Batch* batch = m.sampler.next()) {
    m.svrg.estimate(m.f, w, *batch, Pass{}, g);
    EXPECT_TRUE(same_bits(g, mu));
  }
}

TEST(MinibatchSolver, svrg_reaches_what_sgd_at_the_same_step_does_not) {
  const auto world = Communicator::world();
  const MinibatchOptions options{.learning_rate = 0.05};
  Minibatch reduced(world, {}, options), plain(world, {}, options, false);
  const double start = reduced.run(0).grad_norm;
  EXPECT_LT(reduced.run(1500).grad_norm, 1e-9 * start);
  EXPECT_GT(plain.run(1500).grad_norm, 1e-4 * start);
}

TEST(MinibatchSolver, weights_depend_on_virtual_shards_and_not_on_ranks) {
  const auto world = Communicator::world();
  const MinibatchOptions options{.learning_rate = 0.05};
  Minibatch here(world, {.weighted = true}, options),
      serial(Communicator::self(), {.weighted = true}, options);
  here.run(10);
  serial.run(10);
  EXPECT_LT((here.w - serial.w).norm(), 1e-12 * serial.w.norm());
  Minibatch tree(world, {}, options, true, Reduction::fixed_tree);
  Minibatch tree_serial(Communicator::self(), {}, options, true, Reduction::fixed_tree);
  tree.run(10);
  tree_serial.run(10);
  EXPECT_TRUE(same_bits(tree.w, tree_serial.w));
}

TEST(MinibatchSolver, resumed_in_mid_epoch_ends_with_the_same_bits) {
  const auto world = Communicator::world();
  const MinibatchOptions options{.learning_rate = 0.05};
  Minibatch whole(world, {}, options);
  whole.run(7);

  int calls = 0;
  const auto probe = [&] {
    Requests r;
    r.stop = ++calls == 17;
    return r;
  };
  Minibatch first(world, {}, options, true, Reduction::plain, probe);
  Outcome at = first.solver.start(first.w);
  while (!at.requests.stop) at = first.solver.advance(first.w);
  EXPECT_FALSE(at.epoch_ended);
  State state;
  first.solver.save(state);

  Minibatch second(world, {}, options);
  second.w = first.w;
  second.solver.load(state);
  at = second.solver.start(second.w);
  while (at.epoch < 7) at = second.solver.advance(second.w);
  EXPECT_TRUE(same_bits(second.w, whole.w));
}

TEST(MinibatchSolver, halves_a_rate_of_its_own_choice_and_refuses_to_change_a_given_one) {
  const auto world = Communicator::world();
  Minibatch own(world, {.loss = Loss::squared},
                {.learning_rate = 1, .may_halve = true, .update_freq = 1});
  const Outcome at = own.run(12);
  EXPECT_LT(at.learning_rate, 1);
  EXPECT_TRUE(own.w.allFinite());
  Minibatch given(world, {.loss = Loss::squared}, {.learning_rate = 1e3, .update_freq = 1});
  EXPECT_THROW(given.run(200), NumericError);
  EXPECT_TRUE(given.w.allFinite());
}

struct EngineCase {
  const char* name;
  Loss loss;
  bool sparse;
  EngineChoice engine;
};

class GuardedSvrgs : public testing::TestWithParam<EngineCase> {
 protected:
  ProblemSpec spec() const {
    return {.loss = GetParam().loss, .rows = 400, .sparse = GetParam().sparse, .weighted = true};
  }
  const Communicator world_ = Communicator::world();
};

TEST_P(GuardedSvrgs, converges_without_tuning_and_never_rises) {
  Guarded g(world_, spec(), GetParam().engine);
  Outcome at = g.solver.start(g.w);
  const double start = at.grad_norm;
  double before = at.objective;
  for (int i = 0; i < 60 && at.grad_norm > 1e-9 * start && !at.finished; ++i) {
    at = g.solver.advance(g.w);
    EXPECT_LE(at.objective, before * (1 + 1e-12));
    before = at.objective;
  }
  EXPECT_LE(at.grad_norm, 1e-9 * start);
}

TEST_P(GuardedSvrgs, bounds_the_distance_to_the_optimum) {
  Guarded g(world_, spec(), GetParam().engine), best(world_, spec(), EngineChoice::ssn);
  const double optimum = best.run(40).objective;
  Outcome at = g.solver.start(g.w);
  for (int i = 0; i < 8; ++i) {
    at = g.solver.advance(g.w);
    EXPECT_GE(at.gap, at.objective - optimum - 1e-12);
  }
}

TEST_P(GuardedSvrgs, same_bits_again_and_after_a_resume) {
  Guarded whole(world_, spec(), GetParam().engine), again(world_, spec(), GetParam().engine);
  whole.run(9);
  again.run(9);
  EXPECT_TRUE(same_bits(whole.w, again.w));

  Guarded first(world_, spec(), GetParam().engine), second(world_, spec(), GetParam().engine);
  first.run(4);
  State state;
  first.solver.save(state);
  second.w = first.w;
  second.solver.load(state);
  Outcome at = second.solver.start(second.w);
  while (at.epoch < 9) at = second.solver.advance(second.w);
  EXPECT_TRUE(same_bits(second.w, whole.w));
}

TEST_P(GuardedSvrgs, deterministic_bits_do_not_depend_on_the_ranks) {
  Guarded here(world_, spec(), GetParam().engine, Reduction::fixed_tree, true);
  Guarded serial(Communicator::self(), spec(), GetParam().engine, Reduction::fixed_tree, true);
  here.run(6);
  serial.run(6);
  EXPECT_TRUE(same_bits(here.w, serial.w));
}

INSTANTIATE_TEST_SUITE_P(
    engines, GuardedSvrgs,
    testing::Values(EngineCase{"row_logistic_dense", Loss::logistic, false, EngineChoice::row},
                    EngineCase{"row_logistic_sparse", Loss::logistic, true, EngineChoice::row},
                    EngineCase{"row_softmax_sparse", Loss::softmax, true, EngineChoice::row},
                    EngineCase{"row_squared_dense", Loss::squared, false, EngineChoice::row},
                    EngineCase{"ssn_logistic_dense", Loss::logistic, false, EngineChoice::ssn},
                    EngineCase{"ssn_softmax_sparse", Loss::softmax, true, EngineChoice::ssn},
                    EngineCase{"newton_logistic_dense", Loss::logistic, false,
                               EngineChoice::newton},
                    EngineCase{"newton_softmax_sparse", Loss::softmax, true, EngineChoice::newton},
                    EngineCase{"direct_squared_dense", Loss::squared, false, EngineChoice::ssn}),
    [](const auto& each) { return each.param.name; });

TEST(GuardedSvrg, solves_ridge_regression_to_the_normal_equations) {
  const auto world = Communicator::world();
  const ProblemSpec spec{.loss = Loss::squared, .rows = 60, .weighted = true};
  Guarded g(world, spec, EngineChoice::automatic);
  g.run(2);
  const Vec<double> expected = test::ridge_solution(spec, l2);
  EXPECT_LT((g.w - expected).norm(), 1e-9 * expected.norm());
}

TEST(GuardedSvrg, knows_the_exact_distance_to_the_optimum_of_a_quadratic) {
  const auto world = Communicator::world();
  Guarded g(world, {.loss = Loss::squared, .rows = 60}, EngineChoice::automatic);
  const Outcome solved = g.run(2);
  // Away from the optimum, measured with the engine's factor of the same Hessian.
  Vec<double> gradient(g.w.size());
  const Vec<double> away = g.w + test::some_weights(g.w.size());
  const double objective = g.f.gradient(away, gradient).objective;
  EXPECT_NEAR(g.solver.engine().exact_gap(gradient), objective - solved.objective,
              1e-9 * objective);
}

TEST(GuardedSvrg, says_so_where_squared_features_overflow) {
  DataInfo info;
  info.rows = 2;
  info.columns = 1;
  const Partition partition(2, 1, RowOrder::file);
  const Shard shard(info, partition, 0, 1, DenseStore<double>{{1e200, -1e200}}, {1, -1}, {});
  const LinearModel model(Loss::logistic, 1, 2, false);
  const auto self = Communicator::self();
  MarginObjective f(self, model, shard, Penalty<double>(model.layout(), l2), Reduction::plain);
  for (const EngineChoice engine : {EngineChoice::row, EngineChoice::ssn, EngineChoice::newton}) {
    GuardedSvrg solver(f, {engine, {}});
    Vec<double> w = Vec<double>::Zero(1);
    const auto first_outer = [&] {
      solver.start(w);
      solver.advance(w);
    };
    EXPECT_THROW(first_outer(), NumericError);
  }
}

TEST(GuardedSvrg, works_with_fewer_rows_than_ranks) {
  const auto world = Communicator::world();
  Guarded g(world, {.loss = Loss::squared, .rows = 2}, EngineChoice::row);
  const Outcome at = g.run(50);
  EXPECT_TRUE(g.w.allFinite());
  EXPECT_LT((g.w - test::ridge_solution(g.spec, l2)).norm(), 1e-3 * (1 + g.w.norm()));
  EXPECT_GE(at.gap, 0);
}

/// Rows of very different features, more parameters than a factor is kept for, a small penalty:
/// rows contract slowly.
struct Wide {
  ProblemSpec spec;
  Shard shard;
  LinearModel model;
  MarginObjective f;
  GuardedSvrg solver;
  Vec<double> w;
  Wide(const Communicator& comm, ProblemSpec s, Reduction reduction = Reduction::plain,
       bool chain_per_shard = false)
      : spec(s),
        shard(make_shard(comm, s)),
        model(make_model(s)),
        f(comm, model, shard, Penalty<double>(model.layout(), 1e-4), reduction),
        solver(f, {EngineChoice::automatic, {.seed = 1, .chain_per_shard = chain_per_shard}}),
        w(Vec<double>::Zero(model.layout().size())) {}
};
const ProblemSpec wide{.rows = 400, .features = 2100, .sparse = true};
const ProblemSpec wide_classes{
    .loss = Loss::softmax, .rows = 400, .features = 300, .classes = 8, .sparse = true};

TEST(GuardedSvrg, ends_with_newton_steps_by_products_where_rows_contract_slowly) {
  const auto world = Communicator::world();
  for (const ProblemSpec& spec : {wide, wide_classes}) {
    Wide p(world, spec);
    Outcome at = p.solver.start(p.w);
    const double first = at.grad_norm;
    bool switched = false;
    for (int i = 0; i < 40 && at.grad_norm > 1e-9 * first; ++i) {
      const double before = at.objective;
      at = p.solver.advance(p.w);
      EXPECT_LE(at.objective, before * (1 + 1e-12));
      switched |= std::string_view(p.solver.engine().name()) == "newton-cg";
    }
    EXPECT_TRUE(switched) << loss_name(spec.loss);
    EXPECT_LT(at.grad_norm, 1e-9 * first) << loss_name(spec.loss);
  }
}

TEST(GuardedSvrg, resumed_in_newton_steps_ends_with_the_same_bits) {
  const auto world = Communicator::world();
  Wide whole(world, wide_classes), first(world, wide_classes), second(world, wide_classes);
  Outcome at = whole.solver.start(whole.w);
  while (std::string_view(whole.solver.engine().name()) != "newton-cg" && at.epoch < 30)
    at = whole.solver.advance(whole.w);
  const Index cut = at.epoch;
  ASSERT_LT(cut, 30);
  at = first.solver.start(first.w);
  while (at.epoch < cut) at = first.solver.advance(first.w);
  State state;
  first.solver.save(state);
  second.w = first.w;
  second.solver.load(state);
  second.solver.start(second.w);
  for (int i = 0; i < 3; ++i) {
    whole.solver.advance(whole.w);
    second.solver.advance(second.w);
  }
  EXPECT_TRUE(same_bits(second.w, whole.w));
}

TEST(OptimalityGap, has_no_bound_without_a_penalty) {
  Parameter parameter;
  parameter.name = "w";
  parameter.shape = {2};
  ParameterLayout layout;
  layout.add(parameter);
  const Vec<double> g = Vec<double>::Ones(2), w = Vec<double>::Zero(2);
  const Penalty<double> none(layout, 0), half(layout, 0.5);
  EXPECT_TRUE(std::isnan(optimality_gap(none, w, g, {})));
  EXPECT_TRUE(std::isnan(optimality_gap(none, w, g, {1, 0.25, 1})));  // bounds only itself
  EXPECT_DOUBLE_EQ(optimality_gap(half, w, g, {}), 2);
}

TEST(OptimalityGap, holds_where_the_intercept_is_far_off_and_columns_are_not_centred) {
  // Rows around (100, …): weights can take the intercept's place, and its gradient says little.
  const auto world = Communicator::world();
  const ProblemSpec spec{.loss = Loss::squared, .rows = 120, .features = 4};
  Shard shard = make_shard(world, spec);
  shard.rescale(std::vector<double>(4, -100), {});
  const LinearModel model = make_model(spec);
  for (const double penalty : {1e-3, 1e-1}) {
    MarginObjective f(world, model, shard, Penalty<double>(model.layout(), penalty),
                      Reduction::plain);
    Vec<double> best = Vec<double>::Zero(f.size()), g(f.size());
    GuardedSvrg direct(f, {});
    Outcome at = direct.start(best);
    while (at.epoch < 20 && !at.finished) at = direct.advance(best);
    const double minimum = at.objective;
    for (std::uint64_t seed = 1; seed < 20; ++seed) {
      // Points at which the gradient in the weights is small beside that in the intercept, too.
      Vec<double> w = best + 0.1 * test::some_weights(f.size(), seed);
      w.head(4).array() -= (w.head(4) - best.head(4)).mean();
      const auto m = f.gradient(w, g);
      const double gap = optimality_gap(f.penalty(), w, g, free_intercepts(f));
      EXPECT_GE(gap, m.objective - minimum - 1e-9) << seed;
    }
  }
}

}  // namespace
}  // namespace svrg
