// The forms of CSV that are read; what is refused stands in csv_refusals_test.cpp.
#include <cmath>

#include "data_test.hpp"

namespace svrg {
namespace {

std::vector<PlainRow> rows(const std::string& text, const ReadOptions& options = {}) {
  return rows_of(text, ".csv", options);
}
std::vector<std::string> names(const std::string& text, const ReadOptions& options = {}) {
  return read_string(text, ".csv", options).info().feature_names;
}

const std::vector<PlainRow> two_rows = {{0, 1, 1, {0.5, -2}}, {1, 0, 1, {3, 1e-3}}};

TEST(Csv, reads_the_plain_form) { expect_same(rows("1,0.5,-2\n0,3,1e-3\n"), two_rows); }

TEST(Csv, finds_the_separator) {
  for (const char* text : {"1;0.5;-2\n0;3;1e-3\n", "1\t0.5\t-2\n0\t3\t1e-3\n",
                           "1 0.5 -2\n0 3 1e-3\n", "  1   0.5\t-2 \n0 3   1e-3\r\n",
                           "1, 0.5, -2\n0, 3, 1e-3\n", "a b,c d,e f\n1,0.5,-2\n0,3,1e-3\n"})
    expect_same(rows(text), two_rows);
}

TEST(Csv, takes_the_separator_it_is_given) {
  expect_same(rows("1|0.5|-2\n0|3|1e-3\n", {.separator = '|'}), two_rows);
}

TEST(Csv, is_known_by_its_suffix_or_by_its_lines) {
  expect_same(rows_of("1\t0.5\t-2\n0\t3\t1e-3\n", ".tsv"), two_rows);
  for (const char* text :
       {"1,0.5,-2\n0,3,1e-3\n", "1 0.5 -2\n0 3 1e-3\n", "y;a;b\n1;0.5;-2\n0;3;1e-3"})
    expect_same(rows_of(text, ".txt"), two_rows);
  expect_same(rows_of("1 1:0.5 2:-2\n0 1:3 2:1e-3\n", ".txt"), two_rows);
  expect_same(rows_of("1 1:0.5 2:-2\n0 1:3 2:1e-3\n", ".csv", {.format = DataFormat::svmlight}),
              two_rows);
}

TEST(Csv, reads_what_other_programs_write) {
  for (const char* text :
       {"label,a,b\n1,0.5,-2\n0,3,1e-3\n",            // header
        "label,a,b\r\n1,0.5,-2\r\n0,3,1e-3\r\n",      // Windows
        "\xEF\xBB\xBFlabel,a,b\n1,0.5,-2\n0,3,1e-3",  // byte order mark, no newline
        "\n# made by hand\nlabel,a,b\n\n1,0.5,-2\n# x\n0,3,1e-3\n \n",
        "\"label\",\"a\",\"b\"\n\"1\",\"0.5\",\"-2\"\n0,\"3\" , 1e-3\n",
        "label,\"a, or b\",\"say \"\"x\"\"\"\n+1,.5,-2.\n0,3,1E-03\n",
        "a,b,label\n0.5,-2,1\n3,1e-3,0\n", "a,b,Target\n0.5,-2,1\n3,1e-3,0\n",
        "a,CLASS,b\n0.5,1,-2\n3,0,1e-3\n", "a,y,b\n0.5,1,-2\n3,0,1e-3\n"})
    expect_same(rows(text), two_rows);
}

TEST(Csv, finds_the_label_by_name_or_number) {
  const std::string text = "a,b,out\n0.5,-2,1\n3,1e-3,0\n";
  for (const char* column : {"out", "3", "-1"})
    expect_same(rows(text, {.label_column = column}), two_rows);
  expect_same(rows("0.5,1,-2\n3,0,1e-3\n", {.label_column = "2"}), two_rows);
  expect_same(rows("0.5,1,-2\n3,0,1e-3\n", {.label_column = "-2"}), two_rows);
}

TEST(Csv, prefers_a_name_to_a_number) {
  expect_same(
      rows("3,1,2\n0.5,-2,1\n3,1e-3,0\n# numbers are no header\n", {.label_column = "3"}).size() ==
              3
          ? two_rows
          : std::vector<PlainRow>{},
      two_rows);
  expect_same(rows("2,x,b\n1,0.5,-2\n0,3,1e-3\n", {.label_column = "2"}), two_rows);
}

TEST(Csv, names_features_by_the_header_without_label_and_weight) {
  const std::string text = "w,\"a, b\",label,\"say \"\"c\"\"\"\n1,2,3,4\n";
  EXPECT_EQ(names(text, {.weight_column = "w"}), (std::vector<std::string>{"a, b", "say \"c\""}));
  EXPECT_TRUE(names("1,2,3\n").empty());
}

TEST(Csv, reads_weights) {
  const auto found = rows("y,a,w\n1,5,0.25\n0,6,0\n", {.weight_column = "w"});
  expect_same(found, {{0, 1, 0.25, {5}}, {1, 0, 0, {6}}});
  expect_same(rows("0.25,1,5\n0,0,6\n", {.weight_column = "1"}), found);
  EXPECT_TRUE(read_string("1,2,3\n", ".csv", {.weight_column = "-1"}).info().weighted);
}

TEST(Csv, matches_columns_to_the_model_by_name) {
  ReadOptions options{.feature_names = {"a", "b"}};
  expect_same(rows("b,label,a\n-2,1,0.5\n1e-3,0,3\n", options), two_rows);
  EXPECT_EQ(names("b,label,a\n-2,1,0.5\n", options), options.feature_names);
  options.labels_required = false;
  const auto unlabelled = rows("b,a\n-2,0.5\n1e-3,3\n", options);
  EXPECT_TRUE(std::isnan(unlabelled[0].label));
  EXPECT_EQ(unlabelled[0].values, two_rows[0].values);
  expect_same(rows("b,label,a\n-2,1,0.5\n1e-3,0,3\n", options), two_rows);
}

TEST(Csv, needs_no_label_to_predict_where_the_column_named_or_counted_is_a_feature_or_none) {
  ReadOptions options{.feature_names = {"a", "b"}, .labels_required = false};
  for (const char* column : {"grade", "1", "-3"}) {
    options.label_column = column;
    expect_same(rows("grade,b,a\n1,-2,0.5\n0,1e-3,3\n", options), two_rows);
    const auto unlabelled = rows("b,a\n-2,0.5\n1e-3,3\n", options);
    EXPECT_TRUE(std::isnan(unlabelled[0].label)) << column;
    EXPECT_EQ(unlabelled[0].values, two_rows[0].values) << column;
  }
}

TEST(Csv, needs_no_label_where_the_width_is_that_of_the_model) {
  const auto found = rows("0.5,-2\n3,1e-3\n", {.columns = 2, .labels_required = false});
  EXPECT_TRUE(std::isnan(found[0].label));
  EXPECT_EQ(found[1].values, two_rows[1].values);
  expect_same(rows("1,0.5,-2\n0,3,1e-3\n", {.columns = 2, .labels_required = false}), two_rows);
}

TEST(Csv, stores_a_table_of_zeros_sparse_and_any_other_dense) {
  std::string zeros, numbers;
  for (int i = 0; i < 50; ++i) {
    zeros += fmt::format("{},0,0.00,-0,0e7,0,\"0\",0, 0 ,1e-999,{}\n", i % 2, i);
    numbers += fmt::format("{},0,0,{}\n", i % 2, i + 1);
  }
  const Shard sparse = read_string(zeros, ".csv"), dense = read_string(numbers, ".csv");
  EXPECT_TRUE(sparse.sparse());
  EXPECT_FALSE(dense.sparse());
  EXPECT_EQ(sparse.info().nonzeros, 49);
  const auto found = file_rows(Communicator::world(), sparse);
  for (int i = 0; i < 50; ++i) {
    std::vector<double> expected(10, 0.0);
    expected.back() = i;
    EXPECT_EQ(found[static_cast<std::size_t>(i)].values, expected);
  }
}

TEST(Csv, judges_the_storage_of_a_table_by_its_first_rows_where_these_are_full) {
  std::string full, empty;
  for (int i = 0; i < 1100; ++i) full += "1,1,2,3,4\n";
  for (int i = 0; i < 20000; ++i) empty += "1,0,0,0,0\n";
  EXPECT_FALSE(read_string(full + empty, ".csv").sparse());
  EXPECT_TRUE(read_string(empty + full, ".csv").sparse());
  EXPECT_EQ(read_string(empty + full, ".csv").info().nonzeros, 4400);
}

TEST(Csv, reads_blank_separated_tables_of_zeros) {
  std::string text;
  for (int i = 0; i < 50; ++i) text += fmt::format(" {}\t0 0.0  0 -0 0 0 \"0\" {} \r\n", i % 2, i);
  const Shard shard = read_string(text, ".txt");
  EXPECT_TRUE(shard.sparse());
  EXPECT_EQ(shard.info().columns, 8);
  EXPECT_EQ(file_rows(Communicator::world(), shard)[7].values.back(), 7);
}

TEST(Csv, reads_values_that_are_not_finite_only_if_told) {
  const auto found = rows("1,nan,-inf\n", {.allow_nonfinite = true});
  EXPECT_TRUE(std::isnan(found[0].values[0]));
  EXPECT_EQ(found[0].values[1], -HUGE_VAL);
}

}  // namespace
}  // namespace svrg
