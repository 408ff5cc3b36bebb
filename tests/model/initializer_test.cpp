#include "svrg/model/initializer.hpp"

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <cmath>

#include "svrg/core/error.hpp"

namespace svrg {
namespace {

std::vector<double> filled(const Initializer& rule, const std::string& name,
                           const std::vector<Index>& shape, const std::string& init = "",
                           std::uint64_t seed = 1) {
  Index size = 1;
  for (const Index n : shape) size *= n;
  std::vector<double> values(static_cast<std::size_t>(size), 99);
  rule.fill(name, shape, init, seed, values);
  return values;
}

TEST(Initializer, the_end_of_a_name_decides_what_is_no_weight) {
  const auto rule = initializer::Uniform(0.5);
  EXPECT_EQ(filled(rule, "fc_bias", {2}), (std::vector<double>{0, 0}));
  EXPECT_EQ(filled(rule, "bn_gamma", {2}), (std::vector<double>{1, 1}));
  EXPECT_EQ(filled(rule, "bn_beta", {2}), (std::vector<double>{0, 0}));
  EXPECT_EQ(filled(rule, "bn_moving_var", {1}), (std::vector<double>{1}));
  EXPECT_THROW(filled(rule, "theta", {2}), ConfigError);
  EXPECT_EQ(filled(rule, "theta", {1}, R"(["constant", {"value": 3}])"), (std::vector<double>{3}));
}

TEST(Initializer, a_draw_belongs_to_seed_and_name) {
  const auto rule = initializer::Normal(1);
  EXPECT_EQ(filled(rule, "a_weight", {9}), filled(rule, "a_weight", {9}));
  EXPECT_NE(filled(rule, "a_weight", {9}), filled(rule, "b_weight", {9}));
  EXPECT_NE(filled(rule, "a_weight", {9}), filled(rule, "a_weight", {9}, "", 2));
}

TEST(Initializer, xavier_bounds_draws_by_what_goes_in_and_out) {
  const auto values = filled(initializer::Xavier(), "c_weight", {30, 20, 3, 3});
  const double bound = std::sqrt(3 / ((30 + 20) * 9 / 2.0));
  double largest = 0;
  for (const double v : values) largest = std::max(largest, std::abs(v));
  EXPECT_LE(largest, bound);
  EXPECT_GT(largest, 0.99 * bound);
  EXPECT_THROW(filled(initializer::Xavier(), "c_weight", {30}), ConfigError);
}

TEST(Initializer, orthogonal_has_orthogonal_rows_or_columns_of_its_scale) {
  for (const auto& [rows, columns] : {std::pair<Index, Index>{4, 9}, {9, 4}}) {
    auto values = filled(initializer::Orthogonal({{"scale", 2.0}}), "w_weight", {rows, columns});
    const Eigen::Map<RowMatrix<double>> w(values.data(), rows, columns);
    const Eigen::MatrixXd gram =
        rows < columns ? Eigen::MatrixXd(w * w.transpose()) : Eigen::MatrixXd(w.transpose() * w);
    EXPECT_TRUE(gram.isApprox(4 * Eigen::MatrixXd::Identity(4, 4), 1e-12));
  }
}

TEST(Initializer, mixed_takes_the_first_pattern_that_is_found) {
  const auto rule =
      initializer::Mixed({{"special", initializer::Constant(5)}, {".*", initializer::Constant(6)}});
  EXPECT_EQ(filled(rule, "special_weight", {1}), (std::vector<double>{5}));
  EXPECT_EQ(filled(rule, "other_weight", {1}), (std::vector<double>{6}));
  EXPECT_THROW(filled(initializer::Mixed({{"x", initializer::One()}}), "w_weight", {1}),
               ConfigError);
  EXPECT_THROW(initializer::Mixed({{"(", initializer::One()}}), ConfigError);
}

TEST(Initializer, load_gives_values_by_name_and_the_rest_to_another) {
  const std::map<std::string, NDArray> values = {
      {"arg:a_weight", NDArray({2, 1}, std::vector<float>{3, 4})},
      {"aux:bn_moving_var", NDArray({1}, std::vector<double>{5})}};
  const auto rule = initializer::Load(values, initializer::Constant(6));
  EXPECT_EQ(filled(rule, "a_weight", {2, 1}), (std::vector<double>{3, 4}));
  EXPECT_EQ(filled(rule, "a_weight", {2, 1}, "zeros"), (std::vector<double>{3, 4}));
  EXPECT_EQ(filled(rule, "bn_moving_var", {1}), (std::vector<double>{5}));
  EXPECT_EQ(filled(rule, "b_weight", {1}), (std::vector<double>{6}));
  EXPECT_EQ(filled(rule, "b_bias", {1}), (std::vector<double>{0}));
  EXPECT_EQ(filled(rule, "theta", {1}, "ones"), (std::vector<double>{1}));
  EXPECT_THROW(filled(rule, "a_weight", {1, 2}), ConfigError);
  EXPECT_THROW(filled(initializer::Load(values), "b_weight", {1}), ConfigError);
}

// Where a kernel is laid every `factor` pixels, the weights at any pixel add up to 1.
TEST(Initializer, bilinear_kernels_keep_a_constant_picture) {
  for (const Index factor : {2, 3}) {
    const Index width = 2 * factor - factor % 2;
    const auto kernel = filled(initializer::Bilinear(), "up_weight", {1, 1, width, width});
    const auto at = [&](Index y, Index x) {
      return y < width && x < width ? kernel[static_cast<std::size_t>(y * width + x)] : 0;
    };
    for (Index y = 0; y < factor; ++y)
      for (Index x = 0; x < factor; ++x)
        EXPECT_NEAR(at(y, x) + at(y + factor, x) + at(y, x + factor) + at(y + factor, x + factor),
                    1, 1e-15);
  }
}

TEST(Initializer, lstm_biases_open_the_forget_gate) {
  EXPECT_EQ(
      filled(initializer::Zero(), "lstm_i2h_bias", {8}, R"(["lstmbias", {"forget_bias": 2}])"),
      (std::vector<double>{0, 0, 2, 2, 0, 0, 0, 0}));
}

TEST(Initializer, settings_without_sense_are_refused) {
  EXPECT_THROW(Initializer::make("xavyer"), ConfigError);
  EXPECT_THROW(Initializer::make("normal", {{"scale", 1}}), ConfigError);
  EXPECT_THROW(initializer::Xavier({{"magnitude", -1}}), ConfigError);
  EXPECT_THROW(Initializer::from_text(R"(["constant", {"value": [1, 2]}])"), ConfigError);
  EXPECT_THROW(Initializer::from_text(R"(["constant", )"), ConfigError);
}

}  // namespace
}  // namespace svrg
