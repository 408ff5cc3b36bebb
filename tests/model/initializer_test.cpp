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
}

}  // namespace
}  // namespace svrg
