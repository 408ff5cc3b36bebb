// Sums of gradients that have values in some rows only.
#include <gtest/gtest.h>

#include "svrg/comm/reducer.hpp"
#include "svrg/core/random.hpp"

namespace svrg {
namespace {

constexpr Index shards = 8, rows = 200, columns = 3;

ParameterLayout layout() {
  ParameterLayout made;
  made.add({.name = "fc_weight", .shape = {2, 2}, .group = {}});
  made.add({.name = "embed_weight", .shape = {rows, columns}, .row_sparse = true, .group = {}});
  made.add({.name = "fc_bias", .shape = {2}, .group = {}});
  return made;
}

/// Rows that virtual shard s has something in.
std::vector<Index> rows_of(Index s) { return {s, 40 + s * s, 7, 199 - s / 3}; }

double value(Index s, Index i) {
  return CounterRandom(3, static_cast<std::uint64_t>(s)).normal(static_cast<std::uint64_t>(i));
}

/// Every shard's values in its rows and in the dense segments, summed over ranks.
template <class Real>
struct Sum {
  ParameterLayout parameters = layout();
  Index first, owned;
  Support support;
  std::unique_ptr<Reducer<Real>> reducer;
  explicit Sum(const Communicator& comm, Reduction kind)
      : first(comm.rank() * shards / comm.size()),
        owned((comm.rank() + 1) * shards / comm.size() - first),
        support(parameters, united(comm, own_rows())),
        reducer(make_reducer<Real>(comm, kind, shards, owned)) {}
  std::vector<Index> own_rows() const {
    std::vector<Index> own;
    for (Index s = first; s < first + owned; ++s)
      for (const Index row : rows_of(s)) own.push_back(row);
    return own;
  }
  void run(bool sparse) {
    reducer->start(parameters.size(), 1, true, sparse ? &support : nullptr);
    for (Index s = 0; s < owned; ++s) {
      const auto to = reducer->values(s);
      const Support own(parameters, sorted(rows_of(first + s)));
      for (const Stretch& t : own.stretches())
        for (Index i = t.begin; i < t.begin + t.size; ++i)
          to[static_cast<std::size_t>(i)] += static_cast<Real>(value(first + s, i));
      reducer->tail(s)[0] += 1;
    }
    reducer->reduce();
  }
  static std::vector<Index> sorted(std::vector<Index> v) {
    sort_rows(v);
    return v;
  }
  /// The total where it means something.
  std::vector<Real> there() {
    std::vector<Real> packed(static_cast<std::size_t>(support.size()));
    pack<Real>(support, reducer->total().data(), packed.data());
    return packed;
  }
};

TEST(SparseSum, unites_the_rows_of_all_ranks) {
  Sum<double> shared(Communicator::world(), Reduction::plain);
  Sum<double> alone(Communicator::self(), Reduction::plain);
  const Parameter& embedding = shared.parameters.at("embed_weight");
  const auto rows_here = shared.support.rows_of(embedding), all = alone.support.rows_of(embedding);
  EXPECT_EQ(std::vector<Index>(rows_here.begin(), rows_here.end()),
            std::vector<Index>(all.begin(), all.end()));
  EXPECT_EQ(
      std::vector<Index>(all.begin(), all.end()),
      (std::vector<Index>{0, 1, 2, 3, 4, 5, 6, 7, 40, 41, 44, 49, 56, 65, 76, 89, 197, 198, 199}));
}

TEST(SparseSum, is_the_dense_sum_where_it_has_values_after_any_other) {
  for (const Reduction kind : {Reduction::plain, Reduction::fixed_tree}) {
    Sum<float> sum(Communicator::world(), kind);
    sum.run(false);
    const auto dense = sum.there();
    for (int again = 0; again < 2; ++again) {
      sum.run(true);
      EXPECT_EQ(sum.there(), dense);
      EXPECT_EQ(sum.reducer->total_tail()[0], shards);
    }
    sum.run(false);  // nothing is left behind
    EXPECT_EQ(sum.there(), dense);
    double elsewhere = 0;
    for (const float v : sum.reducer->total()) elsewhere += std::abs(static_cast<double>(v));
    for (const float v : dense) elsewhere -= std::abs(static_cast<double>(v));
    EXPECT_NEAR(elsewhere, 0, 1e-5);
  }
}

TEST(SparseSum, in_a_fixed_tree_has_the_same_bits_on_any_number_of_ranks) {
  Sum<float> shared(Communicator::world(), Reduction::fixed_tree);
  Sum<float> alone(Communicator::self(), Reduction::fixed_tree);
  shared.run(true);
  alone.run(true);
  EXPECT_EQ(shared.there(), alone.there());
}

TEST(SparseSum, sends_no_more_than_its_rows) {
  const auto world = Communicator::world();
  Sum<float> sum(world, Reduction::plain);
  const auto before = world.traffic().bytes;
  sum.run(true);
  const auto sparse = world.traffic().bytes - before;
  sum.run(false);
  const auto dense = world.traffic().bytes - before - sparse;
  if (world.size() == 1) return;
  const double share =
      static_cast<double>(sum.support.size()) / static_cast<double>(sum.parameters.size());
  EXPECT_LT(static_cast<double>(sparse), 1.5 * share * static_cast<double>(dense));
}

}  // namespace
}  // namespace svrg
