// Sums of gradients, and which nets have them in pieces.
#include "svrg/model/executor.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace svrg {
namespace {

TEST(Executor, a_gradient_joins_a_sum_with_a_weight_or_begins_it) {
  // A parameter twice in one node and in two of them, one without a gradient, one of no node's.
  const auto w = sym::Variable("w_weight", {.shape = {3}}), v = sym::Variable("v_weight");
  const auto square = sym::FullyConnected(
      {{"data", sym::Variable("data")}, {"weight", v}, {"num_hidden", 3}, {"no_bias", true}});
  const auto product = sym::broadcast_mul(square, sym::Reshape(w * w, {{"shape", {1, 3}}}));
  const auto sum = sym::broadcast_add(product, sym::Reshape(w, {{"shape", {1, 3}}}));
  const auto net = sym::Group({sym::MakeLoss(sym::square(sum)), sym::BlockGrad(v * 2.0)});
  for (const char* fixed : {"", "v_weight", "w_weight"}) {
    ExecutorOptions options{.inputs = {{"data", {4, 2}}}};
    if (*fixed != 0) options.fixed = {fixed};
    Executor<double> e(net, options);
    const std::vector<double> data{1, 2, -1, 0.5, 3, -2, 0.25, 1};
    Vec<double> weights(e.layout().size()), none(0);
    for (Index i = 0; i < weights.size(); ++i) weights[i] = 0.3 + 0.2 * static_cast<double>(i);
    e.begin(4);
    e.load("data", DenseRows<double>{data.data(), 4, 2, 2}, {}, 0);
    const auto gradient = [&](Vec<double> g, const Executor<double>::Sum& into) {
      e.forward(weights, none, {});
      e.backward(weights, {}, g, into);
      return g;
    };
    const Vec<double> g = gradient(Vec<double>::Zero(weights.size()), {});
    EXPECT_GT(g.cwiseAbs().maxCoeff(), 0.1);
    EXPECT_EQ(gradient(Vec<double>::Constant(g.size(), NAN), {1, true}), g);
    EXPECT_LE((gradient(g, {-1, false})).cwiseAbs().maxCoeff(), 1e-13);
    EXPECT_LE(
        (gradient(Vec<double>::Constant(g.size(), NAN), {-2, true}) + 2 * g).cwiseAbs().maxCoeff(),
        1e-13);
  }
}

TEST(Executor, knows_which_nets_look_at_rows_one_by_one) {
  const auto apart = [](const Symbol& net, std::map<std::string, std::vector<Index>> inputs) {
    return Executor<float>(net, {.inputs = std::move(inputs)}).rows_apart();
  };
  const std::map<std::string, std::vector<Index>> both{{"data", {6, 4}}, {"softmax_label", {6}}};
  const auto x = sym::Variable("data");
  const auto loss = [](const Symbol& y, const char* normalization) {
    return sym::SoftmaxOutput(y, {{"name", "softmax"}, {"normalization", normalization}});
  };
  EXPECT_TRUE(apart(loss(sym::Activation(x, {{"act_type", "tanh"}}), "null"), both));
  EXPECT_TRUE(apart(loss(sym::Dropout(x), "batch"), both));
  EXPECT_FALSE(apart(loss(x, "valid"), both));
  EXPECT_FALSE(apart(loss(sym::BatchNorm(x), "null"), both));
  EXPECT_FALSE(apart(loss(sym::Dropout(x, {{"axes", {0}}}), "null"), both));
  EXPECT_FALSE(apart(sym::MakeLoss(sym::mean(x)), {{"data", {6, 4}}}));
  // Rows of weights, and weights that are nobody's rows.
  const auto product = [](const Symbol& a, const Symbol& b) {
    return sym::FullyConnected({{"data", a}, {"weight", b}, {"num_hidden", 6}, {"no_bias", true}});
  };
  EXPECT_FALSE(apart(product(x, sym::Variable("fed")), {{"data", {6, 4}}, {"fed", {6, 4}}}));
  EXPECT_FALSE(
      apart(sym::MakeLoss(product(sym::Variable("w", {.shape = {6, 4}}), x)), {{"data", {6, 4}}}));
}

}  // namespace
}  // namespace svrg
