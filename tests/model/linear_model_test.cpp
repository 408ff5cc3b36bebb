#include <gtest/gtest.h>

#include <numeric>
#include <string>

#include "problems.hpp"
#include "svrg/model/instruction_set.hpp"
#include "svrg/objective/penalty.hpp"

namespace svrg {
namespace {

using test::make_model;
using test::make_shard;
using test::ProblemSpec;
using test::some_weights;

/// Every loss, dense and sparse, weighted or not, with and without intercept, small and of a size
/// at which vectors are filled, on every instruction set of this machine.
struct Case {
  Loss loss;
  bool sparse, weighted, intercept, large;
  std::string_view instructions;
};

class LinearModels : public testing::TestWithParam<Case> {
 protected:
  ProblemSpec spec() const {
    const Case& c = GetParam();
    return {.loss = c.loss,
            .rows = c.large ? 71 : 41,
            .features = !c.large                  ? 5
                        : c.loss == Loss::softmax ? 7
                                                  : 37,
            .classes = c.large ? 11 : 3,
            .sparse = c.sparse,
            .weighted = c.weighted,
            .virtual_shards = 1};
  }
  void SetUp() override { use_instruction_set(GetParam().instructions); }
  void TearDown() override { use_instruction_set(instruction_sets().front()); }

  Shard shard_ = make_shard(Communicator::self(), spec());
  LinearModel model_ = make_model(spec(), GetParam().intercept);
  const Batch& batch_ = shard_.all();
  const Part part_ = shard_.all().parts[0];
  const Index P_ = model_.layout().size();
  const Vec<double> w_ = some_weights(P_);

  double value(const Vec<double>& w) {
    Vec<double> g = Vec<double>::Zero(P_);
    return model_.add_gradient(w, batch_, part_, Pass{}, g);
  }
  Vec<double> gradient(const Vec<double>& w) {
    Vec<double> g = Vec<double>::Zero(P_);
    model_.add_gradient(w, batch_, part_, Pass{}, g);
    return g;
  }
  std::vector<double> margins(const Vec<double>& w) {
    std::vector<double> z(static_cast<std::size_t>(shard_.rows() * model_.margins_per_row()));
    model_.margins(w, batch_, part_, z.data());
    return z;
  }
  ChainRows chain_rows(const std::vector<double>& z, std::vector<double>& r, double mean_weight) {
    r.resize(z.size());
    model_.residuals(batch_, part_, z.data(), r.data());
    return {&batch_, 0, shard_.rows(), z.data(), r.data(), mean_weight};
  }
  double mean_weight() const {
    if (shard_.weights().empty()) return 1;
    double sum = 0;
    for (const double s : shard_.weights()) sum += s;
    return sum / static_cast<double>(shard_.rows());
  }
};

TEST_P(LinearModels, gradient_is_that_of_finite_differences) {
  const Vec<double> g = gradient(w_);
  for (Index j = 0; j < P_; ++j) {
    const double h = 1e-5;
    Vec<double> up = w_, down = w_;
    up[j] += h;
    down[j] -= h;
    EXPECT_NEAR(g[j], (value(up) - value(down)) / (2 * h), 1e-6 * (1 + std::fabs(g[j])));
  }
}

TEST_P(LinearModels, sweep_leaves_margins_residuals_and_the_same_gradient) {
  std::vector<double> z(margins(w_).size()), r(z.size());
  Vec<double> g = Vec<double>::Zero(P_);
  const double loss = model_.sweep(w_, batch_, part_, z.data(), r.data(), g);
  EXPECT_NEAR(loss, value(w_), 1e-12 * std::fabs(loss));
  EXPECT_LT((g - gradient(w_)).norm(), 1e-12 * g.norm());
  EXPECT_EQ(z, margins(w_));  // to the bit: a resume computes them again
}

TEST_P(LinearModels, fused_difference_equals_two_evaluations) {
  const Vec<double> w_snap = some_weights(P_, 12);
  Vec<double> fused = Vec<double>::Zero(P_), plain = Vec<double>::Zero(P_);
  const double c = 0.7;
  const double a = model_.add_difference(w_, w_snap, c, batch_, part_, Pass{}, fused);
  const double b =
      model_.Model<double>::add_difference(w_, w_snap, c, batch_, part_, Pass{}, plain);
  EXPECT_NEAR(a, b, 1e-12 * std::fabs(a));
  EXPECT_LT((fused - plain).norm(), 1e-12 * (1 + plain.norm()));
}

TEST_P(LinearModels, picked_rows_are_those_of_the_whole) {
  std::vector<Index> pick;
  for (Index i = 0; i < shard_.rows(); ++i) pick.push_back((i * 7) % shard_.rows());
  Batch batch = batch_;
  batch.pick = pick;
  Vec<double> g = Vec<double>::Zero(P_);
  model_.add_gradient(w_, batch, {0, 0, 20}, Pass{}, g);
  model_.add_gradient(w_, batch, {0, 20, shard_.rows() - 20}, Pass{}, g);
  EXPECT_LT((g - gradient(w_)).norm(), 1e-12 * g.norm());
}

TEST_P(LinearModels, line_sums_are_value_slope_and_curvature_along_directions) {
  const Vec<double> p = some_weights(P_, 13), q = some_weights(P_, 14);
  const auto z = margins(w_);
  std::vector<float> pm(z.size()), qm(z.size());
  model_.direction_margins(p, batch_, part_, pm.data());
  model_.direction_margins(q, batch_, part_, qm.data());
  const std::vector<const float*> columns = {pm.data(), qm.data()};
  const std::vector<double> alpha = {0.4, -0.3};
  LineSums sums{0, Vec<double>::Zero(2), Eigen::MatrixXd::Zero(2, 2)};
  model_.add_line_sums(batch_, part_, z.data(), columns, alpha, sums);
  const Vec<double> there = w_ + 0.4 * p - 0.3 * q, g = gradient(there);
  EXPECT_NEAR(sums.value, value(there), 1e-5 * std::fabs(sums.value));
  EXPECT_NEAR(sums.gradient[0], g.dot(p), 1e-5 * (1 + std::fabs(g.dot(p))));
  EXPECT_NEAR(sums.gradient[1], g.dot(q), 1e-5 * (1 + std::fabs(g.dot(q))));
  Vec<double> hq = Vec<double>::Zero(P_);
  const auto z_there = margins(there);
  model_.add_hessian_product(q, batch_, part_, z_there.data(), hq);
  EXPECT_NEAR(sums.hessian(0, 1), hq.dot(p), 1e-5 * (1 + std::fabs(hq.dot(p))));
  EXPECT_EQ(sums.hessian(0, 1), sums.hessian(1, 0));
}

TEST_P(LinearModels, hessian_product_is_the_derivative_of_the_gradient) {
  const Vec<double> p = some_weights(P_, 15);
  const auto z = margins(w_);
  Vec<double> product = Vec<double>::Zero(P_);
  model_.add_hessian_product(p, batch_, part_, z.data(), product);
  const double h = 1e-5;
  const Vec<double> expected = (gradient(w_ + h * p) - gradient(w_ - h * p)) / (2 * h);
  if (model_.loss() == Loss::huber) {
    // Outliers have up to 1/50 of a squared loss's curvature instead of none.
    const LinearModel squared(Loss::squared, model_.features(), 1, model_.intercept());
    Vec<double> whole = Vec<double>::Zero(P_);
    squared.add_hessian_product(p, batch_, part_, z.data(), whole);
    const double more = p.dot(product - expected);
    EXPECT_GE(more, -1e-6);
    EXPECT_LE(more, p.dot(whole) / 50 + 1e-6);
  } else {
    EXPECT_LT((product - expected).norm(), 1e-6 * (1 + expected.norm()));
  }
  Eigen::MatrixXd matrix = Eigen::MatrixXd::Zero(P_, P_);
  model_.add_curvature(batch_, 0, shard_.rows(), z.data(), matrix);
  EXPECT_LT((matrix.selfadjointView<Eigen::Lower>() * p - product).norm(),
            1e-11 * (1 + product.norm()));
}

TEST_P(LinearModels, chain_takes_the_steps_of_textbook_svrg) {
  // One row after the other with plain vectors: u ← u − η(∇f_i(u) − ∇f_i(w̃) + ∇F(w̃)).
  const double l2 = 0.05, eta = 0.01, mean = mean_weight();
  Vec<double> penalty = Vec<double>::Zero(P_);
  penalty.head(model_.features() * model_.margins_per_row()).setConstant(l2);
  const Vec<double> mu =
      gradient(w_) / (mean * static_cast<double>(shard_.rows())) + penalty.cwiseProduct(w_);
  const auto z = margins(w_);
  std::vector<double> r;
  const ChainRows rows = chain_rows(z, r, mean);
  ChainStep step;
  step.eta = eta;
  step.l2 = l2;
  step.block = shard_.rows();  // one block: rows in order
  for (const Index group : {1, 2, 4}) {
    step.group = group;
    Vec<double> u(P_);
    model_.run_chain(rows, step, mu, u);

    Vec<double> w = w_;
    for (Index i = 0; i < shard_.rows(); i += group) {
      const Index n = std::min(group, shard_.rows() - i);
      Vec<double> g = Vec<double>::Zero(P_);
      model_.add_difference(w, w_, 1, batch_, {0, i, n}, Pass{}, g);
      w -= eta * (g / mean + static_cast<double>(n) * (mu + penalty.cwiseProduct(w - w_)));
    }
    EXPECT_LT((u - (w - w_)).norm(), 1e-11 * u.norm()) << "groups of " << group;
  }
}

TEST_P(LinearModels, displaced_rows_sum_to_the_change_of_the_gradient) {
  const double mean = mean_weight();
  const auto z = margins(w_);
  std::vector<double> r;
  const ChainRows rows = chain_rows(z, r, mean);
  const Vec<double> u = some_weights(P_, 16);
  Vec<double> g = Vec<double>::Zero(P_);
  model_.add_displaced(rows, 0, shard_.rows(), u, g);
  const Vec<double> expected = (gradient(w_ + u) - gradient(w_)) / mean;
  EXPECT_LT((g - expected).norm(), 1e-11 * (1 + expected.norm()));
}

TEST_P(LinearModels, smoothness_bounds_the_curvature_of_every_row) {
  const auto z = margins(w_);
  const auto s = model_.smoothness(batch_, part_);
  Cholesky unit;
  ASSERT_TRUE(unit.compute(Eigen::MatrixXd::Identity(P_, P_)));
  for (Index i = 0; i < shard_.rows(); ++i) {
    Eigen::MatrixXd h = Eigen::MatrixXd::Zero(P_, P_);
    model_.add_curvature(batch_, i, 1, z.data(), h);
    const double largest =
        Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(h).eigenvalues().maxCoeff();
    EXPECT_LE(largest, s.largest * (1 + 1e-12));
    const double bound = model_.largest_row_curvature(batch_, {0, i, 1}, z.data(), unit);
    EXPECT_LE(largest, bound * (1 + 1e-9) + 1e-12);
  }
}

std::string case_name(const testing::TestParamInfo<Case>& info) {
  const auto loss = info.param.loss;
  return (loss == Loss::squared_hinge ? "hinge" : std::string(loss_name(loss))) +
         (info.param.sparse ? "_sparse" : "_dense") + (info.param.weighted ? "_weighted" : "") +
         (info.param.intercept ? "_intercept" : "") + (info.param.large ? "_large_" : "_small_") +
         std::string(info.param.instructions);
}

TEST_P(LinearModels, a_proximal_chain_is_the_plain_recurrence) {
  const double l2 = 0.1, l1 = 0.04, eta = 0.02;
  Vec<double> start = w_;
  start[1] = start[3] = 0;
  const auto z = margins(start);
  std::vector<double> r;
  const ChainRows rows = chain_rows(z, r, mean_weight());
  const Penalty<double> penalty(model_.layout(), l2, l1);
  Vec<double> mu = gradient(start) / (mean_weight() * static_cast<double>(shard_.rows()));
  penalty.add_gradient(start, mu);
  ChainStep step{.eta = eta, .l2 = l2, .block = 1};
  Vec<double> u(P_);
  model_.run_proximal_chain(rows, step, start, mu, penalty.threshold(), u);

  // Every coordinate at every step, rows in the same order.
  std::vector<Index> order(static_cast<std::size_t>(shard_.rows()));
  std::iota(order.begin(), order.end(), Index{0});
  shuffle(std::span(order), step.order);
  Vec<double> v = start;
  for (const Index i : order) {
    const Part one{0, i, 1};
    Vec<double> now = Vec<double>::Zero(P_), then = Vec<double>::Zero(P_);
    model_.add_gradient(v, batch_, one, Pass{}, now);
    model_.add_gradient(start, batch_, one, Pass{}, then);
    const Vec<double> decay = penalty.curvature().cwiseProduct(v - start);
    v -= eta * ((now - then) / mean_weight() + mu + decay);
    penalty.shrink(v, eta);
  }
  EXPECT_LT((start + u - v).norm(), 1e-12 * v.norm());
  for (Index j = 0; j < P_; ++j) EXPECT_EQ(start[j] + u[j] == 0, v[j] == 0) << j;
}

TEST(Huber, of_another_delta_is_that_of_scaled_scores_and_labels) {
  const ProblemSpec spec{.loss = Loss::huber, .rows = 60, .virtual_shards = 1};
  Shard shard = make_shard(Communicator::self(), spec);
  constexpr double delta = 0.3;
  LinearModel one(Loss::huber, spec.features, 1, true),
      other(Loss::huber, spec.features, 1, true, false, delta);
  const Vec<double> w = some_weights(other.layout().size());
  Vec<double> g = Vec<double>::Zero(w.size()), scaled = g;
  const double value = other.add_gradient(w, shard.all(), shard.all().parts[0], Pass{}, g);
  std::vector<double> labels(shard.labels().begin(), shard.labels().end());
  for (double& y : labels) y /= delta;
  shard.set_labels(labels);
  const double of_scaled =
      one.add_gradient(w / delta, shard.all(), shard.all().parts[0], Pass{}, scaled);
  EXPECT_NEAR(value, delta * delta * of_scaled, 1e-12 * value);
  EXPECT_LT((g - delta * scaled).norm(), 1e-12 * g.norm());
}

INSTANTIATE_TEST_SUITE_P(all, LinearModels, testing::ValuesIn([] {
                           std::vector<Case> cases;
                           for (Loss loss : {Loss::squared, Loss::logistic, Loss::softmax,
                                             Loss::squared_hinge, Loss::huber})
                             for (const std::string_view set : instruction_sets())
                               for (int bits = 0; bits < 16; ++bits)
                                 cases.push_back({loss, (bits & 1) != 0, (bits & 2) != 0,
                                                  (bits & 4) != 0, (bits & 8) != 0, set});
                           return cases;
                         }()),
                         case_name);

TEST(LinearModel, a_row_of_weight_two_counts_as_the_row_twice) {
  const std::vector<double> x = {1, 2, -1, 0.5, 3, 1}, twice = {1, 2, -1, 0.5, -1, 0.5, 3, 1};
  const std::vector<double> y = {1, -1, 1}, y_twice = {1, -1, -1, 1}, weights = {1, 2, 1};
  const Input a{"data", DenseRows<double>{x.data(), 3, 2, 2}, {}};
  const Input b{"data", DenseRows<double>{twice.data(), 4, 2, 2}, {}};
  Batch weighted, doubled;
  weighted.inputs = {&a, 1};
  weighted.labels = y;
  weighted.weights = weights;
  doubled.inputs = {&b, 1};
  doubled.labels = y_twice;
  LinearModel model(Loss::logistic, 2, 2, true);
  const Vec<double> w = some_weights(3);
  Vec<double> g = Vec<double>::Zero(3), h = g;
  const double f = model.add_gradient(w, weighted, {0, 0, 3}, Pass{}, g);
  EXPECT_NEAR(f, model.add_gradient(w, doubled, {0, 0, 4}, Pass{}, h), 1e-14);
  EXPECT_LT((g - h).norm(), 1e-14);
}

TEST(LinearModel, a_penalised_intercept_is_the_weight_of_a_feature_that_is_always_one) {
  for (const bool sparse : {false, true}) {
    const ProblemSpec spec{.rows = 60, .features = 4, .sparse = sparse, .virtual_shards = 1};
    const Shard plain = make_shard(Communicator::self(), spec);
    std::vector<double> x;
    for (Index i = 0; i < spec.rows; ++i) {
      const auto row = test::make_row(spec, plain.partition().row_at(i));
      x.insert(x.end(), row.x.begin(), row.x.end());
      x.push_back(1);
    }
    DataInfo info;
    info.rows = spec.rows;
    info.columns = 5;
    const Shard with_ones(info, plain.partition(), 0, 1, DenseStore<double>{x},
                          {plain.labels().begin(), plain.labels().end()}, {});
    const LinearModel penalised(spec.loss, 4, 2, true, true), wide(spec.loss, 5, 2, false);
    EXPECT_EQ(penalised.free_intercepts(), 0);
    EXPECT_EQ(penalised.layout().at("linear_bias").wd_mult, 1);
    const Vec<double> w = some_weights(5), mu = some_weights(5, 3);
    const auto chain = [&](const LinearModel& model, const Shard& shard) {
      const auto n = static_cast<std::size_t>(spec.rows);
      std::vector<double> z(n), r(n);
      model.margins(w, shard.all(), shard.all().parts[0], z.data());
      model.residuals(shard.all(), shard.all().parts[0], z.data(), r.data());
      Vec<double> u(5);
      model.run_chain({&shard.all(), 0, spec.rows, z.data(), r.data()},
                      {.eta = 0.02, .l2 = 0.3, .block = spec.rows}, mu, u);
      return u;
    };
    EXPECT_LT((chain(penalised, plain) - chain(wide, with_ones)).norm(), 1e-12);
  }
}

TEST(LinearModel, huge_margins_stay_finite) {
  const std::vector<double> x = {1e8, -1e8}, y = {1, 1};
  const Input input{"data", DenseRows<double>{x.data(), 2, 1, 1}, {}};
  Batch batch;
  batch.inputs = {&input, 1};
  batch.labels = y;
  LinearModel model(Loss::logistic, 1, 2, false);
  Vec<double> w = Vec<double>::Constant(1, 1), g = Vec<double>::Zero(1);
  EXPECT_DOUBLE_EQ(model.add_gradient(w, batch, {0, 0, 2}, Pass{}, g), 1e8);
  EXPECT_DOUBLE_EQ(g[0], 1e8);
}

}  // namespace
}  // namespace svrg
