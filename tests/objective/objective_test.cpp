#include <gtest/gtest.h>

#include "problems.hpp"
#include "svrg/core/error.hpp"
#include "svrg/data/sampler.hpp"
#include "svrg/objective/margin_objective.hpp"
#include "svrg/objective/objective.hpp"

namespace svrg {
namespace {

using test::make_model;
using test::make_shard;
using test::ProblemSpec;
using test::some_weights;

constexpr double l2 = 0.01;

/// The gradient of all rows by one serial pass: what every number of ranks must find.
Vec<double> serial_gradient(const ProblemSpec& spec, const Vec<double>& w, double* loss = nullptr) {
  const Shard shard = make_shard(Communicator::self(), spec);
  LinearModel model = make_model(spec);
  Vec<double> g = Vec<double>::Zero(w.size());
  double sum = 0, weight = 0;
  for (const Part& part : shard.all().parts)
    sum += model.add_gradient(w, shard.all(), part, Pass{}, g);
  for (Index i = 0; i < spec.rows; ++i) weight += test::make_row(spec, i).weight;
  if (loss) *loss = sum / weight;
  return g / weight;
}

class Objectives : public testing::TestWithParam<Reduction> {
 protected:
  const Communicator world_ = Communicator::world();
};

TEST_P(Objectives, full_gradient_is_the_mean_over_the_rows_of_all_ranks) {
  for (const bool weighted : {false, true})
    for (const Index rows : {97, 5, 1}) {  // fewer rows than virtual shards, than ranks
      ProblemSpec spec{.rows = rows, .weighted = weighted && rows > 1};
      const Shard shard = make_shard(world_, spec);
      LinearModel model = make_model(spec);
      ModelObjective<double> f(world_, model, shard, Penalty<double>(model.layout(), l2),
                               GetParam());
      const Vec<double> w = some_weights(f.size());
      Vec<double> mu(f.size());
      const Report report = full_gradient<double>(f, w, mu);
      double loss = 0;
      const Vec<double> expected = serial_gradient(spec, w, &loss);
      EXPECT_EQ(report.rows, rows);
      EXPECT_NEAR(report.loss, loss, 1e-12 * loss);
      EXPECT_LT((mu - expected).norm(), 1e-12 * expected.norm());
    }
}

TEST_P(Objectives, batches_of_an_epoch_average_to_the_full_gradient) {
  ProblemSpec spec{.weighted = true};
  const Shard shard = make_shard(world_, spec);
  LinearModel model = make_model(spec);
  ModelObjective<double> f(world_, model, shard, Penalty<double>(model.layout(), l2), GetParam());
  const Vec<double> w = some_weights(f.size());
  Vec<double> mu(f.size()), g(f.size()), mean = Vec<double>::Zero(f.size());
  full_gradient<double>(f, w, mu);
  Sampler sampler(shard, 10, 3);
  Index rows = 0;
  while (const Batch* batch = sampler.next()) {
    f.accumulate(w, nullptr, *batch, Pass{});
    const Report report = f.reduce(nullptr, g);
    mean += static_cast<double>(report.rows) * g;
    rows += report.rows;
  }
  EXPECT_EQ(rows, spec.rows);
  EXPECT_LT((mean / static_cast<double>(rows) - mu).norm(), 1e-12 * mu.norm());
}

TEST_P(Objectives, a_flag_on_one_rank_is_seen_by_all) {
  ProblemSpec spec;
  const Shard shard = make_shard(world_, spec);
  LinearModel model = make_model(spec);
  const auto probe = [&] {
    Requests r;
    r.stop = world_.rank() == world_.size() - 1;
    return r;
  };
  ModelObjective<double> f(world_, model, shard, Penalty<double>(model.layout(), l2), GetParam(),
                           probe);
  Vec<double> mu(f.size());
  const Report report = full_gradient<double>(f, Vec<double>::Zero(f.size()), mu);
  EXPECT_TRUE(report.requests.stop);
  EXPECT_FALSE(report.requests.save);
}

TEST_P(Objectives, on_margins_is_the_same_function) {
  for (const Loss loss :
       {Loss::squared, Loss::logistic, Loss::softmax, Loss::squared_hinge, Loss::huber}) {
    ProblemSpec spec{.loss = loss, .sparse = loss == Loss::logistic, .weighted = true};
    const Shard shard = make_shard(world_, spec);
    LinearModel model = make_model(spec);
    const Penalty<double> penalty(model.layout(), l2);
    MarginObjective f(world_, model, shard, penalty, GetParam());
    const Vec<double> w = some_weights(f.size());
    Vec<double> g(f.size());
    const auto m = f.gradient(w, g);
    double value = 0;
    Vec<double> expected = serial_gradient(spec, w, &value);
    penalty.add_gradient(w, expected);
    EXPECT_NEAR(m.objective, value + penalty.value(w), 1e-12 * m.objective);
    EXPECT_LT((g - expected).norm(), 1e-12 * expected.norm());

    // Second-order verbs agree with each other: H p by product, by matrix, and along a line.
    const Vec<double> p = some_weights(f.size(), 21);
    Vec<double> hp(f.size());
    f.hessian_product(p, hp);
    const Eigen::MatrixXd h = f.curvature(spec.rows, 1);
    EXPECT_LT((h.selfadjointView<Eigen::Lower>() * p - hp).norm(), 1e-11 * hp.norm());
    const DirectionMargins q = f.direction_margins(p);
    const DirectionMargins* const directions[] = {&q};
    const double zero[] = {0};
    const LineSums sums = f.line_sums(directions, zero);
    const double penalised = penalty.curvature().cwiseProduct(p).dot(p);
    EXPECT_NEAR(sums.hessian(0, 0) + penalised, p.dot(hp), 1e-5 * p.dot(hp));
  }
}

TEST_P(Objectives, weights_that_differ_between_ranks_are_noticed_by_all) {
  if (world_.size() == 1) GTEST_SKIP() << "needs two ranks";
  const ProblemSpec spec{.loss = Loss::logistic};
  const Shard shard = make_shard(world_, spec);
  const LinearModel model = make_model(spec);
  MarginObjective f(world_, model, shard, Penalty<double>(model.layout(), l2), GetParam());
  Vec<double> w = Vec<double>::Constant(f.size(), 0.25), g(f.size());
  f.gradient(w, g);
  if (world_.rank() == world_.size() - 1) w[1] = std::nextafter(w[1], 1.0);
  EXPECT_THROW(f.gradient(w, g), CollectiveError);
}

TEST_P(Objectives, remembered_margins_come_back) {
  ProblemSpec spec;
  const Shard shard = make_shard(world_, spec);
  LinearModel model = make_model(spec);
  MarginObjective f(world_, model, shard, Penalty<double>(model.layout(), l2), GetParam());
  const Vec<double> w = some_weights(f.size()), v = some_weights(f.size(), 22);
  Vec<double> g(f.size()), h(f.size());
  f.gradient(w, g);
  f.remember();
  f.gradient(v, h);
  const DirectionMargins step = f.step_margins(), direct = f.direction_margins(v - w);
  for (std::size_t i = 0; i < step.size(); ++i) EXPECT_NEAR(step[i], direct[i], 1e-5);
  f.restore();
  const DirectionMargins none = f.step_margins();
  for (const float q : none) EXPECT_EQ(q, 0.0F);
}

INSTANTIATE_TEST_SUITE_P(reductions, Objectives,
                         testing::Values(Reduction::plain, Reduction::fixed_tree),
                         [](const auto& each) {
                           return each.param == Reduction::plain ? "plain" : "fixed_tree";
                         });

TEST(MeanSmoothness, is_the_largest_eigenvalue_of_the_curvature_bound) {
  const auto world = Communicator::world();
  ProblemSpec spec;
  const Shard shard = make_shard(world, spec);
  const LinearModel model = make_model(spec);
  Eigen::MatrixXd a = Eigen::MatrixXd::Zero(spec.features + 1, spec.features + 1);
  for (Index i = 0; i < spec.rows; ++i) {
    Vec<double> x(spec.features + 1);
    x << test::make_row(spec, i).x, 1;
    a += x * x.transpose() / static_cast<double>(spec.rows);
  }
  const double expected =
      0.25 * Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(a).eigenvalues().maxCoeff();
  EXPECT_NEAR(mean_smoothness(world, model, shard, Reduction::plain), expected, 0.05 * expected);
}

}  // namespace
}  // namespace svrg
