#include "svrg/core/cholesky.hpp"

#include <gtest/gtest.h>

#include "svrg/core/random.hpp"

namespace svrg {
namespace {

Eigen::MatrixXd random_matrix(Index rows, Index columns, std::uint64_t seed) {
  const CounterRandom random(seed, 0);
  Eigen::MatrixXd m(rows, columns);
  for (Index i = 0; i < m.size(); ++i) m(i) = random.normal(static_cast<std::uint64_t>(i));
  return m;
}

Eigen::MatrixXd positive_definite(Index n) {
  const Eigen::MatrixXd m = random_matrix(n, 2 * n, 1);
  return m * m.transpose() / static_cast<double>(n) + Eigen::MatrixXd::Identity(n, n);
}

TEST(Cholesky, solves_what_it_factored) {
  for (const Index n : {1, 2, 7, 64, 301}) {
    const Eigen::MatrixXd a = positive_definite(n), b = random_matrix(n, 5, 2);
    Cholesky factor;
    ASSERT_TRUE(factor.compute(a));
    ASSERT_EQ(factor.size(), n);
    Eigen::MatrixXd x = b;
    factor.solve(x);
    EXPECT_LT((a * x - b).norm(), 1e-11 * b.norm()) << n;
    Vec<double> one = b.col(3);
    factor.solve(one);
    EXPECT_LT((one - x.col(3)).norm(), 1e-12 * one.norm()) << n;
    // ‖L⁻¹b‖² = bᵀA⁻¹b, whatever columns stand beside b.
    Eigen::MatrixXd half = b;
    factor.solve_lower(half.rightCols(2));
    EXPECT_NEAR(half.col(4).squaredNorm(), b.col(4).dot(x.col(4)), 1e-11 * b.squaredNorm()) << n;
    EXPECT_EQ(half.leftCols(3), b.leftCols(3)) << n;
  }
}

TEST(Cholesky, looks_at_the_lower_triangle_only) {
  const Eigen::MatrixXd a = positive_definite(9), b = random_matrix(9, 1, 2);
  Eigen::MatrixXd lower = a.triangularView<Eigen::Lower>(), x = b, y = b;
  Cholesky whole, half;
  ASSERT_TRUE(whole.compute(a));
  ASSERT_TRUE(half.compute(lower));
  whole.solve(x);
  half.solve(y);
  EXPECT_EQ(x, y);
}

TEST(Cholesky, refuses_what_is_not_positive_definite) {
  Cholesky factor;
  Eigen::MatrixXd a = positive_definite(40);
  a(17, 17) = -1;
  EXPECT_FALSE(factor.compute(a));
  a = positive_definite(40);
  a(3, 3) = std::nan("");
  EXPECT_FALSE(factor.compute(a));
}

}  // namespace
}  // namespace svrg
