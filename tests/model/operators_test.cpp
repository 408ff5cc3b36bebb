// Every operator of the list: its gradient against finite differences in double.
#include "model/operator_bench.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace svrg::ops {
namespace {

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
