#include "svrg/data/shard.hpp"

#include <utility>

#include "data_test.hpp"

namespace svrg {
namespace {

// Row i of the data set: label i, values i and 10 i.
Shard numbered(Index rows, int rank, int ranks) {
  const Partition partition(rows, 8, RowOrder::shuffled);
  const Index first = partition.begin(partition.first_shard(rank, ranks)),
              end = partition.begin(partition.first_shard(rank + 1, ranks));
  DenseStore<double> store;
  std::vector<double> labels;
  for (Index p = first; p < end; ++p) {
    labels.push_back(static_cast<double>(partition.row_at(p)));
    store.data.insert(store.data.end(), {labels.back(), 10 * labels.back()});
  }
  return {{.rows = rows, .columns = 2}, partition, rank, ranks, std::move(store), labels, {}};
}

void expect_numbered(const Shard& shard) {
  const Batch& all = shard.all();
  ASSERT_EQ(all.inputs.size(), 1U);
  const auto& rows = std::get<DenseRows<double>>(all.inputs[0].rows);
  EXPECT_EQ(rows.rows, shard.rows());
  EXPECT_EQ(all.labels.data(), shard.labels().data());
  Index covered = 0;
  for (const Part& part : all.parts) {
    EXPECT_EQ(part.first, covered);
    EXPECT_EQ(part.count, shard.partition().count(shard.first_shard() + part.virtual_shard));
    covered += part.count;
  }
  EXPECT_EQ(covered, shard.rows());
  for (Index i = 0; i < shard.rows(); ++i) {
    const Index global = all.global_rows[static_cast<std::size_t>(i)];
    EXPECT_EQ(all.labels[static_cast<std::size_t>(i)], static_cast<double>(global));
    EXPECT_EQ(rows.data[2 * i + 1], static_cast<double>(10 * global));
  }
}

TEST(Shard, shows_its_rows_part_by_part) {
  for (const Index rows : {0, 1, 5, 8, 100})
    for (int ranks = 1; ranks <= 9; ++ranks) {
      Index total = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const Shard shard = numbered(rows, rank, ranks);
        expect_numbered(shard);
        total += shard.rows();
      }
      EXPECT_EQ(total, rows);
    }
}

TEST(Shard, keeps_its_views_valid_when_moved) {
  Shard first = numbered(100, 1, 2);
  Shard second = std::move(first);
  expect_numbered(second);
  Shard third = numbered(3, 0, 1);
  third = std::move(second);
  expect_numbered(third);
}

TEST(Shard, shows_new_labels_in_its_batch) {
  Shard shard = numbered(10, 0, 1);
  shard.set_labels(std::vector<double>(10, 7.0));
  EXPECT_EQ(shard.all().labels[9], 7.0);
  EXPECT_EQ(shard.all().labels.data(), shard.labels().data());
}

TEST(Shard, counts_its_bytes) { EXPECT_EQ(numbered(10, 0, 1).bytes(), 10 * (2 * 8 + 8 + 8)); }

TEST(DistinctLabels, are_those_of_all_ranks_in_ascending_order) {
  const auto comm = Communicator::world();
  std::string text;
  for (int i = 0; i < 60; ++i) text += fmt::format("{} 1:1\n", (i * 7) % 5 - 2);
  const Shard shard = read_string(text, ".svm");
  EXPECT_EQ(distinct_labels(comm, shard, 5), (std::vector<double>{-2, -1, 0, 1, 2}));
  EXPECT_EQ(distinct_labels(comm, shard, 100)->size(), 5U);
  EXPECT_FALSE(distinct_labels(comm, shard, 4).has_value());
}

}  // namespace
}  // namespace svrg
