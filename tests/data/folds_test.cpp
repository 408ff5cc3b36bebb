// Folds of a cross-validation: laws that hold on any number of ranks.
#include "svrg/data/folds.hpp"

#include <algorithm>
#include <map>

#include "data_test.hpp"

namespace svrg {
namespace {

/// 61 rows of three classes, 10 of them of class 2; feature 1 is the row's number.
std::string rows_of_classes() {
  std::string text;
  for (int i = 0; i < 61; ++i)
    text += fmt::format("{} 1:{} 2:0.5\n", i % 6 == 5 ? 2 : i % 2, i + 1);
  return text;
}

Shard read_on(const Communicator& comm, const std::string& path) {
  return read_text(comm, path, ReadOptions{});
}

/// By number of the row, over all ranks. Collective.
std::vector<Index> fold_of_rows(const Communicator& comm, const Shard& shard, const Folds& folds) {
  std::vector<Index> mine;
  for (Index i = 0; i < shard.rows(); ++i) {
    mine.push_back(shard.global_rows()[static_cast<std::size_t>(i)]);
    mine.push_back(folds.fold_of(i));
  }
  const auto all = comm.gather(std::span<const Index>(mine));
  std::vector<Index> of_row(all.size() / 2);
  for (std::size_t i = 0; i < all.size(); i += 2)
    of_row[static_cast<std::size_t>(all[i])] = all[i + 1];
  return of_row;
}

TEST(Folds, are_the_same_on_any_number_of_ranks) {
  const auto comm = Communicator::world(), alone = Communicator::self();
  const TemporaryFile file(comm, rows_of_classes(), ".svm");
  const Shard shard = read_on(comm, file.path()), whole = read_on(alone, file.path());
  for (const bool by_label : {false, true})
    for (const Index k : {5, 61})
      EXPECT_EQ(fold_of_rows(comm, shard, Folds(comm, shard, k, by_label, 3)),
                fold_of_rows(alone, whole, Folds(alone, whole, k, by_label, 3)));
}

TEST(Folds, differ_by_one_row_at_most_in_all_and_in_each_class) {
  const auto comm = Communicator::world();
  const TemporaryFile file(comm, rows_of_classes(), ".svm");
  const Shard shard = read_on(comm, file.path());
  for (const Index k : {2, 5, 10}) {
    const Folds folds(comm, shard, k, true, 1);
    const auto of_row = fold_of_rows(comm, shard, folds);
    std::map<int, std::vector<Index>> counts;  // by class, −1: all
    for (std::size_t row = 0; row < of_row.size(); ++row)
      for (const int c : {-1, row % 6 == 5 ? 2 : static_cast<int>(row % 2)}) {
        counts[c].resize(static_cast<std::size_t>(k));
        ++counts[c][static_cast<std::size_t>(of_row[row])];
      }
    for (const auto& [label, count] : counts) {
      const auto [least, most] = std::ranges::minmax(count);
      EXPECT_LE(most - least, 1) << "class " << label << " in " << k << " folds";
    }
    for (Index f = 0; f < k; ++f)
      EXPECT_EQ(folds.held_out(f), counts[-1][static_cast<std::size_t>(f)]);
  }
}

TEST(Folds, hold_out_every_row_once_and_train_on_all_others) {
  const auto comm = Communicator::world();
  const TemporaryFile file(comm, rows_of_classes(), ".svm");
  const Shard shard = read_on(comm, file.path());
  for (const bool by_label : {false, true}) {
    const Folds folds(comm, shard, 2, by_label, 1);
    std::vector<double> seen;
    for (Index f = 0; f < 2; ++f) {
      const auto [train, out] = folds.split(comm, shard, f);
      EXPECT_EQ(out.info().rows, folds.held_out(f));
      std::vector<double> both;
      for (const PlainRow& row : all_rows(comm, out)) both.push_back(row.values[0]);
      seen.insert(seen.end(), both.begin(), both.end());
      for (const PlainRow& row : all_rows(comm, train)) both.push_back(row.values[0]);
      std::ranges::sort(both);
      EXPECT_TRUE(std::ranges::adjacent_find(both) == both.end()) << "no row is in both";
      EXPECT_EQ(both.size(), 61U);
    }
    std::ranges::sort(seen);
    EXPECT_TRUE(std::ranges::adjacent_find(seen) == seen.end());
    EXPECT_EQ(seen.size(), 61U);
  }
}

TEST(Folds, are_drawn_by_the_seed) {
  const auto comm = Communicator::world();
  const TemporaryFile file(comm, rows_of_classes(), ".svm");
  const Shard shard = read_on(comm, file.path());
  const auto drawn = [&](std::uint64_t seed) {
    return fold_of_rows(comm, shard, Folds(comm, shard, 5, true, seed));
  };
  EXPECT_EQ(drawn(7), drawn(7));
  EXPECT_NE(drawn(7), drawn(8));
}

TEST(Folds, are_refused_where_one_would_be_empty) {
  const auto comm = Communicator::world();
  const TemporaryFile file(comm, "1 1:1\n0 1:2\n1 1:3\n", ".svm");
  const Shard shard = read_on(comm, file.path());
  for (const Index k : {1, 4}) try {
      const Folds folds(comm, shard, k, true, 1);
      ADD_FAILURE() << k << " folds of 3 rows";
    } catch (const CollectiveError& error) {
      EXPECT_EQ(error.code(), ExitCode::usage);
    }
  EXPECT_EQ(Folds(comm, shard, 3, true, 1).held_out(2), 1);
}

}  // namespace
}  // namespace svrg
