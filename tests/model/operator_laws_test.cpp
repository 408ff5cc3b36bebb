// Laws that hold for all operators, the shapes they infer, and what they say of mistakes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "model/operator_bench.hpp"
#include "svrg/model/instruction_set.hpp"

namespace svrg::ops {
namespace {

using Numbers = std::vector<double>;

Shape inferred(const char* op, const Options& attributes, std::vector<Shape> in) {
  const auto made = find_operator(op)->make_double(attributes, op);
  Shapes s{std::move(in), {}, {}};
  s.in.resize(made->inputs().size());
  s.out.resize(made->outputs().size());
  s.aux.resize(made->auxiliaries().size());
  made->infer(s);
  return s.out[0];
}

TEST(OperatorLaws, float_and_double_say_the_same) {
  for (const Case& c : cases()) {
    Bench bench(c);
    bench.forward();
    const auto op = find_operator(c.op)->make_float(c.attributes, c.op);
    if (op->is_view()) continue;
    op->bind(bench.shapes);
    const auto narrow = [](const std::vector<Numbers>& all) {
      std::vector<std::vector<float>> out;
      for (const auto& v : all) out.emplace_back(v.begin(), v.end());
      return out;
    };
    auto in = narrow(bench.in), out = narrow(bench.out), aux = narrow(bench.aux);
    for (auto& values : out) std::fill(values.begin(), values.end(), NAN);
    std::vector<Source<float>> sources;
    std::vector<Target<float>> targets, states;
    for (std::size_t k = 0; k < in.size(); ++k)
      sources.push_back({in[k].data(), bench.shapes.in[k], nullptr});
    for (std::size_t k = 0; k < out.size(); ++k)
      targets.push_back({out[k].data(), bench.shapes.out[k]});
    for (std::size_t k = 0; k < aux.size(); ++k)
      states.push_back({aux[k].data(), bench.shapes.aux[k]});
    Call<float> call;
    call.in = sources;
    call.out = targets;
    call.aux = states;
    call.random = CounterRandom(3, 5);
    op->forward(call);
    const auto expect_near = [&](const auto& single, const auto& twice) {
      for (std::size_t k = 0; k < single.size(); ++k)
        for (std::size_t i = 0; i < single[k].size(); ++i)
          EXPECT_NEAR(single[k][i], twice[k][i], 2e-5 * std::max(1.0, std::abs(twice[k][i])))
              << c.op;
    };
    expect_near(out, bench.out);
    bench.with_call([&](const Call<double>& whole) { bench.op->backward(whole); });
    auto out_grad = narrow(bench.out_grad), in_grad = narrow(bench.in);
    std::vector<Source<float>> grads;
    std::vector<Target<float>> sums;
    for (std::size_t k = 0; k < out.size(); ++k)
      grads.push_back({out_grad[k].data(), bench.shapes.out[k], nullptr});
    for (std::size_t k = 0; k < in.size(); ++k) {
      std::fill(in_grad[k].begin(), in_grad[k].end(), 0.F);
      sums.push_back({in_grad[k].data(), bench.shapes.in[k]});
    }
    call.out_grad = grads;
    call.in_grad = sums;
    op->backward(call);
    expect_near(in_grad, bench.in_grad);
  }
}

TEST(OperatorLaws, a_gradient_that_begins_is_written_whatever_was_there) {
  for (const Case& c : cases()) {
    Bench added(c), begun(c);
    if (!added.op->begins_gradients()) continue;
    for (Bench* b : {&added, &begun}) b->forward();
    added.with_call([&](const Call<double>& call) { added.op->backward(call); });
    for (auto& grad : begun.in_grad) std::fill(grad.begin(), grad.end(), NAN);
    begun.with_call([&](Call<double> call) {
      std::vector<Target<double>> grads(call.in_grad.begin(), call.in_grad.end());
      for (std::size_t k = 0; k < grads.size(); ++k) {
        grads[k].begins = true;
        if (c.given.count(k)) grads[k].data = nullptr;
      }
      call.in_grad = grads;
      begun.op->backward(call);
    });
    for (std::size_t k = 0; k < added.in.size(); ++k)
      if (!c.given.count(k)) {
        EXPECT_EQ(begun.in_grad[k], added.in_grad[k]) << c.op << " input " << k;
      }
  }
}

TEST(OperatorLaws, every_instruction_set_says_the_same) {
  const std::string_view best = instruction_set();
  for (const Case& c : cases()) {
    use_instruction_set("plain");
    Bench plain(c);
    plain.forward();
    plain.with_call([&](const Call<double>& call) { plain.op->backward(call); });
    for (const std::string_view set : instruction_sets()) {
      use_instruction_set(set);
      Bench bench(c);
      bench.forward();
      bench.with_call([&](const Call<double>& call) { bench.op->backward(call); });
      const auto expect_near = [&](const std::vector<Numbers>& a, const std::vector<Numbers>& b) {
        for (std::size_t k = 0; k < a.size(); ++k)
          for (std::size_t i = 0; i < a[k].size(); ++i)
            EXPECT_NEAR(a[k][i], b[k][i], 1e-13 * std::max(1.0, std::abs(b[k][i])))
                << c.op << " " << set;
      };
      expect_near(bench.out, plain.out);
      expect_near(bench.in_grad, plain.in_grad);
    }
  }
  use_instruction_set(best);
}

TEST(OperatorLaws, losses_weigh_their_gradient) {
  for (const Case& c : cases()) {
    Bench once(c), weighed(c);
    if (!once.op->is_loss()) continue;
    for (Bench* b : {&once, &weighed}) b->forward();
    once.with_call([&](const Call<double>& call) { once.op->backward(call); });
    weighed.with_call([&](Call<double> call) {
      call.loss_weight = -0.5;
      weighed.op->backward(call);
    });
    for (double& v : once.in_grad[0]) v *= -0.5;
    EXPECT_EQ(weighed.in_grad[0], once.in_grad[0]) << c.op;
  }
}

TEST(OperatorLaws, gradients_that_nobody_wants_or_gives_change_nothing) {
  for (const Case& c : cases()) {
    Bench all(c);
    all.forward();
    all.with_call([&](const Call<double>& call) { all.op->backward(call); });
    for (std::size_t wanted = 0; wanted < all.in.size(); ++wanted) {
      Bench one(c);
      one.forward();
      one.with_call([&](Call<double> call) {
        std::vector<Target<double>> grads(call.in_grad.begin(), call.in_grad.end());
        for (std::size_t k = 0; k < grads.size(); ++k)
          if (k != wanted) grads[k].data = nullptr;
        call.in_grad = grads;
        one.op->backward(call);
      });
      EXPECT_EQ(one.in_grad[wanted], all.in_grad[wanted]) << c.op << " input " << wanted;
    }
    if (all.op->is_loss()) continue;
    Bench none(c);
    none.forward();
    none.with_call([&](Call<double> call) {
      std::vector<Source<double>> grads(call.out_grad.begin(), call.out_grad.end());
      for (auto& grad : grads) grad.data = nullptr;
      call.out_grad = grads;
      none.op->backward(call);
    });
    for (const auto& grad : none.in_grad) EXPECT_EQ(grad, Numbers(grad.size(), 0.0)) << c.op;
  }
}

TEST(OperatorLaws, what_is_inferred_of_an_unknown_extent_agrees_with_the_known_one) {
  for (const Case& c : cases()) {
    Bench bench(c);
    for (std::size_t axis = 0; axis < c.in[0].size(); ++axis) {
      Shapes partial;
      partial.in = c.in;
      partial.in[0][axis] = 0;
      partial.out.resize(bench.out.size());
      partial.aux.resize(bench.aux.size());
      Shapes nothing = partial;
      for (Shape& shape : nothing.in) shape.clear();
      EXPECT_NO_THROW(bench.op->infer(nothing)) << c.op;
      ASSERT_NO_THROW(bench.op->infer(partial)) << c.op << " axis " << axis;
      for (std::size_t k = 0; k < bench.in.size(); ++k) {
        Shape full = bench.shapes.in[k];
        EXPECT_NO_THROW(unify(partial.in[k], full, "input")) << c.op << " axis " << axis;
      }
      for (std::size_t k = 0; k < bench.out.size(); ++k) {
        Shape full = bench.shapes.out[k];
        EXPECT_NO_THROW(unify(partial.out[k], full, "output")) << c.op << " axis " << axis;
      }
    }
  }
}

TEST(OperatorShapes, are_those_of_the_original) {
  EXPECT_EQ(inferred("FullyConnected", {{"num_hidden", 7}}, {{4, 2, 3}}), (Shape{4, 7}));
  EXPECT_EQ(inferred("FullyConnected", {{"num_hidden", 7}, {"flatten", false}}, {{4, 2, 3}}),
            (Shape{4, 2, 7}));
  EXPECT_EQ(inferred("Flatten", {}, {{4, 2, 3}}), (Shape{4, 6}));
  EXPECT_EQ(inferred("Flatten", {}, {{0, 2, 3}}), (Shape{0, 6}));
  const Shape x{2, 3, 4, 5};
  EXPECT_EQ(inferred("Reshape", {{"shape", {0, 0, 20}}}, {x}), (Shape{2, 3, 20}));
  EXPECT_EQ(inferred("Reshape", {{"shape", {-1, 5}}}, {x}), (Shape{24, 5}));
  EXPECT_EQ(inferred("Reshape", {{"shape", {2, -2}}}, {x}), x);
  EXPECT_EQ(inferred("Reshape", {{"shape", {-3, -3}}}, {x}), (Shape{6, 20}));
  EXPECT_EQ(inferred("Reshape", {{"shape", {0, 0, -4, 2, -1, 0}}}, {x}), (Shape{2, 3, 2, 2, 5}));
  EXPECT_EQ(inferred("transpose", {{"axes", {0, 2, 3, 1}}}, {x}), (Shape{2, 4, 5, 3}));
  EXPECT_EQ(inferred("SwapAxis", {{"dim1", 1}, {"dim2", 3}}, {x}), (Shape{2, 5, 4, 3}));
  EXPECT_EQ(inferred("squeeze", {{"axis", {0, 2}}}, {{1, 1, 1, 4}}), (Shape{1, 4}));
  EXPECT_EQ(inferred("expand_dims", {{"axis", -1}}, {{2, 3}}), (Shape{2, 3, 1}));
  EXPECT_EQ(inferred("Concat", {{"num_args", 2}}, {{2, 3}, {2, 0}}), (Shape{2, 0}));
  EXPECT_EQ(inferred("SliceChannel", {{"num_outputs", 3}, {"squeeze_axis", true}}, {{2, 3, 4}}),
            (Shape{2, 4}));
  EXPECT_EQ(inferred("slice_axis", {{"axis", -1}, {"begin", -2}, {"end", "None"}}, {x}),
            (Shape{2, 3, 4, 2}));
  EXPECT_EQ(inferred("Embedding", {{"input_dim", 9}, {"output_dim", 3}}, {{2, 4}}),
            (Shape{2, 4, 3}));
  EXPECT_EQ(inferred("dot", {}, {{3}, {3}}), (Shape{1}));
  EXPECT_EQ(inferred("dot", {}, {{2, 3, 4}, {4, 5, 6}}), (Shape{2, 3, 5, 6}));
  EXPECT_EQ(inferred("broadcast_mul", {}, {{2, 1, 4}, {1, 3, 1}}), (Shape{2, 3, 4}));
  EXPECT_EQ(inferred("sum", {}, {x}), (Shape{1}));
  EXPECT_EQ(inferred("mean", {{"axis", {1, -1}}, {"keepdims", true}}, {x}), (Shape{2, 1, 4, 1}));
  EXPECT_EQ(inferred("max", {{"axis", 1}, {"exclude", true}}, {x}), (Shape{3}));
  // floor((7 + 2·1 − (2·2 + 1))/2) + 1 by floor((9 − 3)/3) + 1
  EXPECT_EQ(inferred("Convolution",
                     {{"kernel", {3, 3}},
                      {"num_filter", 8},
                      {"stride", {2, 3}},
                      {"pad", {1, 0}},
                      {"dilate", {2, 1}}},
                     {{2, 3, 7, 9}}),
            (Shape{2, 8, 3, 3}));
  const auto pooled = [](const char* convention) {
    return inferred("Pooling",
                    {{"kernel", {2}}, {"stride", {3}}, {"pooling_convention", convention}},
                    {{1, 2, 6}});
  };
  EXPECT_EQ(pooled("valid"), (Shape{1, 2, 2}));
  EXPECT_EQ(pooled("full"), (Shape{1, 2, 3}));
  EXPECT_EQ(pooled("same"), (Shape{1, 2, 2}));
}

TEST(OperatorShapes, of_elementwise_operators_follow_from_the_output_too) {
  for (const char* op : {"relu", "elemwise_add", "Activation", "BatchNorm"}) {
    const Options attributes =
        std::string(op) == "Activation" ? Options{{"act_type", "tanh"}} : Options{};
    const auto made = find_operator(op)->make_double(attributes, op);
    Shapes s;
    s.in.resize(made->inputs().size());
    s.aux.resize(made->auxiliaries().size());
    s.out = {{2, 3}};
    made->infer(s);
    EXPECT_EQ(s.in[0], (Shape{2, 3})) << op;
  }
}

TEST(OperatorErrors, name_the_attribute_or_the_input_that_is_wrong) {
  const auto says = [](const char* op, const Options& attributes, std::vector<Shape> in,
                       const std::string& word) {
    try {
      inferred(op, attributes, std::move(in));
    } catch (const ConfigError& e) {
      EXPECT_NE(std::string(e.what()).find(word), std::string::npos) << op << ": " << e.what();
      return;
    }
    ADD_FAILURE() << op << " was taken";
  };
  says("FullyConnected", {}, {}, "num_hidden is required");
  says("FullyConnected", {{"num_hidden", 3}}, {{2, 4}, {3, 5}, {}}, "weight: shape (3, 5)");
  says("FullyConnected", {{"num_hidden", 3}, {"hidden", 3}}, {}, "hidden is not known");
  says("Activation", {{"act_type", "swish"}}, {}, "act_type must be one of relu");
  says("Convolution", {{"kernel", {3, 3}}, {"num_filter", 3}, {"num_group", 2}}, {}, "num_group");
  says("Pooling", {{"kernel", {2}}, {"pad", {1}}, {"pooling_convention", "same"}}, {}, "pad");
  says("Dropout", {{"p", 1.5}}, {}, "p must be in");
  says("softmax", {{"axis", 2}, {"use_length", true}}, {{2, 3}}, "axis: 2");
  says("broadcast_add", {}, {{2, 3}, {2, 4}}, "lhs (2, 3) and rhs (2, 4)");
  says("broadcast_axis", {{"axis", {0, 1}}, {"size", 3}}, {}, "size");
  says("broadcast_to", {{"shape", {2, 5}}}, {{2, 3}}, "(2, 3) cannot be repeated to (2, 5)");
  says("squeeze", {{"axis", 0}}, {{2, 3}}, "axis: (2, 3)");
  says("SliceChannel", {{"num_outputs", 2}, {"squeeze_axis", true}}, {{2, 4}}, "squeeze_axis");
  says("SliceChannel", {{"num_outputs", 3}}, {{2, 4}}, "num_outputs");
  says("Concat", {{"num_args", 2}}, {{2, 3}, {3, 3}}, "inputs");
  says("transpose", {{"axes", {0, 0}}}, {{2, 3}}, "axes");
  says("Reshape", {{"shape", {4, 2}}}, {{2, 3}}, "shape: (2, 3) cannot become (4, 2)");
  says("LinearRegressionOutput", {}, {{2, 3}, {2, 4}}, "label");
  says("SoftmaxOutput", {}, {{2, 3}, {4}}, "label");
}

}  // namespace
}  // namespace svrg::ops
