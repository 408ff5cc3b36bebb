// The exact words and places of all that a CSV file is refused for.
#include "data_test.hpp"

namespace svrg {
namespace {

std::string refusal(const std::string& text, const ReadOptions& options = {}) {
  return refusal_of(text, ".csv", options);
}

TEST(CsvRefusals, ragged_rows) {
  EXPECT_EQ(refusal("y,a,b\n1,2,3\n1,2\n"), "3:4: 2 fields, but line 1 has 3");
  EXPECT_EQ(refusal("# c\n1,2,3\n1,2,3,44\n"), "3:7: 4 fields, but line 2 has 3");
  EXPECT_EQ(refusal("1,2,3\r\n4\r\n"), "2:2: 1 field, but line 1 has 3");
  EXPECT_EQ(refusal("1 2 3\n1 2\n"), "2:4: 2 fields, but line 1 has 3");
}

TEST(CsvRefusals, missing_values) {
  const std::string remedy = "missing values are not supported: fill them or drop the row";
  EXPECT_EQ(refusal("y,a,b\n1,,3\n"), "2:3: empty field in column 'a'; " + remedy);
  EXPECT_EQ(refusal("1,2,3\n1,2,\n"), "2:5: empty field in column 3; " + remedy);
  EXPECT_EQ(refusal("1,2,3\n1,NA,3\n"), "2:3: missing value 'NA' in column 2; " + remedy);
  EXPECT_EQ(refusal("y,a\n,3\n"), "2:1: empty field in column 'y'; " + remedy);
  EXPECT_EQ(refusal("5,NA,1\n6,7,1\n"), "1:3: missing value 'NA' in column 2; " + remedy);
}

TEST(CsvRefusals, text) {
  EXPECT_EQ(refusal("y,a\n1,2\n1,red\n"),
            "3:3: 'red' in column 'a' is not a number; encode text as numbers or drop the column");
  EXPECT_EQ(refusal("y,a\nM,2\n"), "2:1: label 'M' is not a number; map the classes to numbers");
  EXPECT_EQ(refusal("y;a\n1;2\n1;2,5\n"),
            "3:3: '2,5' in column 'a' has a comma; write decimals with a point");
}

TEST(CsvRefusals, numbers_out_of_range) {
  EXPECT_EQ(refusal("1,nan\n"),
            "1:3: 'nan' in column 2 is not finite; fill or drop such rows, or give "
            "--allow-nonfinite");
  EXPECT_EQ(refusal("inf,1\n"), "1:1: 'inf' in column 1 is not finite; fill or drop such rows");
  EXPECT_EQ(refusal("1,1e999\n", {.allow_nonfinite = true}),
            "1:3: 1e999 in column 2 overflows a double; scale the column");
  EXPECT_EQ(refusal("1,1e300\n", {.dtype = Storage::f32}),
            "1:3: 1e300 in column 2 overflows a float; use --dtype f64");
}

TEST(CsvRefusals, weights_that_are_negative_or_not_finite) {
  const ReadOptions options{.weight_column = "w"};
  EXPECT_EQ(refusal("y,w,a\n1,-1,2\n", options),
            "2:3: weight -1 is not a finite number of at least 0");
  EXPECT_EQ(refusal("y,w,a\n1,nan,2\n", options),
            "2:3: weight nan is not a finite number of at least 0");
  EXPECT_EQ(refusal("y,w,a\n1,inf,2\n", options),
            "2:3: weight inf is not a finite number of at least 0");
}

TEST(CsvRefusals, broken_quotes) {
  EXPECT_EQ(refusal("y,a\n1,\"2\n3\"\n"),
            "2:3: quote not closed; a quoted field may not contain a line break");
  EXPECT_EQ(refusal("y,a\n1,\"2\"3\n"),
            "2:6: text after a closing quote; double a quote that belongs to the field");
  EXPECT_EQ(refusal("y,\"a\n1,2\n").substr(0, 4), "1:3:");
}

TEST(CsvRefusals, columns_that_are_not_there) {
  EXPECT_EQ(refusal("y,a\n1,2\n", {.label_column = "z"}),
            "1:1: no column 'z' for --label-column; the header has y, a");
  EXPECT_EQ(refusal("1,2\n", {.label_column = "z"}),
            "1:1: --label-column 'z', but the file has no header; give the column's number");
  for (const char* number : {"0", "3", "-3"})
    EXPECT_EQ(refusal("y,a\n1,2\n", {.weight_column = number}),
              fmt::format("1:1: --weight-column {} is not one of 2 columns; count from 1, or from "
                          "-1 at the end",
                          number));
  EXPECT_EQ(refusal("y,a\n1,2\n", {.label_column = "a", .weight_column = "2"}),
            "1:1: --label-column and --weight-column name the same column");
}

TEST(CsvRefusals, columns_without_a_name_of_their_own) {
  EXPECT_EQ(refusal(",y,a\n0,1,2\n"),
            "1:1: a column of the header has no name; name it, or drop the column (pandas: "
            "to_csv(index=False))");
  EXPECT_EQ(refusal("y,a,a\n0,1,2\n"), "1:5: two columns are named 'a'; rename one");
}

TEST(CsvRefusals, files_of_one_column) {
  EXPECT_EQ(refusal("1\n2\n"),
            "1:1: no feature column; is the separator none of comma, semicolon, tab and blank?");
}

TEST(CsvRefusals, columns_that_the_model_does_not_have_or_misses) {
  const ReadOptions options{.feature_names = {"a", "b"}};
  EXPECT_EQ(refusal("y,a,x,b\n1,2,3,4\n", options), "1:5: unknown column 'x'; the model has a, b");
  EXPECT_EQ(refusal("y,a\n1,2\n", options), "1:1: column 'b' of the model is missing");
  EXPECT_EQ(refusal("1,2\n", options),
            "1:1: 1 feature column, the model has 2; check --label-column and --n-features");
  EXPECT_EQ(refusal("y,a,b\n1,2,3\n", {.columns = 3}),
            "1:1: 2 feature columns, the model has 3; check --label-column and --n-features");
  EXPECT_EQ(refusal("a,b\n1,2\n", options),
            "1:1: no column for the label besides the model's features; give --label-column");
}

TEST(CsvRefusals, more_columns_than_allowed) {
  EXPECT_EQ(refusal("1,2,3,4\n", {.max_columns = 2}),
            "1:1: 3 feature columns, the limit is 2; raise --max-features");
}

TEST(CsvRefusals, separators_that_could_be_part_of_a_number) {
  EXPECT_EQ(refusal("1,2\n", {.separator = '.'}),
            " '.' cannot separate fields; use comma, semicolon, tab or blank");
}

}  // namespace
}  // namespace svrg
