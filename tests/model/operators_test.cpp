// Every operator of the list: its gradient against finite differences in double.
#include "model/operators/operator.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace svrg::ops {
namespace {

struct Case {
  std::string op;
  Options attributes;
  std::vector<Shape> in;
  /// Given inputs by position (labels, row numbers); they have no gradient.
  std::map<std::size_t, std::vector<double>> given{};
  bool positive = false;  // the function is defined for positive numbers
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"Activation", {{"act_type", "relu"}}, {{3, 4}}},
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
      {"Dropout", {{"p", 0.4}}, {{5, 4}}},
      {"Dropout", {{"p", 0.4}, {"axes", {1}}}, {{3, 4, 2}}},
      {"Dropout", {{"p", 0.0}}, {{5, 4}}},
      {"Embedding", {{"input_dim", 5}, {"output_dim", 3}}, {{4}, {}}, {{0, {0, 4, 4, 2}}}},
      {"Flatten", {}, {{2, 3, 2}}},
      {"FullyConnected", {{"num_hidden", 3}}, {{4, 2, 2}, {}, {}}},
      {"FullyConnected", {{"num_hidden", 3}, {"no_bias", true}}, {{1, 5}, {}}},
      {"FullyConnected", {{"num_hidden", 3}, {"flatten", false}}, {{2, 3, 4}, {}, {}}},
      {"L2Normalization", {}, {{2, 3, 4}}},
      {"L2Normalization", {{"mode", "channel"}}, {{2, 3, 4}}},
      {"L2Normalization", {{"mode", "spatial"}}, {{2, 3, 4}}},
      {"LeakyReLU", {{"act_type", "leaky"}, {"slope", 0.1}}, {{3, 4}}},
      {"LeakyReLU", {{"act_type", "elu"}}, {{3, 4}}},
      {"LeakyReLU", {{"act_type", "selu"}}, {{3, 4}}},
      {"LeakyReLU", {{"act_type", "gelu"}}, {{3, 4}}},
      {"LeakyReLU", {{"act_type", "prelu"}}, {{3, 2, 4}, {}}},
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
      {"Pooling", {{"kernel", {2, 2}}, {"stride", {2, 2}}}, {{2, 2, 5, 4}}},
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
      {"Pooling", {{"kernel", {2, 2}}, {"pool_type", "lp"}, {"p_value", 2}}, {{1, 1, 3, 3}}},
      {"Pooling", {{"global_pool", true}, {"pool_type", "max"}}, {{2, 3, 3, 4}}},
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
      {"SoftmaxOutput", {{"multi_output", true}}, {{2, 3, 2}, {}}, {{1, {0, 2, 1, 1}}}},
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
      {"broadcast_div", {}, {{2, 3}, {2, 1}}, {}, true},
      {"broadcast_maximum", {}, {{2, 3}, {1, 3}}},
      {"broadcast_minimum", {}, {{2, 3}, {1, 3}}},
      {"broadcast_mul", {}, {{2, 1, 3}, {1, 4, 1}}},
      {"broadcast_sub", {}, {{1, 3}, {2, 3}}},
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
      {"softsign", {}, {{2, 3}}},
      {"sqrt", {}, {{2, 3}}, {}, true},
      {"square", {}, {{2, 3}}},
      {"sum", {{"axis", {0, 2}}}, {{2, 3, 2}}},
      {"sum", {{"axis", 1}, {"keepdims", true}}, {{2, 3}}},
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

TEST(Operators, gradients_are_those_of_finite_differences) {
  for (const Case& c : cases()) {
    Bench bench(c);
    bench.forward();
    bench.with_call([&](const Call<double>& call) { bench.op->backward(call); });
    for (std::size_t k = 0; k < bench.in.size(); ++k) {
      if (c.given.count(k)) continue;
      for (std::size_t i = 0; i < bench.in[k].size(); ++i) {
        constexpr double h = 1e-6;
        const double x = bench.in[k][i];
        bench.in[k][i] = x + h;
        const double above = bench.value();
        bench.in[k][i] = x - h;
        const double below = bench.value();
        bench.in[k][i] = x;
        const double expected = (above - below) / (2 * h);
        EXPECT_NEAR(bench.in_grad[k][i], expected, 2e-7 * std::max(1.0, std::abs(expected)) + 1e-8)
            << c.op << " input " << k << " element " << i;
      }
    }
  }
}

TEST(Operators, gradients_are_added_to_what_is_there) {
  for (const Case& c : cases()) {
    Bench once(c), twice(c);
    once.forward();
    once.with_call([&](const Call<double>& call) { once.op->backward(call); });
    twice.forward();
    for (int k = 0; k < 2; ++k)
      twice.with_call([&](const Call<double>& call) { twice.op->backward(call); });
    for (std::size_t k = 0; k < once.in.size(); ++k)
      for (std::size_t i = 0; i < once.in[k].size(); ++i)
        EXPECT_NEAR(twice.in_grad[k][i], 2 * once.in_grad[k][i], 1e-12) << c.op;
  }
}

TEST(Operators, each_name_of_the_list_has_a_gradient_test) {
  std::set<std::string> tested{"BlockGrad"};  // its gradient is none, see below
  for (const Case& c : cases()) tested.insert(c.op);
  for (const std::string_view name : operator_names())
    EXPECT_TRUE(tested.count(std::string(canonical_name(name)))) << name;
}

TEST(Operators, blocked_gradients_stay_behind) {
  Bench bench({"BlockGrad", {}, {{2, 3}}});
  bench.forward();
  bench.with_call([&](const Call<double>& call) { bench.op->backward(call); });
  EXPECT_EQ(bench.in_grad[0], std::vector<double>(6, 0.0));
}

TEST(Operators, what_backward_does_not_declare_it_does_not_read) {
  for (const Case& c : cases()) {
    Bench honest(c), spoiled(c);
    for (Bench* b : {&honest, &spoiled}) b->forward();
    for (std::size_t k = 0; k < spoiled.in.size(); ++k)
      if (!spoiled.op->backward_reads_input(k))
        std::fill(spoiled.in[k].begin(), spoiled.in[k].end(), NAN);
    if (!spoiled.op->backward_reads_output())
      for (auto& out : spoiled.out) std::fill(out.begin(), out.end(), NAN);
    for (Bench* b : {&honest, &spoiled})
      b->with_call([&](const Call<double>& call) { b->op->backward(call); });
    EXPECT_EQ(honest.in_grad, spoiled.in_grad) << c.op;
  }
}

TEST(Operators, a_dropout_mask_belongs_to_the_row_not_to_its_place_in_the_batch) {
  const Case c{"Dropout", {{"p", 0.5}}, {{4, 8}}};
  Bench all(c), later({"Dropout", {{"p", 0.5}}, {{2, 8}}});
  std::fill(all.in[0].begin(), all.in[0].end(), 1.0);
  std::fill(later.in[0].begin(), later.in[0].end(), 1.0);
  all.forward();
  const std::vector<Index> rows{2, 3};
  later.with_call([&](Call<double> call) {
    call.global_rows = rows;
    later.op->forward(call);
  });
  EXPECT_TRUE(std::equal(later.out[0].begin(), later.out[0].end(), all.out[0].begin() + 16));
  for (const double v : all.out[0]) EXPECT_TRUE(v == 0 || v == 2);
}

TEST(Operators, batch_norm_moves_running_statistics_by_the_share_that_momentum_leaves) {
  Bench bench({"BatchNorm", {{"momentum", 0.75}}, {{4, 1}, {}, {}}});
  bench.in[0] = {1, 2, 3, 6};  // mean 3, variance 3.5
  bench.aux = {{1}, {1}};
  bench.forward();
  EXPECT_EQ(bench.aux[0][0], 1) << "not moved unless asked to";
  bench.with_call([&](Call<double> call) {
    call.move_aux = true;
    bench.op->forward(call);
  });
  EXPECT_DOUBLE_EQ(bench.aux[0][0], 0.75 * 1 + 0.25 * 3);
  EXPECT_DOUBLE_EQ(bench.aux[1][0], 0.75 * 1 + 0.25 * 3.5);
}

TEST(Operators, losses_are_exact_where_outputs_saturate) {
  const auto loss_in_float = [](const char* op, std::vector<float> x, std::vector<float> label) {
    const Definition& definition = *find_operator(op);
    const auto made = definition.make_float({}, op);
    Shapes shapes{{{1, static_cast<Index>(x.size())}, {}}, {{}}, {}};
    made->infer(shapes);
    made->bind(shapes);
    std::vector<float> out(x.size());
    const std::vector<Source<float>> in{{x.data(), shapes.in[0], nullptr},
                                        {label.data(), shapes.in[1], nullptr}};
    const std::vector<Target<float>> outputs{{out.data(), shapes.out[0]}};
    Call<float> call;
    call.in = in;
    call.out = outputs;
    made->forward(call);
    return made->loss(call);
  };
  EXPECT_NEAR(loss_in_float("LogisticRegressionOutput", {20}, {0}), 20, 1e-6);
  EXPECT_NEAR(loss_in_float("LogisticRegressionOutput", {-50}, {1}), 50, 1e-6);
  EXPECT_NEAR(loss_in_float("SoftmaxOutput", {120, 0}, {1}), 120, 1e-5);
}

TEST(Operators, numbers_that_are_none_stay_visible) {
  for (const Case& c : {Case{"relu", {}, {{2}}}, Case{"Activation", {{"act_type", "relu"}}, {{2}}},
                        Case{"Pooling", {{"kernel", {2}}}, {{1, 1, 2}}}}) {
    Bench bench(c);
    bench.in[0] = {NAN, 1};
    bench.forward();
    EXPECT_TRUE(std::isnan(bench.out[0][0])) << c.op;
  }
}

TEST(Operators, attributes_without_sense_are_refused) {
  const auto refused = [](const char* op, const Options& attributes, std::vector<Shape> in) {
    try {
      Bench bench({op, attributes, std::move(in)});
    } catch (const ConfigError&) {
      return true;
    }
    return false;
  };
  const Shape image{1, 1, 7, 7};
  EXPECT_TRUE(refused("Convolution", {{"kernel", {3, 3}}, {"num_filter", 1}, {"stride", 2}},
                      {image, {}, {}}));
  EXPECT_TRUE(refused("Convolution", {{"kernel", {3, 3}}, {"num_filter", 1}, {"dilate", {0, 1}}},
                      {image, {}, {}}));
  EXPECT_TRUE(refused("Convolution", {{"kernel", {3, 3}}, {"num_filter", 1}, {"pad", {-1, 0}}},
                      {image, {}, {}}));
  EXPECT_TRUE(refused("Pooling", {{"kernel", {0, 2}}}, {image}));
  EXPECT_TRUE(refused("Pooling", {{"kernel", {2, 2}}, {"stride", {0, 1}}}, {image}));
  EXPECT_TRUE(refused("Pooling", {{"kernel", {9, 9}}}, {image}));
  EXPECT_TRUE(refused("clip", {{"a_min", 0}}, {{2, 2}}));
  EXPECT_TRUE(refused("Reshape", {{"shape", {-1, -1}}}, {{2, 3}}));
  EXPECT_TRUE(refused("slice", {{"begin", {0, 0, 0}}, {"end", {1, 1, 1}}}, {{2, 3}}));
  EXPECT_TRUE(refused("Embedding", {{"input_dim", 2}, {"output_dim", 2}, {"sparse_grad", true}},
                      {{2}, {}}));
}

TEST(Operators, convolution_is_the_sum_over_its_window) {
  Bench bench({"Convolution",
               {{"kernel", {2, 3}},
                {"num_filter", 2},
                {"stride", {2, 1}},
                {"pad", {1, 1}},
                {"dilate", {2, 1}}},
               {{1, 2, 5, 4}, {}, {}}});
  bench.forward();
  const Shape &x = bench.shapes.in[0], &y = bench.shapes.out[0];
  for (Index f = 0; f < 2; ++f)
    for (Index oy = 0; oy < y[2]; ++oy)
      for (Index ox = 0; ox < y[3]; ++ox) {
        double sum = bench.in[2][static_cast<std::size_t>(f)];
        for (Index ch = 0; ch < 2; ++ch)
          for (Index ky = 0; ky < 2; ++ky)
            for (Index kx = 0; kx < 3; ++kx) {
              const Index iy = 2 * oy - 1 + 2 * ky, ix = ox - 1 + kx;
              if (iy < 0 || iy >= x[2] || ix < 0 || ix >= x[3]) continue;
              sum += bench.in[0][static_cast<std::size_t>((ch * x[2] + iy) * x[3] + ix)] *
                     bench.in[1][static_cast<std::size_t>(((f * 2 + ch) * 2 + ky) * 3 + kx)];
            }
        EXPECT_NEAR(bench.out[0][static_cast<std::size_t>((f * y[2] + oy) * y[3] + ox)], sum,
                    1e-12);
      }
}

}  // namespace
}  // namespace svrg::ops
