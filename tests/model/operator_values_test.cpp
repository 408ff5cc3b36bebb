// What operators say, against their definitions written as plain loops.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "model/operator_bench.hpp"

namespace svrg::ops {
namespace {

using Numbers = std::vector<double>;

Numbers output(const Case& c) {
  Bench bench(c);
  bench.forward();
  return bench.out[0];
}

double at(const Numbers& values, Index i) { return values[static_cast<std::size_t>(i)]; }

TEST(OperatorValues, a_pooled_value_is_that_of_its_window) {
  constexpr Index height = 5, width = 6, kernel = 3, stride = 2, pad = 1;
  for (const bool counts : {true, false})
    for (const char* type : {"max", "avg", "sum"})
      for (const char* convention : {"valid", "full"}) {
        Bench bench({"Pooling",
                     {{"kernel", {kernel, kernel}},
                      {"stride", {stride, stride}},
                      {"pad", {pad, pad}},
                      {"pool_type", type},
                      {"count_include_pad", counts},
                      {"pooling_convention", convention}},
                     {{1, 1, height, width}}});
        bench.forward();
        const Shape& y = bench.shapes.out[0];
        for (Index oy = 0; oy < y[2]; ++oy)
          for (Index ox = 0; ox < y[3]; ++ox) {
            double sum = 0, largest = -INFINITY;
            Index inside = 0, padded = 0;
            for (Index iy = oy * stride - pad; iy < oy * stride - pad + kernel; ++iy)
              for (Index ix = ox * stride - pad; ix < ox * stride - pad + kernel; ++ix) {
                padded += iy < height + pad && ix < width + pad;
                if (iy < 0 || iy >= height || ix < 0 || ix >= width) continue;
                ++inside;
                sum += at(bench.in[0], iy * width + ix);
                largest = std::max(largest, at(bench.in[0], iy * width + ix));
              }
            const std::string t = type;
            const double expected = t == "max"   ? largest
                                    : t == "sum" ? sum
                                                 : sum / double(counts ? padded : inside);
            EXPECT_NEAR(at(bench.out[0], oy * y[3] + ox), expected, 1e-14) << type << convention;
          }
      }
}

TEST(OperatorValues, groups_are_convolutions_of_their_own) {
  const Options common{{"kernel", {2, 3}}, {"pad", {1, 0}}, {"no_bias", true}};
  Options grouped = common, single = common;
  grouped["num_group"] = 2;
  grouped["num_filter"] = 6;
  single["num_filter"] = 3;
  Bench both({"Convolution", grouped, {{1, 4, 3, 5}, {}}});
  both.forward();
  for (std::ptrdiff_t g = 0; g < 2; ++g) {
    Bench one({"Convolution", single, {{1, 2, 3, 5}, {}}});
    std::copy_n(both.in[0].begin() + g * 30, 30, one.in[0].begin());
    std::copy_n(both.in[1].begin() + g * 36, 36, one.in[1].begin());
    one.forward();
    const auto n = static_cast<std::ptrdiff_t>(one.out[0].size());
    for (std::ptrdiff_t i = 0; i < n; ++i)
      EXPECT_NEAR(at(both.out[0], g * n + i), at(one.out[0], i), 1e-13);
  }
}

TEST(OperatorValues, batch_norm_standardises_by_the_batch_or_by_running_statistics) {
  const Case c{"BatchNorm",
               {{"fix_gamma", false}, {"eps", 0.01}, {"output_mean_var", true}},
               {{4, 2, 3}, {}, {}}};
  for (const bool training : {true, false}) {
    Bench b(c);
    b.with_call([&](Call<double> call) {
      call.training = training;
      b.op->forward(call);
    });
    for (Index channel = 0; channel < 2; ++channel) {
      double mean = 0, variance = 0;
      const auto each = [&](auto body) {
        for (Index r = 0; r < 4; ++r)
          for (Index p = 0; p < 3; ++p) body((r * 2 + channel) * 3 + p);
      };
      each([&](Index i) { mean += at(b.in[0], i) / 12; });
      each([&](Index i) { variance += (at(b.in[0], i) - mean) * (at(b.in[0], i) - mean) / 12; });
      if (!training) mean = at(b.aux[0], channel), variance = at(b.aux[1], channel);
      const double std = std::sqrt(variance + 0.01);
      each([&](Index i) {
        EXPECT_NEAR(at(b.out[0], i),
                    at(b.in[1], channel) * (at(b.in[0], i) - mean) / std + at(b.in[2], channel),
                    1e-13);
      });
      EXPECT_NEAR(at(b.out[1], channel), mean, 1e-14);
      EXPECT_NEAR(at(b.out[2], channel), 1 / std, 1e-12) << "the inverse deviation, named var";
    }
  }
}

TEST(OperatorValues, layer_norm_lines_have_mean_beta_and_deviation_gamma) {
  Bench b({"LayerNorm", {{"eps", 0.0}, {"output_mean_var", true}}, {{3, 5}, {}, {}}});
  std::fill(b.in[1].begin(), b.in[1].end(), 2.0);
  std::fill(b.in[2].begin(), b.in[2].end(), 0.5);
  b.forward();
  EXPECT_EQ(b.shapes.out[1], (Shape{3, 1}));
  for (Index r = 0; r < 3; ++r) {
    double mean = 0, square = 0;
    for (Index k = 0; k < 5; ++k) mean += at(b.out[0], r * 5 + k) / 5;
    for (Index k = 0; k < 5; ++k) square += std::pow(at(b.out[0], r * 5 + k) - mean, 2) / 5;
    EXPECT_NEAR(mean, 0.5, 1e-13);
    EXPECT_NEAR(square, 4, 1e-12);
    const double x = at(b.in[0], r * 5);
    EXPECT_NEAR(at(b.out[0], r * 5), 2 * (x - at(b.out[1], r)) / at(b.out[2], r) + 0.5, 1e-13);
  }
}

TEST(OperatorValues, csr_and_dense_rows_have_the_same_product) {
  const Numbers dense{0, 2, 0, 1, 0, 0, 0, 0, 3, 0, -1, 0};  // (3, 4); the middle row is empty
  const Numbers values{2, 1, 3, -1};
  const std::vector<std::int32_t> columns{1, 3, 0, 2};
  const std::vector<Index> starts{0, 2, 2, 4};
  const CsrRows<double> csr{values.data(), columns.data(), starts.data(), 3, 4};
  for (const bool ta : {false, true})
    for (const bool tb : {false, true}) {
      const Index inner = ta ? 3 : 4;
      const Case c{"dot",
                   {{"transpose_a", ta}, {"transpose_b", tb}},
                   {{3, 4}, tb ? Shape{2, inner} : Shape{inner, 2}},
                   {{0, dense}}};
      Bench plain(c), sparse(c);
      const auto evaluate = [](Bench& b, const CsrRows<double>* rows) {
        b.with_call([&](Call<double> call) {
          std::vector<Source<double>> in(call.in.begin(), call.in.end());
          std::vector<Target<double>> grads(call.in_grad.begin(), call.in_grad.end());
          if (rows) in[0].data = nullptr, in[0].csr = rows, grads[0].data = nullptr;
          call.in = in;
          call.in_grad = grads;
          b.op->forward(call);
          b.op->backward(call);
        });
      };
      evaluate(plain, nullptr);
      evaluate(sparse, &csr);
      for (std::size_t i = 0; i < plain.out[0].size(); ++i)
        EXPECT_NEAR(sparse.out[0][i], plain.out[0][i], 1e-14) << ta << tb;
      for (std::size_t i = 0; i < plain.in_grad[1].size(); ++i)
        EXPECT_NEAR(sparse.in_grad[1][i], plain.in_grad[1][i], 1e-14) << ta << tb;
    }
}

TEST(OperatorValues, arrays_are_cut_turned_and_joined_by_their_indices) {
  Bench turned({"transpose", {{"axes", {2, 0, 1}}}, {{2, 3, 4}}});
  turned.forward();
  for (Index a = 0; a < 2; ++a)
    for (Index b = 0; b < 3; ++b)
      for (Index k = 0; k < 4; ++k)
        EXPECT_EQ(at(turned.out[0], (k * 2 + a) * 3 + b), at(turned.in[0], (a * 3 + b) * 4 + k));
  Bench box({"slice", {{"begin", "(1, None)"}, {"end", "(3, 0)"}, {"step", "(1, -2)"}}, {{3, 4}}});
  box.forward();
  EXPECT_EQ(box.out[0], (Numbers{box.in[0][7], box.in[0][5], box.in[0][11], box.in[0][9]}));
  Bench cut({"SliceChannel", {{"num_outputs", 2}}, {{2, 4, 3}}});
  cut.forward();
  Bench joined(
      {"Concat", {{"num_args", 2}}, {{2, 2, 3}, {2, 2, 3}}, {{0, cut.out[0]}, {1, cut.out[1]}}});
  joined.forward();
  EXPECT_EQ(joined.out[0], cut.in[0]);
  EXPECT_EQ(output({"broadcast_to", {{"shape", {2, 3}}}, {{2, 1}}, {{0, {4, 5}}}}),
            (Numbers{4, 4, 4, 5, 5, 5}));
  EXPECT_EQ(output({"broadcast_sub", {}, {{2, 1}, {1, 2}}, {{0, {1, 2}}, {1, {10, 20}}}}),
            (Numbers{-9, -19, -8, -18}));
  EXPECT_EQ(output({"sum", {{"axis", 0}}, {{2, 3}}, {{0, {1, 2, 3, 4, 5, 6}}}}),
            (Numbers{5, 7, 9}));
  EXPECT_EQ(output({"Embedding",
                    {{"input_dim", 3}, {"output_dim", 2}},
                    {{4}, {}},
                    {{0, {2, 0, 7, -1}}, {1, {1, 2, 3, 4, 5, 6}}}}),
            (Numbers{5, 6, 1, 2, 5, 6, 1, 2}))
      << "numbers outside are taken as the nearest row";
  EXPECT_EQ(output({"Cast", {{"dtype", "int32"}}, {{3}}, {{0, {1.7, -1.7, 0.2}}}}),
            (Numbers{1, -1, 0}));
}

TEST(OperatorValues, extremes_see_infinities_and_what_is_not_a_number) {
  const auto extreme = [](const char* op, Numbers values) {
    const auto n = static_cast<Index>(values.size());
    return output({op, {}, {{n}}, {{0, std::move(values)}}})[0];
  };
  EXPECT_EQ(extreme("max", {-INFINITY, -INFINITY}), -INFINITY);
  EXPECT_EQ(extreme("min", {INFINITY, INFINITY}), INFINITY);
  EXPECT_EQ(extreme("max", {-3, -1, -2}), -1);
  EXPECT_EQ(extreme("min", {3, 1, 2}), 1);
  for (const char* op : {"max", "min"})
    for (const Numbers& values : {Numbers{NAN, 1, 2}, Numbers{1, NAN, 2}, Numbers{1, 2, NAN}})
      EXPECT_TRUE(std::isnan(extreme(op, values))) << op;
}

TEST(OperatorValues, softmax_output_divides_its_gradient_as_it_is_told) {
  // Probabilities ½ each: a row's gradient is −½ for its own class, ½ for the other.
  const auto own = [](Options attributes) {
    Bench b({"SoftmaxOutput", std::move(attributes), {{4, 2}, {}}, {{1, {0, 1, 1, 5}}}});
    std::fill(b.in[0].begin(), b.in[0].end(), 0.0);
    b.forward();
    b.with_call([&](const Call<double>& call) { b.op->backward(call); });
    return b.in_grad[0];
  };
  EXPECT_EQ(own({})[0], -0.5);
  EXPECT_EQ(own({{"grad_scale", 3.0}})[0], -1.5);
  EXPECT_EQ(own({{"normalization", "batch"}})[0], -0.125);
  const auto valid = own({{"normalization", "valid"}, {"use_ignore", true}, {"ignore_label", 5}});
  EXPECT_DOUBLE_EQ(valid[0], -0.5 / 3);
  EXPECT_EQ(valid[6], 0) << "an ignored row";
  EXPECT_EQ(valid[7], 0);
  EXPECT_EQ(own({{"smooth_alpha", 0.25}})[0], 0.5 - 0.75);
}

TEST(OperatorValues, random_slopes_are_drawn_in_training_and_the_mean_otherwise) {
  Bench b({"LeakyReLU",
           {{"act_type", "rrelu"}, {"lower_bound", 0.2}, {"upper_bound", 0.4}},
           {{50, 4}}});
  std::fill(b.in[0].begin(), b.in[0].end(), -1.0);
  b.forward();
  const auto [least, most] = std::minmax_element(b.out[0].begin(), b.out[0].end());
  EXPECT_GE(*least, -0.4);
  EXPECT_LE(*most, -0.2);
  EXPECT_LT(*least + 0.1, *most) << "they differ";
  b.with_call([&](Call<double> call) {
    call.training = false;
    b.op->forward(call);
  });
  for (const double y : b.out[0]) EXPECT_DOUBLE_EQ(y, -0.3);
}

TEST(OperatorValues, dropout_keeps_the_share_it_says_and_only_in_training) {
  const auto ones = [](Options attributes, bool training) {
    Bench b({"Dropout", std::move(attributes), {{100, 10, 10}}});
    std::fill(b.in[0].begin(), b.in[0].end(), 1.0);
    b.with_call([&](Call<double> call) {
      call.training = training;
      b.op->forward(call);
    });
    return b.out[0];
  };
  const Numbers drawn = ones({{"p", 0.3}}, true);
  double count = 0;
  for (const double y : drawn) count += y != 0;
  EXPECT_NEAR(count / 1e4, 0.7, 4 * std::sqrt(0.21 / 1e4)) << "four standard deviations";
  EXPECT_EQ(ones({{"p", 0.3}}, false), Numbers(10000, 1.0));
  EXPECT_EQ(ones({{"p", 0.3}, {"mode", "always"}}, false), drawn);
  const Numbers shared = ones({{"p", 0.5}, {"axes", {1}}}, true);
  for (Index r = 0; r < 100; ++r)
    for (Index a = 1; a < 10; ++a)
      for (Index k = 0; k < 10; ++k)
        ASSERT_EQ(at(shared, (r * 10 + a) * 10 + k), at(shared, r * 100 + k));
}

}  // namespace
}  // namespace svrg::ops
