#include "svrg/data/partition.hpp"

#include "data_test.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace svrg {
namespace {

const std::vector<Index> some_sizes = {0, 1, 2, 7, 8, 9, 63, 64, 1000, 4097};
const std::vector<Index> some_shards = {1, 2, 8, 16, 64};

TEST(Partition, sends_every_row_to_one_position_and_back) {
  for (const auto order : {RowOrder::shuffled, RowOrder::file})
    for (const Index n : some_sizes) {
      const Partition partition(n, 8, order);
      std::vector<int> taken(static_cast<std::size_t>(n), 0);
      std::vector<Index> all(taken.size());
      std::iota(all.begin(), all.end(), Index{0});
      partition.to_positions(all);
      for (Index row = 0; row < n; ++row) {
        const Index position = partition.position_of_row(row);
        EXPECT_EQ(all[static_cast<std::size_t>(row)], position);
        ASSERT_GE(position, 0);
        ASSERT_LT(position, n);
        ++taken[static_cast<std::size_t>(position)];
        EXPECT_EQ(partition.row_at(position), row);
      }
      EXPECT_EQ(std::count(taken.begin(), taken.end(), 1), n);
      partition.to_rows(all);
      EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
    }
}

TEST(Partition, keeps_the_file_order_if_told_and_not_otherwise) {
  const Partition file(1000, 8, RowOrder::file), shuffled(1000, 8, RowOrder::shuffled);
  Index fixed = 0;
  for (Index row = 0; row < 1000; ++row) {
    EXPECT_EQ(file.position_of_row(row), row);
    fixed += shuffled.position_of_row(row) == row;
  }
  EXPECT_LT(fixed, 20);
}

TEST(Partition, cuts_shards_that_differ_by_one_row_at_most) {
  for (const Index n : some_sizes)
    for (const Index shards : some_shards) {
      const Partition partition(n, shards, RowOrder::shuffled);
      EXPECT_EQ(partition.begin(0), 0);
      EXPECT_EQ(partition.begin(shards), n);
      for (Index s = 0; s < shards; ++s) {
        EXPECT_GE(partition.count(s), n / shards);
        EXPECT_LE(partition.count(s), (n + shards - 1) / shards);
        for (Index p = partition.begin(s); p < partition.begin(s + 1); ++p)
          EXPECT_EQ(partition.shard_of_position(p), s);
      }
    }
}

TEST(Partition, gives_every_shard_to_one_rank_in_order_and_evenly) {
  for (const Index shards : some_shards)
    for (const int ranks : {1, 2, 3, 4, 7, 8, 100}) {
      const Partition partition(1000, shards, RowOrder::file);
      EXPECT_EQ(partition.first_shard(0, ranks), 0);
      EXPECT_EQ(partition.first_shard(ranks, ranks), shards);
      for (int r = 0; r < ranks; ++r) {
        const Index first = partition.first_shard(r, ranks),
                    end = partition.first_shard(r + 1, ranks);
        EXPECT_GE(end - first, shards / ranks);
        EXPECT_LE(end - first, (shards + ranks - 1) / ranks);
        for (Index s = first; s < end; ++s) EXPECT_EQ(partition.owner(s, ranks), r);
      }
    }
}

TEST(Partition, has_eight_shards_by_default_and_enough_for_many_ranks) {
  EXPECT_EQ(Partition::default_virtual_shards(1), 8);
  EXPECT_EQ(Partition::default_virtual_shards(8), 8);
  EXPECT_EQ(Partition::default_virtual_shards(9), 16);
  EXPECT_EQ(Partition::default_virtual_shards(1000), 1024);
}

TEST(Partition, by_entries_gives_ranks_as_many_of_them) {
  const auto comm = Communicator::world();
  // The last eighth of the rows has nearly all entries, and rows stay in the file's order.
  std::string text;
  constexpr int rows = 800;
  for (int i = 0; i < rows; ++i) {
    text += "1";
    for (int j = 1; j <= (i < 700 ? 1 : 60); ++j) text += fmt::format(" {}:{}", j, i + 1);
    text += '\n';
  }
  ReadOptions options;
  options.row_order = RowOrder::file;
  options.dense_from = 2;  // sparse in any case
  const Shard even = read_string(text, ".svm", options);
  options.balance = Balance::entries;
  const Shard shard = read_string(text, ".svm", options);
  expect_same(file_rows(comm, shard), file_rows(comm, even));
  const auto& partition = shard.partition();
  Index covered = 0;
  for (Index s = 0; s < partition.virtual_shards(); ++s) {
    double entries = 0;
    for (Index p = partition.begin(s); p < partition.begin(s + 1); ++p, ++covered) {
      EXPECT_EQ(partition.shard_of_position(p), s);
      entries += partition.row_at(p) < 700 ? 2 : 61;
    }
    EXPECT_NEAR(entries, (700 * 2 + 100 * 61) / 8.0, 61) << s;
  }
  EXPECT_EQ(covered, rows);
}

}  // namespace
}  // namespace svrg
