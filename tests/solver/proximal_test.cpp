// Laws of the L1 solver: optimality conditions, bounds that hold, same answer everywhere.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "problems.hpp"
#include "solver/coordinate_descent.hpp"
#include "svrg/core/soft_threshold.hpp"
#include "svrg/solver/minibatch.hpp"
#include "svrg/solver/proximal_svrg.hpp"

namespace svrg {
namespace {

using test::make_model;
using test::make_shard;
using test::ProblemSpec;

struct Proximal {
  Shard shard;
  LinearModel model;
  MarginObjective f;
  ProximalSvrg solver;
  Vec<double> w;
  Proximal(const Communicator& comm, const ProblemSpec& spec, double l2, double l1,
           Reduction reduction = Reduction::plain, bool chain_per_shard = false)
      : shard(make_shard(comm, spec)),
        model(make_model(spec)),
        f(comm, model, shard, Penalty<double>(model.layout(), l2, l1), reduction),
        solver(f, {.seed = 1, .chain_per_shard = chain_per_shard}),
        w(Vec<double>::Zero(model.layout().size())) {}
  Outcome run(int outers) {
    Outcome at = solver.start(w);
    for (int i = 0; i < outers && !at.finished; ++i) at = solver.advance(w);
    return at;
  }
  /// The largest violation of 0 ∈ ∂F(w).
  double violation() {
    Vec<double> g(w.size());
    f.gradient(w, g);
    const Vec<double>& t = f.penalty().threshold();
    double worst = 0;
    for (Index j = 0; j < w.size(); ++j)
      worst = std::max(worst, w[j] != 0 ? std::fabs(g[j] + std::copysign(t[j], w[j]))
                                        : std::fabs(soft_threshold(g[j], t[j])));
    return worst;
  }
};

constexpr Loss all_losses[] = {Loss::squared, Loss::logistic, Loss::softmax, Loss::squared_hinge,
                               Loss::huber};

TEST(CoordinateDescent, ends_where_no_coordinate_wants_to_move) {
  constexpr Index m = 30;
  const Eigen::MatrixXd a = Eigen::MatrixXd::Random(m, m + 3);
  const Eigen::MatrixXd h = a * a.transpose() / m;
  const Vec<double> g = 2 * Vec<double>::Random(m), w = Vec<double>::Random(m);
  Vec<double> t = Vec<double>::Constant(m, 0.7);
  t[m - 1] = 0;
  const Vec<double> u = coordinate_descent(h.triangularView<Eigen::Lower>(), g, w, t, 1e-14, 0);
  const Vec<double> slope = g + h * (u - w);
  Index zeros = 0;
  for (Index j = 0; j < m; ++j) {
    zeros += u[j] == 0;
    EXPECT_NEAR(u[j] != 0 ? slope[j] + std::copysign(t[j], u[j]) : soft_threshold(slope[j], t[j]),
                0, 1e-5);
  }
  EXPECT_GT(zeros, 3);
  EXPECT_LT(zeros, m);
}

TEST(ProximalSvrg, reaches_the_optimality_conditions_of_every_loss) {
  const auto world = Communicator::world();
  for (const Loss loss : all_losses)
    for (const double l2 : {0.0, 0.01}) {
      Proximal p(world, {.loss = loss, .sparse = l2 > 0, .weighted = l2 > 0}, l2, 0.15);
      const Outcome at = p.run(40);
      EXPECT_LT(p.violation(), 1e-7) << loss_name(loss) << " " << l2;
      EXPECT_LT(at.gap, 1e-6) << loss_name(loss) << " " << l2;
      EXPECT_GT((p.w.array() == 0).count(), 0) << loss_name(loss);
      EXPECT_LT((p.w.array() == 0).count(), p.w.size());
    }
}

TEST(ProximalSvrg, zeroes_all_weights_beyond_the_largest_slope_and_none_without_l1) {
  const auto world = Communicator::world();
  const ProblemSpec spec{.loss = Loss::squared};
  Proximal strong(world, spec, 0, 1e3);
  strong.run(10);
  EXPECT_EQ((strong.w.head(spec.features).array() != 0).count(), 0);
  Proximal weak(world, spec, 0.01, 1e-9);
  weak.run(20);
  const Vec<double> ridge = test::ridge_solution(spec, 0.01);
  EXPECT_LT((weak.w - ridge).norm(), 1e-6 * ridge.norm());
}

TEST(ProximalSvrg, bounds_the_distance_to_the_minimum_at_every_outer) {
  const auto world = Communicator::world();
  for (const Loss loss : all_losses)
    for (const double l2 : {0.0, 0.003}) {
      Proximal best(world, {.loss = loss, .rows = 400}, l2, 0.02);
      const double minimum = best.run(60).objective;
      Proximal p(world, {.loss = loss, .rows = 400}, l2, 0.02);
      Outcome at = p.solver.start(p.w);
      for (int i = 0; i < 6; ++i, at = p.solver.advance(p.w))
        EXPECT_GE(at.gap, at.objective - minimum - 1e-12) << loss_name(loss) << " " << i;
    }
}

TEST(ProximalSvrg, needs_no_columns_of_equal_size) {
  const auto world = Communicator::world();
  for (const Loss loss : {Loss::squared, Loss::logistic})
    for (const double l2 : {0.0, 1e-6}) {  // columns from 1e-3 to 1e6: labels round to 1e-10
      Proximal p(world, {.loss = loss, .rows = 400, .spread = 1e3}, l2, 1e-3);
      const Outcome at = p.run(60);
      EXPECT_LT(at.gap, 0.01 * at.objective) << loss_name(loss) << " " << l2;
    }
}

TEST(ProximalSvrg, bounds_the_distance_where_only_the_intercept_is_off) {
  const auto world = Communicator::world();
  Proximal best(world, {.rows = 400}, 0, 10);  // no weight but the intercept
  const double minimum = best.run(60).objective;
  for (const double by : {-0.01, 0.01}) {
    Proximal p(world, {.rows = 400}, 0, 10);
    p.w = best.w;
    p.w[p.w.size() - 1] += by;
    const Outcome at = p.solver.start(p.w);
    EXPECT_GE(at.gap, at.objective - minimum) << by;
    EXPECT_LE(at.gap, 3 * (at.objective - minimum)) << by;
  }
}

TEST(ProximalSvrg, takes_rows_where_many_weights_stay) {
  const auto world = Communicator::world();
  // More columns than a working set takes, and hardly any threshold.
  const ProblemSpec spec{.rows = 300, .features = 2500, .sparse = true};
  Proximal p(world, spec, 5, 1e-6);
  Outcome at = p.solver.start(p.w);
  const double first = at.grad_norm;
  bool rows = false;
  for (int i = 0; i < 60 && at.grad_norm > 1e-8 * first; ++i) {
    at = p.solver.advance(p.w);
    rows |= at.learning_rate != 1;
  }
  EXPECT_TRUE(rows);
  EXPECT_LT(at.grad_norm, 1e-8 * first);
  EXPECT_LT(at.gap, 1e-9);
}

TEST(ProximalSvrg, is_the_same_on_any_number_of_ranks) {
  const auto world = Communicator::world();
  for (const Index features : {Index{7}, Index{2500}}) {
    const ProblemSpec spec{.rows = 150, .features = features, .sparse = true};
    Proximal here(world, spec, 0.01, 1e-4, Reduction::fixed_tree, true);
    Proximal serial(Communicator::self(), spec, 0.01, 1e-4, Reduction::fixed_tree, true);
    here.run(5);
    serial.run(5);
    EXPECT_EQ(std::memcmp(here.w.data(), serial.w.data(),
                          static_cast<std::size_t>(here.w.size()) * sizeof(double)),
              0);
  }
}

TEST(ProximalSvrg, resumed_ends_with_the_same_bits) {
  const auto world = Communicator::world();
  for (const Index features : {Index{7}, Index{2500}}) {
    const ProblemSpec spec{.rows = 150, .features = features, .sparse = true};
    Proximal whole(world, spec, 0.01, 1e-4), first(world, spec, 0.01, 1e-4),
        second(world, spec, 0.01, 1e-4);
    whole.run(8);
    first.run(3);
    State state;
    first.solver.save(state);
    second.w = first.w;
    second.solver.load(state);
    Outcome at = second.solver.start(second.w);
    while (at.epoch < 8) at = second.solver.advance(second.w);
    EXPECT_EQ((second.w - whole.w).cwiseAbs().maxCoeff(), 0);
  }
}

TEST(MinibatchSolver, ends_every_step_in_soft_thresholds) {
  const auto world = Communicator::world();
  const ProblemSpec spec{.rows = 80};
  constexpr double l2 = 0.01, l1 = 0.05;
  Proximal best(world, spec, l2, l1);
  best.run(40);
  const Shard shard = make_shard(world, spec);
  LinearModel model = make_model(spec);
  ModelObjective<double> f(world, model, shard, Penalty<double>(model.layout(), l2, l1),
                           Reduction::plain);
  Sampler sampler(shard, 10, 1);
  SvrgEstimator<double> svrg;
  const auto sgd = make_optimizer<double>("sgd");
  MinibatchSolver<double> solver(world, model.layout(), f, sampler, svrg, *sgd,
                                 {.learning_rate = 0.05});
  Vec<double> w = Vec<double>::Zero(model.layout().size());
  Outcome at = solver.start(w);
  const double first = at.grad_norm;
  for (int i = 0; i < 1000; ++i) at = solver.advance(w);
  EXPECT_LT(at.grad_norm, 1e-7 * first);
  EXPECT_LT((w - best.w).norm(), 1e-5 * best.w.norm());
  for (Index j = 0; j < w.size(); ++j) EXPECT_EQ(w[j] == 0, best.w[j] == 0) << j;
}

TEST(OptimalityGap, is_the_sum_of_what_each_coordinate_could_gain) {
  // One coordinate, data term v·w: F(u) = R(u) + v u has its minimum in closed form.
  Parameter parameter;
  parameter.name = "w";
  parameter.shape = {1};
  ParameterLayout layout;
  layout.add(parameter);
  for (const double l1 : {0.0, 0.5})
    for (const double v : {-2.0, -0.3, 0.0, 0.4, 3.0})
      for (const double at : {-1.5, 0.0, 0.2}) {
        constexpr double l2 = 0.25;
        const Penalty<double> penalty(layout, l2, l1);
        const auto value = [&](double u) {
          return penalty.value(Vec<double>::Constant(1, u)) + v * u;
        };
        const double best = -soft_threshold(v, l1) / l2;
        const Vec<double> w = Vec<double>::Constant(1, at),
                          g = Vec<double>::Constant(1, v + l2 * at);
        EXPECT_NEAR(optimality_gap(penalty, w, g, {}), value(at) - value(best), 1e-12);
      }
}

}  // namespace
}  // namespace svrg
