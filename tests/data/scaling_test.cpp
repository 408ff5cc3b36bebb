// Standardising: what it does to columns, whatever the storage, weights and ranks.
#include <cmath>

#include "problems.hpp"
#include "svrg/core/error.hpp"
#include "svrg/data/scaling.hpp"

namespace svrg {
namespace {

using test::make_shard;
using test::ProblemSpec;

/// Weighted mean and deviation of every column, zeros included, over all ranks. [columns, 2]
Eigen::MatrixXd moments(const Communicator& comm, const Shard& shard) {
  const Index d = shard.info().columns;
  std::vector<double> sums(static_cast<std::size_t>(2 * d + 1));
  std::visit(
      [&](const auto& x) {
        for (Index i = 0; i < x.rows; ++i) {
          const double w =
              shard.weights().empty() ? 1 : shard.weights()[static_cast<std::size_t>(i)];
          sums.back() += w;
          const auto add = [&](Index j, double v) {
            sums[static_cast<std::size_t>(2 * j)] += w * v;
            sums[static_cast<std::size_t>(2 * j + 1)] += w * v * v;
          };
          if constexpr (requires { x.starts; }) {
            for (Index e = x.starts[i]; e < x.starts[i + 1]; ++e)
              add(x.indices[e], static_cast<double>(x.values[e]));
          } else {
            for (Index j = 0; j < d; ++j) add(j, static_cast<double>(x.data[i * x.stride + j]));
          }
        }
      },
      shard.all().inputs[0].rows);
  comm.sum(std::span(sums));
  Eigen::MatrixXd result(d, 2);
  for (Index j = 0; j < d; ++j) {
    const double mean = sums[static_cast<std::size_t>(2 * j)] / sums.back();
    result(j, 0) = mean;
    result(j, 1) = std::sqrt(sums[static_cast<std::size_t>(2 * j + 1)] / sums.back() - mean * mean);
  }
  return result;
}

TEST(Scaling, columns_have_deviation_one_and_zscore_mean_zero) {
  const auto world = Communicator::world();
  for (const bool weighted : {false, true})
    for (const bool sparse : {false, true}) {
      Shard shard = make_shard(world, {.rows = 83, .sparse = sparse, .weighted = weighted});
      const Index stored = shard.bytes();
      apply(standardizing(world, shard, Standardize::scale, Reduction::plain), shard);
      EXPECT_LT((moments(world, shard).col(1).array() - 1).abs().maxCoeff(), 1e-12);
      EXPECT_EQ(shard.bytes(), stored) << "zeros stay zeros";
      if (sparse) {
        EXPECT_THROW(standardizing(world, shard, Standardize::zscore, Reduction::plain),
                     CollectiveError);
        continue;
      }
      apply(standardizing(world, shard, Standardize::zscore, Reduction::plain), shard);
      EXPECT_LT(moments(world, shard).col(0).cwiseAbs().maxCoeff(), 1e-12);
    }
}

TEST(Scaling, is_the_same_for_sparse_and_dense_rows_and_on_any_ranks) {
  const auto world = Communicator::world();
  const ProblemSpec spec{.rows = 61, .sparse = true, .weighted = true};
  Shard sparse = make_shard(world, spec), alone = make_shard(Communicator::self(), spec);
  const auto here = standardizing(world, sparse, Standardize::scale, Reduction::fixed_tree);
  const auto there =
      standardizing(Communicator::self(), alone, Standardize::scale, Reduction::fixed_tree);
  EXPECT_EQ(here.scale, there.scale);
  EXPECT_TRUE(here.mean.empty());
}

TEST(Scaling, leaves_constant_columns_and_far_off_ones_usable) {
  const double big = 1e9;
  DataInfo info;
  info.rows = 4;
  info.columns = 3;
  Shard shard(
      info, Partition(4, 1, RowOrder::file), 0, 1,
      DenseStore<double>{{0.1, 0, big + 1, 0.1, 0, big - 1, 0.1, 0, big + 1, 0.1, 0, big - 1}},
      {0, 0, 0, 0}, {});
  const auto z = standardizing(Communicator::self(), shard, Standardize::zscore, Reduction::plain);
  EXPECT_EQ(z.scale[0], 1);
  EXPECT_EQ(z.scale[1], 1);
  EXPECT_NEAR(z.scale[2], 1, 1e-12);
  apply(z, shard);
  const auto& x = std::get<DenseRows<double>>(shard.all().inputs[0].rows);
  EXPECT_NEAR(x.data[2], 1, 1e-12);
  EXPECT_NEAR(x.data[0], 0, 1e-15);
}

TEST(Scaling, a_long_constant_column_stays_what_it_is) {
  // 0.1 has no exact binary form: the mean of many is off by rounding, which must not count.
  constexpr Index n = 20001;
  DataInfo info;
  info.rows = n;
  info.columns = 1;
  Shard shard(info, Partition(n, 8, RowOrder::file), 0, 1,
              DenseStore<double>{std::vector<double>(static_cast<std::size_t>(n), 0.1)},
              std::vector<double>(static_cast<std::size_t>(n)), {});
  const auto z = standardizing(Communicator::self(), shard, Standardize::zscore, Reduction::plain);
  EXPECT_EQ(z.scale[0], 1);
  EXPECT_NEAR(z.mean[0], 0.1, 1e-16);
}

}  // namespace
}  // namespace svrg
