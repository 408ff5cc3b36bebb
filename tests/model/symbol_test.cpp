#include "svrg/model/symbol.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>

#include "svrg/core/error.hpp"
#include "svrg/core/random.hpp"
#include "svrg/model/executor.hpp"
#include "svrg/model/linear_form.hpp"
#include "svrg/model/linear_model.hpp"
#include "svrg/model/symbol_model.hpp"

extern std::atomic<long> allocations;  // count_allocations.cpp

namespace svrg {
namespace {

using Shape = std::vector<Index>;
using Names = std::vector<std::string>;

Symbol small_net() {
  const auto x = sym::Variable("data");
  const auto fc1 = sym::FullyConnected({{"data", x}, {"num_hidden", 5}, {"name", "fc1"}});
  const auto act = sym::Activation(fc1, {{"act_type", "tanh"}, {"name", "act"}});
  const auto fc2 = sym::FullyConnected(act, {{"num_hidden", 3}, {"name", "fc2"}});
  return sym::SoftmaxOutput(fc2, {{"name", "softmax"}});
}

template <class F>
std::string message_of(const F& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Symbol, inputs_not_given_become_variables_named_after_their_node) {
  EXPECT_EQ(small_net().list_arguments(),
            (Names{"data", "fc1_weight", "fc1_bias", "fc2_weight", "fc2_bias", "softmax_label"}));
  EXPECT_EQ(small_net().list_outputs(), Names{"softmax_output"});
  const auto bn = sym::BatchNorm(sym::Variable("data"), {{"name", "bn"}});
  EXPECT_EQ(bn.list_auxiliary_states(), (Names{"bn_moving_mean", "bn_moving_var"}));
}

TEST(Symbol, nodes_without_a_name_count_from_0_by_kind) {
  const sym::NameManager scope;
  const auto x = sym::Variable("data");
  EXPECT_EQ(sym::FullyConnected(x, {{"num_hidden", 1}}).name(), "fullyconnected0");
  EXPECT_EQ(sym::FullyConnected(x, {{"num_hidden", 1}}).name(), "fullyconnected1");
  EXPECT_EQ((x + x).name(), "_plus0");
}

TEST(Symbol, shapes_of_parameters_follow_from_the_data) {
  const auto shapes = small_net().infer_shape({{"data", {7, 4}}});
  EXPECT_EQ(shapes.arguments, (std::vector<Shape>{{7, 4}, {5, 4}, {5}, {3, 5}, {3}, {7}}));
  EXPECT_EQ(shapes.outputs, (std::vector<Shape>{{7, 3}}));
}

TEST(Symbol, messages_name_the_node_and_what_was_meant) {
  const auto x = sym::Variable("data");
  EXPECT_NE(message_of([&] {
              sym::FullyConnected(x, {{"name", "fc"}});
            }).find("FullyConnected 'fc'"),
            std::string::npos);
  EXPECT_NE(message_of([&] { sym::apply("fullyConnected", {x}, {}); }).find("FullyConnected"),
            std::string::npos);
  EXPECT_NE(message_of([&] {
              sym::Activation(x, {{"act_typ", "relu"}, {"name", "a"}});
            }).find("Activation 'a'"),
            std::string::npos);
  const auto sum = sym::broadcast_add(sym::Variable("a"), sym::Variable("b"), {{"name", "sum"}});
  EXPECT_NE(message_of([&] {
              sum.infer_shape({{"a", {2, 3}}, {"b", {2, 4}}});
            }).find("broadcast_add 'sum'"),
            std::string::npos);
  EXPECT_NE(message_of([&] { small_net().infer_shape({}); }).find("'data'"), std::string::npos);
}

TEST(Symbol, comes_back_from_its_own_json) {
  const auto again = Symbol::from_json(small_net().to_json());
  EXPECT_EQ(again.to_json(), small_net().to_json());
  EXPECT_EQ(again.list_arguments(), small_net().list_arguments());
}

TEST(Symbol, json_of_old_versions_is_read) {
  // 0.8: "param" beside "attr", inputs as pairs, no running statistics among them.
  const std::string old = R"({"nodes": [
    {"op": "null", "param": {}, "name": "data", "inputs": [], "backward_source_id": -1},
    {"op": "null", "param": {}, "name": "w", "inputs": [], "attr": {"lr_mult": "2"}},
    {"op": "FullyConnected", "param": {"num_hidden": "2", "no_bias": "True"}, "name": "fc",
     "inputs": [[0, 0], [1, 0]]},
    {"op": "null", "param": {}, "name": "bn_gamma", "inputs": []},
    {"op": "null", "param": {}, "name": "bn_beta", "inputs": []},
    {"op": "BatchNorm", "param": {"eps": "0.001"}, "name": "bn", "inputs": [[2, 0], [3, 0], [4, 0]]}],
    "arg_nodes": [0, 1, 3, 4], "heads": [[5, 0]]})";
  const auto net = Symbol::from_json(old);
  EXPECT_EQ(net.list_arguments(), (Names{"data", "w", "bn_gamma", "bn_beta"}));
  EXPECT_EQ(net.list_auxiliary_states(), (Names{"bn_moving_mean", "bn_moving_var"}));
  EXPECT_EQ(net.attr_dict().at("w").at("__lr_mult__"), "2");
}

TEST(Symbol, damaged_json_is_refused_by_name) {
  const std::string good = small_net().to_json();
  for (std::size_t cut = 0; cut + 2 < good.size(); cut += 7)
    EXPECT_THROW(Symbol::from_json(good.substr(0, cut)), DataError);
  EXPECT_NE(message_of([] { Symbol::from_json("{}", "net.json"); }).find("net.json"),
            std::string::npos);
  EXPECT_THROW(
      Symbol::from_json(
          R"({"nodes": [{"op": "square", "name": "s", "inputs": [[0, 0]]}], "heads": [[0, 0]]})"),
      DataError)
      << "a node cannot be its own input";
}

TEST(Symbol, any_damage_to_json_or_attributes_ends_in_an_error_or_a_symbol) {
  auto x = sym::Convolution(sym::Variable("data"), {{"kernel", {3, 3}}, {"num_filter", 4}});
  x = sym::Pooling(x, {{"kernel", {2, 2}}, {"stride", {2, 2}}, {"pool_type", "max"}});
  x = sym::BatchNorm(sym::Reshape(x, {{"shape", {0, -4, -1, 2, -2}}}), {{"axis", 1}});
  x = sym::slice_axis(sym::Flatten(x), {{"axis", 1}, {"begin", 0}, {"end", 4}});
  const std::string good =
      sym::SoftmaxOutput(sym::slice(x, {{"begin", {0, 1}}, {"end", {2, 3}}})).to_json();
  const CounterRandom random(11, 0);
  const std::string signs = "0123456789-,.()[]{}\"abelntN ";
  Index survived = 0;
  for (std::uint64_t k = 0; k < 20000; ++k) {
    std::string text = good;
    for (std::uint64_t c = 0; c < 1 + k % 3; ++c)
      text[static_cast<std::size_t>(random.below(static_cast<Index>(text.size()), 8 * k + c))] =
          signs[static_cast<std::size_t>(
              random.below(static_cast<Index>(signs.size()), 8 * k + 4 + c))];
    try {
      Symbol::from_json(text).infer_shape_partial({{"data", {4, 3, 12, 12}}});
      ++survived;
    } catch (const Error&) {
    }
  }
  EXPECT_GT(survived, 100);
  EXPECT_LT(survived, 19900);
}

struct Filled {
  std::vector<double> data, label;
  Vec<double> w, aux;
};

Filled filled(Executor<double>& executor, Index rows) {
  Filled f;
  const CounterRandom random(3, 1);
  for (Index i = 0; i < rows * 4; ++i)
    f.data.push_back(random.normal(static_cast<std::uint64_t>(i)));
  for (Index i = 0; i < rows; ++i) f.label.push_back(static_cast<double>(i % 3));
  f.w.resize(executor.layout().size());
  for (Index i = 0; i < f.w.size(); ++i)
    f.w[i] = 0.3 * random.normal(1000 + static_cast<std::uint64_t>(i));
  f.aux.resize(0);
  return f;
}

double loss_at(Executor<double>& e, Filled& f, Index rows) {
  e.begin(rows);
  e.load("data", DenseRows<double>{f.data.data(), rows, 4, 4}, {}, 0);
  e.load("softmax_label", DenseRows<double>{f.label.data(), rows, 1, 1}, {}, 0);
  e.forward(f.w, f.aux, {});
  return e.loss();
}

TEST(Executor, gradient_of_a_net_is_that_of_finite_differences_for_any_number_of_rows) {
  Executor<double> e(small_net(), {.inputs = {{"data", {6, 4}}, {"softmax_label", {6}}}});
  for (const Index rows : {6, 1, 4}) {
    Filled f = filled(e, rows);
    loss_at(e, f, rows);
    Vec<double> g = Vec<double>::Zero(f.w.size());
    e.backward(f.w, {}, g);
    for (Index i = 0; i < f.w.size(); ++i) {
      constexpr double h = 1e-6;
      const double at = f.w[i];
      f.w[i] = at + h;
      const double above = loss_at(e, f, rows);
      f.w[i] = at - h;
      const double below = loss_at(e, f, rows);
      f.w[i] = at;
      EXPECT_NEAR(g[i], (above - below) / (2 * h), 1e-7);
    }
  }
}

TEST(Executor, memory_is_shared_by_what_does_not_live_at_the_same_time) {
  auto x = sym::Variable("data");
  Index values = 0;
  for (int layer = 0; layer < 20; ++layer) {
    x = sym::Activation(sym::FullyConnected(x, {{"num_hidden", 64}}), {{"act_type", "tanh"}});
    values += 2 * 8 * 64;
  }
  Executor<float> inference(x, {.inputs = {{"data", {8, 64}}}, .training = false});
  inference.begin(8);
  EXPECT_LE(inference.arena_values(), 3 * 8 * 64);
  Executor<float> training(sym::MakeLoss(x), {.inputs = {{"data", {8, 64}}}});
  training.begin(8);
  EXPECT_LT(training.arena_values(), 2 * values);
}

TEST(Executor, layout_has_multipliers_and_decays_only_weights_and_gammas) {
  const auto bias = sym::Variable("b", {.shape = {2}, .lr_mult = 10, .wd_mult = 0.5});
  const auto net = sym::FullyConnected(
      {{"data", sym::Variable("data")}, {"bias", bias}, {"num_hidden", 2}, {"name", "fc"}});
  const auto layout = parameter_layout(net, {.inputs = {{"data", {3, 4}}}, .fixed = {"fc_weight"}});
  EXPECT_EQ(layout.at("b").lr_mult, 10);
  EXPECT_EQ(layout.at("b").wd_mult, 0.5);
  EXPECT_TRUE(layout.at("fc_weight").fixed);
  EXPECT_EQ(parameter_layout(small_net(), {.inputs = {{"data", {3, 4}}, {"softmax_label", {3}}}})
                .at("fc1_bias")
                .wd_mult,
            0);
}

TEST(Executor, csr_rows_give_what_dense_ones_do) {
  const auto net = sym::LinearRegressionOutput(
      sym::dot(sym::Variable("data"), sym::Variable("w", {.shape = {4, 1}})), sym::Variable("y"),
      {{"name", "out"}});
  Executor<double> e(net, {.inputs = {{"data", {2, 4}}, {"y", {2, 1}}}});
  const std::vector<double> dense{0, 2, 0, 1, 3, 0, 0, 0}, values{2, 1, 3}, y{1, -1};
  const std::vector<std::int32_t> columns{1, 3, 0};
  const std::vector<Index> starts{0, 2, 3};
  Vec<double> w(4), none(0);
  w << 1, 2, 3, 4;
  std::vector<Vec<double>> gradients;
  for (const Rows& rows :
       {Rows(DenseRows<double>{dense.data(), 2, 4, 4}),
        Rows(CsrRows<double>{values.data(), columns.data(), starts.data(), 2, 4})}) {
    e.begin(2);
    e.load("data", rows, {}, 0);
    e.load("y", DenseRows<double>{y.data(), 2, 1, 1}, {}, 0);
    e.forward(w, none, {});
    gradients.push_back(Vec<double>::Zero(4));
    e.backward(w, {}, gradients.back());
  }
  EXPECT_EQ(gradients[0], gradients[1]);
}

TEST(Executor, a_step_allocates_nothing_once_its_number_of_rows_has_been_seen) {
  Executor<double> e(small_net(), {.inputs = {{"data", {6, 4}}, {"softmax_label", {6}}}});
  Filled f = filled(e, 6);
  Vec<double> g = Vec<double>::Zero(f.w.size());
  const auto step = [&](Index rows) {
    loss_at(e, f, rows);
    e.backward(f.w, {}, g);
  };
  step(6);
  const long before = allocations;
  for (int k = 0; k < 5; ++k) step(6);
  EXPECT_EQ(allocations, before);
}

/// Rows as the data floor hands them on, one part.
struct Rows53 {
  std::vector<double> data, labels;
  std::vector<Index> global;
  std::vector<Part> parts;
  std::vector<Input> inputs;
  Batch batch;
  explicit Rows53(Index classes) {
    const CounterRandom random(8, 1);
    for (Index i = 0; i < 53; ++i) {
      for (Index j = 0; j < 4; ++j)
        data.push_back(random.normal(static_cast<std::uint64_t>(4 * i + j)));
      labels.push_back(static_cast<double>(i * i % classes));
      global.push_back(100 + i);
    }
    parts = {{0, 0, 53}};
    inputs = {{"data", DenseRows<double>{data.data(), 53, 4, 4}, {}}};
    batch = {inputs, labels, {}, {}, global, parts};
  }
};

TEST(SymbolModel, a_fully_connected_layer_under_softmax_is_the_softmax_model) {
  const auto net = sym::SoftmaxOutput(
      sym::FullyConnected(sym::Variable("data"), {{"num_hidden", 3}, {"name", "fc"}}),
      {{"name", "softmax"}});
  SymbolModel<double> symbol(Net::of(net), {.inputs = {{"data", {10, 4}}}});
  LinearModel linear(Loss::softmax, 4, 3, true);
  const Rows53 rows(3);
  Vec<double> w(15), v(15), g = Vec<double>::Zero(15), h = Vec<double>::Zero(15);
  for (Index i = 0; i < 15; ++i) w[i] = std::sin(static_cast<double>(i));
  v = w;  // the linear model's weights lie feature by feature
  for (Index k = 0; k < 3; ++k)
    for (Index j = 0; j < 4; ++j) v[j * 3 + k] = w[k * 4 + j];
  const double a = symbol.add_gradient(w, rows.batch, rows.parts[0], {}, g);
  const double b = linear.add_gradient(v, rows.batch, rows.parts[0], {}, h);
  EXPECT_NEAR(a, b, 1e-12 * b);
  for (Index k = 0; k < 3; ++k)
    for (Index j = 0; j < 4; ++j) EXPECT_NEAR(g[k * 4 + j], h[j * 3 + k], 1e-12);
  EXPECT_TRUE(g.tail(3).isApprox(h.tail(3), 1e-12));
}

TEST(SymbolModel, a_row_of_weight_two_is_the_row_twice) {
  SymbolModel<double> model(Net::of(small_net()), {.inputs = {{"data", {10, 4}}}});
  Rows53 once(3);
  std::vector<Index> pick;
  std::vector<double> weights;
  for (Index i = 0; i < 53; ++i) {
    weights.push_back(static_cast<double>(i % 3));
    for (Index k = 0; k < i % 3; ++k) pick.push_back(i);
  }
  Batch repeated = once.batch;
  repeated.pick = pick;
  once.batch.weights = weights;
  const Index P = model.layout().size();
  Vec<double> w(P), g = Vec<double>::Zero(P), h = Vec<double>::Zero(P);
  for (Index i = 0; i < P; ++i) w[i] = std::sin(static_cast<double>(i));
  const double a = model.add_gradient(w, once.batch, once.parts[0], {}, g);
  const Part all{0, 0, static_cast<Index>(pick.size())};
  const double b = model.add_gradient(w, repeated, all, {}, h);
  EXPECT_NEAR(a, b, 1e-12 * b);
  EXPECT_TRUE(g.isApprox(h, 1e-12));
}

TEST(LinearForm, is_a_layer_under_an_output_and_nothing_else) {
  const auto x = sym::Variable("data");
  const auto fc = [&](int outputs, bool bias = true) {
    return sym::FullyConnected(x, {{"num_hidden", outputs}, {"no_bias", !bias}});
  };
  const auto softmax = linear_form(sym::SoftmaxOutput(fc(3, false)));
  ASSERT_TRUE(softmax);
  EXPECT_EQ(softmax->loss, Loss::softmax);
  EXPECT_EQ(softmax->outputs, 3);
  EXPECT_FALSE(softmax->intercept);
  EXPECT_EQ(linear_form(sym::LinearRegressionOutput(fc(1)))->loss, Loss::squared);
  EXPECT_EQ(linear_form(sym::LogisticRegressionOutput(fc(1)))->loss, Loss::logistic);
  EXPECT_FALSE(linear_form(sym::LinearRegressionOutput(fc(2))));
  EXPECT_FALSE(linear_form(sym::SoftmaxOutput(fc(3), {{"grad_scale", 2}})));
  EXPECT_FALSE(linear_form(sym::MAERegressionOutput(fc(1))));
  EXPECT_FALSE(linear_form(fc(1)));
  EXPECT_FALSE(linear_form(small_net()));
}

TEST(SymbolModel, blocks_make_no_difference_not_even_with_dropout) {
  const auto net = sym::SoftmaxOutput(
      sym::FullyConnected(sym::Dropout(sym::Variable("data"), {{"p", 0.5}, {"name", "drop"}}),
                          {{"num_hidden", 3}, {"name", "fc"}}),
      {{"name", "softmax"}});
  const Rows53 rows(3);
  Vec<double> w(15);
  for (Index i = 0; i < 15; ++i) w[i] = std::sin(static_cast<double>(i));
  std::vector<Vec<double>> gradients;
  for (const Index block : {53, 7, 1}) {
    SymbolModel<double> model(Net::of(net), {.inputs = {{"data", {block, 4}}}});
    gradients.push_back(Vec<double>::Zero(15));
    model.add_gradient(w, rows.batch, rows.parts[0], {true, 3}, gradients.back());
  }
  EXPECT_TRUE(gradients[1].isApprox(gradients[0], 1e-13));
  EXPECT_TRUE(gradients[2].isApprox(gradients[0], 1e-13));
}

}  // namespace
}  // namespace svrg
