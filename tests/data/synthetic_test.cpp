#include "svrg/data/synthetic.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "svrg/core/error.hpp"

namespace svrg {
namespace {

double squared_lengths(const Shard& shard) {
  double sum = 0;
  std::visit(
      [&]<class R>(const R& rows) {
        if constexpr (requires { rows.starts; })
          for (Index e = rows.starts[0]; e < rows.starts[shard.rows()]; ++e)
            sum += rows.values[e] * rows.values[e];
        else
          for (Index i = 0; i < shard.rows() * rows.columns; ++i)
            sum += rows.data[i] * rows.data[i];
      },
      shard.all().inputs[0].rows);
  return sum;
}

TEST(Synthetic, is_the_same_on_any_number_of_ranks) {
  const auto world = Communicator::world();
  for (const Synthetic& problem : {Synthetic{999, 17}, Synthetic{500, 1000, 0.01}}) {
    const Shard shared = make_synthetic(world, problem, {}),
                alone = make_synthetic(Communicator::self(), problem, {});
    EXPECT_EQ(shared.info().fingerprint, alone.info().fingerprint);
    EXPECT_EQ(shared.info().nonzeros, alone.info().nonzeros);
    EXPECT_EQ(world.sum(shared.rows()), problem.rows);
    Synthetic other = problem;
    other.seed = 2;
    EXPECT_NE(make_synthetic(world, other, {}).info().fingerprint, alone.info().fingerprint);
  }
}

TEST(Synthetic, has_rows_of_length_1_and_both_classes) {
  const auto self = Communicator::self();
  const Shard sparse = make_synthetic(self, {300, 1000, 0.02}, {});
  EXPECT_TRUE(sparse.sparse());
  EXPECT_NEAR(squared_lengths(sparse), 300, 1e-9);
  const Shard dense = make_synthetic(self, {20000, 30}, {});
  EXPECT_FALSE(dense.sparse());
  EXPECT_NEAR(squared_lengths(dense) / 20000, 1, 0.02);  // on average: 0.02 is 5 deviations
  double sum = 0;
  for (const double y : dense.labels()) {
    EXPECT_EQ(std::abs(y), 1);
    sum += y;
  }
  EXPECT_LT(std::abs(sum), 5 * std::sqrt(20000.0));
}

TEST(Synthetic, keeps_to_the_memory_it_is_given) {
  const auto world = Communicator::world();
  ReadOptions options;
  options.max_memory = 1 << 10;
  try {
    make_synthetic(world, {1 << 20, 100}, options);
    FAIL() << "must not fit";
  } catch (const CollectiveError& error) {
    EXPECT_EQ(error.code(), ExitCode::limit);
  }
}

}  // namespace
}  // namespace svrg
