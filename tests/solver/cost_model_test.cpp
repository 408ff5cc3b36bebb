#include "svrg/solver/cost_model.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>

#include "problems.hpp"
#include "svrg/core/error.hpp"
#include "svrg/solver/engine.hpp"
#include "svrg/solver/guarded_svrg.hpp"

namespace svrg {
namespace {

const Rates rates = rates_of("avx512");

Workload dense(Index rows, Index columns, Loss loss = Loss::logistic) {
  return {.loss = loss, .rows = rows, .stored = rows * columns, .parameters = columns};
}
Workload sparse(Index rows, Index columns, Index row_length) {
  return {.rows = rows, .stored = rows * row_length, .parameters = columns, .sparse = true};
}
EngineKind choice(const Workload& work) { return cheapest(engine_costs(work, rates)); }

TEST(CostModel, takes_the_hessian_where_it_is_small_and_rows_where_it_is_large) {
  EXPECT_NE(choice(dense(200'000, 54)), EngineKind::row);
  EXPECT_EQ(choice(dense(50'000, 500)), EngineKind::row);
  EXPECT_EQ(choice(sparse(100'000, 47'000, 80)), EngineKind::row);
  EXPECT_NE(choice(sparse(30'000, 120, 14)), EngineKind::row);
  EXPECT_EQ(choice(dense(400'000, 90, Loss::squared)), EngineKind::newton);
}

TEST(CostModel, has_no_hessian_of_more_parameters_than_a_rank_keeps) {
  const auto costs =
      engine_costs(sparse(1000, SubsampledNewtonEngine::most_parameters + 1, 5), rates);
  EXPECT_TRUE(std::isfinite(costs[0].outer));
  EXPECT_TRUE(std::isinf(costs[1].outer));
  EXPECT_TRUE(std::isinf(costs[2].outer));
}

TEST(CostModel, grows_with_the_rows_and_falls_with_the_ranks) {
  for (const bool is_sparse : {false, true}) {
    const Workload one = is_sparse ? sparse(1'000'000, 100, 10) : dense(1'000'000, 100);
    Workload twice = one, many = one;
    twice.rows *= 2;
    twice.stored *= 2;
    many.ranks = many.chains = 4;
    const auto a = engine_costs(one, rates), b = engine_costs(twice, rates),
               c = engine_costs(many, rates);
    for (std::size_t i = 0; i < a.size(); ++i) {
      EXPECT_GT(b[i].outer, a[i].outer) << engine_name(a[i].kind);
      EXPECT_LT(c[i].outer, a[i].outer) << engine_name(a[i].kind);
    }
  }
}

TEST(CostModel, waits_for_the_network_where_it_is_slow) {
  Workload work = sparse(1000, 50'000, 10);
  work.ranks = 8;
  Rates slow = rates;
  slow.network = 1e6;
  EXPECT_GT(engine_costs(work, slow)[0].outer, 2 * 8 * 50'000 / 1e6);
}

class RatesFile : public testing::Test {
 protected:
  void write(const std::string& text) { std::ofstream(path_) << text; }
  void TearDown() override { std::remove(path_.c_str()); }
  const std::string path_ =
      testing::TempDir() + "svrg_rates_" + std::to_string(Communicator::world().rank());
};

TEST_F(RatesFile, is_read_as_it_was_written) {
  Rates other = rates;
  other.latency = 2.5e-5;
  other.products = 1.25e9;
  write(to_text(other));
  const Rates read = read_rates(path_);
  EXPECT_EQ(read.latency, other.latency);
  EXPECT_EQ(read.products, other.products);
  EXPECT_EQ(to_text(read), to_text(other));
}

TEST_F(RatesFile, is_refused_with_the_line_or_what_it_lacks) {
  const auto message = [&] {
    try {
      read_rates(path_);
    } catch (const DataError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_NE(message().find("svrg bench"), std::string::npos);  // there is none yet
  write("bandwidth 1e9\nspeed 3\n");
  EXPECT_NE(message().find(":2:"), std::string::npos);
  write("bandwidth -1\n");
  EXPECT_NE(message().find(":1:"), std::string::npos);
  write("bandwidth 1e9\n");
  EXPECT_NE(message().find("has no entries"), std::string::npos);
}

}  // namespace
}  // namespace svrg
