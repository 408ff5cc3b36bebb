#pragma once
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/operators/operator.hpp"

namespace svrg::ops {

struct Case {
  std::string op;
  Options attributes;
  std::vector<Shape> in;
  /// Given inputs by position (labels, row numbers); they have no gradient.
  std::map<std::size_t, std::vector<double>> given{};
  bool positive = false;  // the function is defined for positive numbers
};

inline const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"Activation", {{"act_type", "relu"}}, {{3, 4}}},
      {"Activation", {{"act_type", "relu"}}, {{3, 15}}},
      {"Activation", {{"act_type", "sigmoid"}}, {{3, 4}}},
      {"Activation", {{"act_type", "tanh"}}, {{1, 2, 3}}},
      {"Activation", {{"act_type", "softrelu"}}, {{3, 4}}},
      {"Activation", {{"act_type", "softsign"}}, {{3, 4}}},
      {"BatchNorm", {{"fix_gamma", false}}, {{5, 3}, {}, {}}},
      {"BatchNorm", {{"fix_gamma", true}}, {{4, 2, 3}, {}, {}}},
      {"BatchNorm", {{"fix_gamma", false}, {"axis", -1}}, {{2, 3, 4}, {}, {}}},
      {"BatchNorm", {{"use_global_stats", true}, {"fix_gamma", false}}, {{4, 3}, {}, {}}},
      {"Cast", {{"dtype", "float64"}}, {{2, 3}}},
      {"Concat", {{"num_args", 3}}, {{2, 3}, {2, 1}, {2, 2}}},
      {"Concat", {{"num_args", 2}, {"dim", 0}}, {{2, 3, 2}, {1, 3, 2}}},
      {"Convolution", {{"kernel", {3, 2}}, {"num_filter", 4}}, {{2, 3, 5, 4}, {}, {}}},
      {"Convolution",
       {{"kernel", {3, 3}},
        {"num_filter", 4},
        {"num_group", 2},
        {"stride", {2, 2}},
        {"pad", {1, 2}},
        {"dilate", {1, 2}},
        {"no_bias", true}},
       {{2, 4, 6, 7}, {}}},
      {"Convolution",
       {{"kernel", {3}}, {"num_filter", 2}, {"stride", {2}}, {"pad", {1}}},
       {{2, 3, 6}, {}, {}}},
      {"Convolution",
       {{"kernel", {3, 2}}, {"num_filter", 2}, {"pad", {1, 3}}},
       {{2, 1, 4, 21}, {}, {}}},
      {"Convolution",
       {{"kernel", {2, 3}}, {"num_filter", 1}, {"pad", {2, 1}}},
       {{1, 2, 3, 9}, {}, {}}},
      {"Dropout", {{"p", 0.4}}, {{5, 4}}},
      {"Dropout", {{"p", 0.4}, {"axes", {1}}}, {{3, 4, 2}}},
      {"Dropout", {{"p", 0.0}}, {{5, 4}}},
      {"Embedding", {{"input_dim", 5}, {"output_dim", 3}}, {{4}, {}}, {{0, {0, 4, 4, 2}}}},
      {"Flatten", {}, {{2, 3, 2}}},
      {"FullyConnected", {{"num_hidden", 3}}, {{4, 2, 2}, {}, {}}},
      {"FullyConnected", {{"num_hidden", 19}}, {{3, 5}, {}, {}}},
      {"FullyConnected", {{"num_hidden", 3}, {"no_bias", true}}, {{1, 5}, {}}},
      {"FullyConnected", {{"num_hidden", 3}, {"flatten", false}}, {{2, 3, 4}, {}, {}}},
      {"L2Normalization", {}, {{2, 3, 4}}},
      {"L2Normalization", {{"mode", "channel"}}, {{2, 3, 4}}},
      {"L2Normalization", {{"mode", "spatial"}}, {{2, 3, 4}}},
      {"LayerNorm", {}, {{3, 4}, {}, {}}},
      {"LayerNorm", {{"axis", 1}, {"eps", 0.1}}, {{2, 3, 2}, {}, {}}},
      {"LeakyReLU", {{"act_type", "leaky"}, {"slope", 0.1}}, {{3, 4}}},
      {"LeakyReLU", {{"act_type", "elu"}}, {{3, 4}}},
      {"LeakyReLU", {{"act_type", "selu"}}, {{3, 4}}},
      {"LeakyReLU", {{"act_type", "gelu"}}, {{3, 4}}},
      {"LeakyReLU", {{"act_type", "prelu"}}, {{3, 2, 4}, {}}},
      {"LeakyReLU", {{"act_type", "prelu"}}, {{3, 4}, {1}}},
      {"LeakyReLU", {{"act_type", "prelu"}}, {{1, 3}, {}}},
      {"LeakyReLU", {{"act_type", "rrelu"}}, {{3, 4}}},
      {"LinearRegressionOutput",
       {{"grad_scale", 0.5}},
       {{3, 2}, {3, 2}},
       {{1, {1, 2, 3, 4, 5, 6}}}},
      {"LinearRegressionOutput", {}, {{3, 1}, {3}}, {{1, {1, 2, 3}}}},
      {"LogisticRegressionOutput", {}, {{3, 1}, {3}}, {{1, {1, 0, 1}}}},
      {"MAERegressionOutput", {}, {{2, 2}, {2, 2}}, {{1, {1, 2, 3, 4}}}},
      {"MakeLoss", {{"grad_scale", 2.0}}, {{3, 2}}},
      {"MakeLoss", {{"normalization", "batch"}}, {{4}}},
      {"MakeLoss", {{"normalization", "valid"}, {"valid_thresh", 0.1}}, {{3, 4}}},
      {"Pooling", {{"kernel", {2, 2}}, {"stride", {2, 2}}}, {{2, 2, 5, 4}}},
      {"Pooling", {{"kernel", {2, 2}}, {"stride", {2, 2}}}, {{1, 2, 4, 39}}},
      {"Pooling", {{"kernel", {3, 3}}, {"stride", {1, 2}}}, {{1, 1, 4, 41}}},
      {"Pooling", {{"kernel", {2, 3}}}, {{1, 2, 3, 21}}},
      {"Pooling", {{"kernel", {3, 2}}, {"pool_type", "avg"}, {"pad", {1, 1}}}, {{1, 2, 4, 4}}},
      {"Pooling",
       {{"kernel", {3, 3}},
        {"pool_type", "avg"},
        {"pad", {1, 1}},
        {"stride", {2, 2}},
        {"pooling_convention", "full"},
        {"count_include_pad", false}},
       {{1, 2, 4, 5}}},
      {"Pooling", {{"kernel", {2}}, {"pool_type", "sum"}}, {{2, 2, 5}}},
      {"Pooling", {{"kernel", {3}}, {"stride", {2}}, {"pooling_convention", "same"}}, {{1, 2, 6}}},
      {"Pooling", {{"kernel", {2, 2}}, {"pool_type", "lp"}, {"p_value", 2}}, {{1, 1, 3, 3}}},
      {"Pooling", {{"global_pool", true}, {"pool_type", "max"}}, {{2, 3, 3, 4}}},
      {"Pooling", {{"global_pool", true}, {"pool_type", "avg"}}, {{1, 2, 5}}},
      {"Reshape", {{"shape", {0, -1}}}, {{2, 3, 2}}},
      {"Reshape", {{"shape", {-3, -4, 1, -1}}}, {{2, 3, 4}}},
      {"SVMOutput", {}, {{3, 4}, {}}, {{1, {0, 3, 1}}}},
      {"SVMOutput", {{"use_linear", true}, {"margin", 0.5}}, {{3, 4}, {}}, {{1, {0, 3, 1}}}},
      {"SliceChannel", {{"num_outputs", 2}}, {{2, 4, 3}}},
      {"SliceChannel", {{"num_outputs", 3}, {"axis", 2}, {"squeeze_axis", true}}, {{2, 4, 3}}},
      {"SoftmaxOutput", {}, {{3, 4}, {}}, {{1, {0, 3, 1}}}},
      {"SoftmaxOutput",
       {{"grad_scale", 0.5}, {"normalization", "batch"}, {"smooth_alpha", 0.1}},
       {{3, 4}, {}},
       {{1, {0, 3, 1}}}},
      {"SoftmaxOutput",
       {{"use_ignore", true}, {"ignore_label", 3}, {"normalization", "valid"}},
       {{3, 4}, {}},
       {{1, {0, 3, 1}}}},
      {"SoftmaxOutput", {}, {{2, 11}, {}}, {{1, {10, 3}}}},
      {"SoftmaxOutput", {{"multi_output", true}}, {{2, 3, 2}, {}}, {{1, {0, 2, 1, 1}}}},
      {"SoftmaxOutput",
       {{"multi_output", true}, {"use_ignore", true}, {"normalization", "valid"}},
       {{2, 3, 2}, {}},
       {{1, {0, -1, 1, 2}}}},
      {"SoftmaxOutput", {{"preserve_shape", true}}, {{2, 2, 3}, {}}, {{1, {0, 2, 1, 1}}}},
      {"SoftmaxOutput",
       {{"preserve_shape", true}, {"normalization", "batch"}},
       {{2, 2, 3}, {}},
       {{1, {0, 2, 1, 1}}}},
      {"SoftmaxOutput", {}, {{2, 2}, {2, 2}}, {{1, {0.3, 0.7, 1, 0}}}},
      {"SwapAxis", {{"dim1", 0}, {"dim2", 2}}, {{2, 3, 4}}},
      {"_div_scalar", {{"scalar", 3.0}}, {{2, 3}}},
      {"_maximum_scalar", {{"scalar", 0.2}}, {{2, 3}}},
      {"_minimum_scalar", {{"scalar", 0.2}}, {{2, 3}}},
      {"_minus_scalar", {{"scalar", 3.0}}, {{2, 3}}},
      {"_mul_scalar", {{"scalar", 3.0}}, {{2, 3}}},
      {"_plus_scalar", {{"scalar", 3.0}}, {{2, 3}}},
      {"_power_scalar", {{"scalar", 1.5}}, {{2, 3}}, {}, true},
      {"_rdiv_scalar", {{"scalar", 3.0}}, {{2, 3}}, {}, true},
      {"_rminus_scalar", {{"scalar", 3.0}}, {{2, 3}}},
      {"_rpower_scalar", {{"scalar", 3.0}}, {{2, 3}}},
      {"abs", {}, {{2, 3}}},
      {"add_n", {{"num_args", 3}}, {{2, 3}, {2, 3}, {2, 3}}},
      {"broadcast_add", {}, {{2, 3}, {1, 3}}},
      {"broadcast_add", {}, {{4, 1}, {1}}},
      {"broadcast_axis", {{"axis", {0, 2}}, {"size", {3, 2}}}, {{1, 3, 1}}},
      {"broadcast_div", {}, {{2, 3}, {2, 1}}, {}, true},
      {"broadcast_maximum", {}, {{2, 3}, {1, 3}}},
      {"broadcast_minimum", {}, {{2, 3}, {1, 3}}},
      {"broadcast_mul", {}, {{2, 1, 3}, {1, 4, 1}}},
      {"broadcast_sub", {}, {{1, 3}, {2, 3}}},
      {"broadcast_to", {{"shape", {4, 0}}}, {{1, 3}}},
      {"clip", {{"a_min", -0.5}, {"a_max", 0.7}}, {{3, 4}}},
      {"dot", {}, {{3, 4}, {4, 2}}},
      {"dot", {{"transpose_a", true}}, {{4, 3}, {4, 2}}},
      {"dot", {{"transpose_b", true}}, {{3, 4}, {2, 4}}},
      {"dot", {{"transpose_a", true}, {"transpose_b", true}}, {{4, 3}, {2, 4}}},
      {"dot", {}, {{2, 3, 4}, {4, 2}}},
      {"elemwise_add", {}, {{2, 3}, {2, 3}}},
      {"elemwise_div", {}, {{2, 3}, {2, 3}}, {}, true},
      {"elemwise_mul", {}, {{2, 3}, {2, 3}}},
      {"elemwise_sub", {}, {{2, 3}, {2, 3}}},
      {"exp", {}, {{2, 3}}},
      {"expand_dims", {{"axis", 1}}, {{2, 3}}},
      {"expm1", {}, {{2, 3}}},
      {"identity", {}, {{2, 3}}},
      {"log", {}, {{2, 3}}, {}, true},
      {"log1p", {}, {{2, 3}}, {}, true},
      {"log_softmax", {}, {{2, 3}}},
      {"log_softmax", {{"axis", 1}, {"temperature", 2.0}}, {{2, 3, 2}}},
      {"max", {{"axis", 1}}, {{2, 3}}},
      {"mean", {}, {{2, 3}}},
      {"mean", {{"axis", 1}, {"exclude", true}}, {{2, 3, 2}}},
      {"min", {{"axis", 0}, {"keepdims", true}}, {{4, 3}}},
      {"negative", {}, {{2, 3}}},
      {"reciprocal", {}, {{2, 3}}, {}, true},
      {"relu", {}, {{2, 3}}},
      {"rsqrt", {}, {{2, 3}}, {}, true},
      {"sigmoid", {}, {{2, 3}}},
      {"sign", {}, {{2, 3}}},
      {"slice", {{"begin", "(0, 1)"}, {"end", "(2, None)"}}, {{3, 4}}},
      {"slice", {{"begin", "(None, 3)"}, {"end", "(None, 0)"}, {"step", "(1, -2)"}}, {{3, 4}}},
      {"slice", {{"begin", "(5,)"}, {"end", "(-10,)"}, {"step", "(-1,)"}}, {{3, 2}}},
      {"slice_axis", {{"axis", 1}, {"begin", -3}, {"end", -1}}, {{2, 5, 2}}},
      {"smooth_l1", {{"scalar", 2.0}}, {{3, 4}}},
      {"softmax", {}, {{2, 3}}},
      {"softmax", {{"axis", 1}}, {{2, 3, 2}}},
      {"softmax", {{"use_length", true}}, {{2, 4}, {}}, {{1, {3, 1}}}},
      {"softmax",
       {{"use_length", true}, {"axis", 1}, {"temperature", 0.5}},
       {{1, 3, 2}, {}},
       {{1, {2, 3}}}},
      {"softsign", {}, {{2, 3}}},
      {"sqrt", {}, {{2, 3}}, {}, true},
      {"square", {}, {{2, 3}}},
      {"squeeze", {}, {{2, 1, 3, 1}}},
      {"squeeze", {{"axis", -3}}, {{2, 1, 3, 1}}},
      {"sum", {{"axis", {0, 2}}}, {{2, 3, 2}}},
      {"sum", {{"axis", 1}, {"keepdims", true}}, {{2, 3}}},
      {"sum", {}, {{1, 3, 2}}},
      {"tanh", {}, {{2, 3}}},
      {"transpose", {}, {{2, 3, 4}}},
      {"transpose", {{"axes", {1, 2, 0}}}, {{2, 3, 4}}},
  };
  return all;
}

/// An operator with memory for its inputs and outputs.
struct Bench {
  std::unique_ptr<Operator<double>> op;
  Shapes shapes;
  std::vector<std::vector<double>> in, out, aux, out_grad, in_grad;

  explicit Bench(const Case& c) {
    op = find_operator(c.op)->make_double(c.attributes, c.op);
    shapes.in = c.in;
    shapes.out.resize(op->outputs().size());
    shapes.aux.resize(op->auxiliaries().size());
    op->infer(shapes);
    op->bind(shapes);
    const CounterRandom random(7, 1);
    std::uint64_t counter = 0;
    const auto draw = [&](const Shape& shape, bool positive) {
      EXPECT_TRUE(known(shape)) << c.op << ": " << text(shape);
      std::vector<double> values(static_cast<std::size_t>(size_of(shape)));
      for (double& v : values)
        v = positive ? 0.5 + random.uniform(counter++) : random.normal(counter++);
      return values;
    };
    for (std::size_t i = 0; i < shapes.in.size(); ++i)
      in.push_back(c.given.count(i) ? c.given.at(i) : draw(shapes.in[i], c.positive));
    for (const Shape& shape : shapes.out) {
      out.push_back(draw(shape, false));
      out_grad.push_back(draw(shape, false));
    }
    for (const Shape& shape : shapes.aux) aux.push_back(draw(shape, true));
    for (const auto& values : in) in_grad.emplace_back(values.size(), 0.0);
  }

  template <class Body>
  auto with_call(const Body& body) {
    std::vector<Source<double>> sources, grads;
    std::vector<Target<double>> targets, states, in_grads;
    for (std::size_t i = 0; i < in.size(); ++i) {
      sources.push_back({in[i].data(), shapes.in[i], nullptr});
      in_grads.push_back({in_grad[i].data(), shapes.in[i]});
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
      targets.push_back({out[i].data(), shapes.out[i]});
      grads.push_back({out_grad[i].data(), shapes.out[i], nullptr});
    }
    for (std::size_t i = 0; i < aux.size(); ++i) states.push_back({aux[i].data(), shapes.aux[i]});
    Call<double> call;
    call.in = sources;
    call.out = targets;
    call.aux = states;
    call.out_grad = grads;
    call.in_grad = in_grads;
    call.random = CounterRandom(3, 5);
    return body(call);
  }
  void forward() {
    if (op->is_view())
      out[0] = in[0];
    else
      with_call([&](const Call<double>& c) { op->forward(c); });
  }
  /// The function whose gradient backward() gives.
  double value() {
    forward();
    if (op->is_loss()) return with_call([&](const Call<double>& c) { return op->loss(c); });
    double sum = 0;
    for (std::size_t k = 0; k < out.size(); ++k)
      for (std::size_t i = 0; i < out[k].size(); ++i) sum += out_grad[k][i] * out[k][i];
    return sum;
  }
};

}  // namespace svrg::ops
