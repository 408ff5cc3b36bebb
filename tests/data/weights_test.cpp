// Weights of rows and of classes: what losses see, and metrics do not; and what select() and
// split() make of a data set.
#include <set>

#include "data_test.hpp"
#include "svrg/data/selection.hpp"
#include "svrg/data/weights.hpp"

namespace svrg {
namespace {

std::string twenty_rows() {
  std::string text;
  for (int i = 0; i < 20; ++i) text += fmt::format("{} 1:{} 3:{}\n", i % 3, i, 0.5 * i);
  return text;
}

TEST(Weights, come_from_a_file_line_by_line) {
  const auto comm = Communicator::world();
  Shard shard = read_string(twenty_rows(), ".svm");
  const std::uint64_t before = shard.info().fingerprint;
  std::string text = "# weights\n";
  for (int i = 0; i < 20; ++i) text += fmt::format("{}\n", 0.25 * i);
  const TemporaryFile file(comm, text, ".txt");
  read_weights(comm, file.path(), shard);
  EXPECT_TRUE(shard.weighs_losses());
  EXPECT_NE(shard.info().fingerprint, before);
  for (const PlainRow& row : all_rows(comm, shard))
    EXPECT_EQ(row.weight, 0.25 * static_cast<double>(row.global_row));
}

TEST(Weights, are_refused_by_line) {
  const auto comm = Communicator::world();
  const auto refusal = [&](const std::string& text) {
    Shard shard = read_string("1 1:1\n0 1:2\n", ".svm");
    const TemporaryFile file(comm, text, ".txt");
    try {
      read_weights(comm, file.path(), shard);
    } catch (const CollectiveError& error) {
      EXPECT_EQ(error.code(), ExitCode::data);
      return std::string(error.what()).substr(file.path().size());
    }
    return std::string("taken");
  };
  EXPECT_EQ(refusal("1\n\n2\n"), "taken");
  EXPECT_TRUE(refusal("1\n-2\n").starts_with(":2: '-2' is not a weight"));
  EXPECT_TRUE(refusal("1\n2,5\n").starts_with(":2: '2,5'"));
  EXPECT_TRUE(refusal("nan\n1\n").starts_with(":1: 'nan'"));
  EXPECT_TRUE(refusal("1\n").starts_with(": 1 weights for the 2 rows"));
  EXPECT_TRUE(refusal("1\n2\n3\n").starts_with(": 3 weights for the 2 rows"));
}

TEST(ClassWeights, balance_what_classes_weigh_in_losses_alone) {
  const auto comm = Communicator::world();
  Shard shard = read_string("0 1:1\n1 1:2\n1 1:3\n2 1:4\n2 1:5\n2 1:6\n2 1:7\n", ".svm");
  const std::vector<double> classes = {0, 1, 2};
  const auto factors = balanced_class_weights(comm, shard, classes, Reduction::plain);
  // n/(K·n_k)
  EXPECT_DOUBLE_EQ(factors[0], 7.0 / 3);
  EXPECT_DOUBLE_EQ(factors[1], 7.0 / 6);
  EXPECT_DOUBLE_EQ(factors[2], 7.0 / 12);
  weigh_classes(shard, classes, factors);
  std::vector<double> sums(3);
  for (Index i = 0; i < shard.rows(); ++i) {
    const auto row = static_cast<std::size_t>(i);
    sums[static_cast<std::size_t>(shard.labels()[row])] += shard.all().weights[row];
  }
  comm.sum(std::span(sums));
  for (const double sum : sums) EXPECT_NEAR(sum, 7.0 / 3, 1e-14);
  EXPECT_TRUE(shard.weights().empty());
  EXPECT_THROW(
      balanced_class_weights(comm, shard, std::vector<double>{0, 1, 1.5, 2}, Reduction::plain),
      CollectiveError);
}

TEST(Select, puts_rows_where_it_is_told_and_leaves_out_the_others) {
  const auto comm = Communicator::world();
  for (const char* suffix : {".svm", ".csv"}) {
    std::string text = twenty_rows();
    if (std::string(suffix) == ".csv") {
      text = "label,a,b,w\n";
      for (int i = 0; i < 20; ++i) text += fmt::format("{},{},{},{}\n", i % 3, i, 0.5 * i, 1 + i);
    }
    ReadOptions options;
    if (std::string(suffix) == ".csv") options.weight_column = "w";
    const Shard shard = read_string(text, suffix, options);
    const auto all = file_rows(comm, shard);
    // The odd rows, backwards.
    const Shard odd = select(comm, shard, 10, RowOrder::shuffled,
                             [](Index row) { return row % 2 == 1 ? (19 - row) / 2 : Index{-1}; });
    const auto rows = file_rows(comm, odd);
    ASSERT_EQ(rows.size(), 10);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const PlainRow& source = all[19 - 2 * i];
      EXPECT_EQ(rows[i].label, source.label);
      EXPECT_EQ(rows[i].weight, source.weight);
      EXPECT_EQ(rows[i].values, source.values);
    }
    // The same rows from a file have the same fingerprint.
    const Shard same = select(comm, shard, 20, RowOrder::file, [](Index row) { return row; });
    EXPECT_EQ(same.info().fingerprint, shard.info().fingerprint);
    EXPECT_EQ(same.info().nonzeros, shard.info().nonzeros);
  }
}

TEST(Split, takes_a_share_that_depends_on_the_seed_alone) {
  const auto comm = Communicator::world();
  const Shard shard = read_string(twenty_rows(), ".svm");
  const auto values = [&](const Shard& part) {
    std::multiset<double> found;
    for (const PlainRow& row : all_rows(comm, part)) found.insert(row.values[0]);
    return found;
  };
  const auto [rest, taken] = split(comm, shard, 0.3, RowOrder::shuffled, 1);
  EXPECT_EQ(rest.info().rows, 14);
  EXPECT_EQ(taken.info().rows, 6);
  auto all = values(rest);
  all.merge(values(taken));
  EXPECT_EQ(all, values(shard));
  EXPECT_NE(values(split(comm, shard, 0.3, RowOrder::shuffled, 2).second), values(taken));
  const Shard serial = [&] {
    const TemporaryFile file(comm, twenty_rows(), ".svm");
    return read_text(Communicator::self(), file.path(), {});
  }();
  std::multiset<double> alone;
  for (const PlainRow& row :
       all_rows(Communicator::self(),
                split(Communicator::self(), serial, 0.3, RowOrder::shuffled, 1).second))
    alone.insert(row.values[0]);
  EXPECT_EQ(alone, values(taken));
  EXPECT_THROW(split(comm, shard, 0.01, RowOrder::shuffled, 1), CollectiveError);
}

}  // namespace
}  // namespace svrg
