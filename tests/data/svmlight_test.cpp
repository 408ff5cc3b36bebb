// What is odd and yet legal, and the exact words for all that is not.
#include <cmath>

#include "data_test.hpp"

namespace svrg {
namespace {

constexpr const char* suffix = ".svm";

std::vector<PlainRow> rows(const std::string& text, const ReadOptions& options = {}) {
  return rows_of(text, suffix, options);
}
std::string refusal(const std::string& text, const ReadOptions& options = {}) {
  return refusal_of(text, suffix, options);
}

const std::vector<PlainRow> three_rows = {
    {0, 1, 1, {0.5, 0, -2}}, {1, -1, 1, {0, 3, 0}}, {2, 2, 1, {0, 0, 0}}};

TEST(Svmlight, reads_the_plain_form) { expect_same(rows("1 1:0.5 3:-2\n-1 2:3\n2\n"), three_rows); }

TEST(Svmlight, reads_what_other_programs_write) {
  for (const char* text : {
           "+1 1:0.5 3:-2\n-1 2:3\n+2\n",            // signs
           "1e0 1:5e-1 3:-2e+0\n-1.0 2:3.\n.2e1\n",  // exponents and bare points
           "1 1:0.5 3:-2\r\n-1 2:3\r\n2\r\n",        // Windows
           "\xEF\xBB\xBF"
           "1 1:0.5 3:-2\n-1 2:3\n2\n",                             // byte order mark
           "1 1:0.5 3:-2\n-1 2:3\n2",                               // no final newline
           "1\t1:0.5\t3:-2\n-1  2:3\n2\n",                          // tabs, several blanks
           "  1 1:0.5 3:-2  \n\t-1 2:3\t\n2 \t \r\n",               // blanks at the ends
           "# head\n\n1 1:0.5 3:-2\n \t\n-1 2:3\n  # note\n2\n\n",  // blank and comment lines
           "1 1:0.5 3:-2 # a:b 9:9\n-1 2:3#x\n2 # nothing\n",       // comments behind rows
           "1 qid:7 1:0.5 3:-2\n-1 qid:7 2:3\n2 qid:8\n",           // queries
           "1 1:0.5 2:0 3:-2\n-1 1:0 2:3 3:0.0\n2 1:-0\n",          // explicit zeros
           "1 01:0.5 3:-2\n-1 002:3\n2\n",                          // leading zeros
       })
    expect_same(rows(text), three_rows);
}

TEST(Svmlight, starts_at_zero_if_told_or_if_a_zero_is_there) {
  const std::string from_zero = "1 0:0.5 2:-2\n-1 1:3\n2\n", from_one = "1 1:0.5 3:-2\n-1 2:3\n2\n";
  expect_same(rows(from_zero, {.index_base = IndexBase::zero}), three_rows);
  expect_same(rows(from_zero, {.index_base = IndexBase::automatic}), three_rows);
  expect_same(rows(from_one, {.index_base = IndexBase::automatic}), three_rows);
  EXPECT_EQ(rows(from_one, {.index_base = IndexBase::zero})[0].values,
            (std::vector<double>{0, 0.5, 0, -2}));
}

TEST(Svmlight, finds_a_zero_index_behind_a_query) {
  EXPECT_EQ(rows("1 qid:1 0:5\n", {.index_base = IndexBase::automatic})[0].values,
            std::vector<double>{5});
}

TEST(Svmlight, takes_the_number_of_features_from_the_options) {
  EXPECT_EQ(rows("1 1:2\n", {.columns = 4})[0].values, (std::vector<double>{2, 0, 0, 0}));
}

TEST(Svmlight, reads_a_file_without_any_feature) {
  const auto found = rows("1\n2\n");
  EXPECT_EQ(found.size(), 2U);
  EXPECT_TRUE(found.front().values.empty());
}

TEST(Svmlight, reads_rows_without_labels_where_none_is_needed) {
  const auto found = rows("1:5 2:6\n3 1:7\n qid:4 2:8\n", {.labels_required = false});
  EXPECT_TRUE(std::isnan(found[0].label));
  EXPECT_EQ(found[0].values, (std::vector<double>{5, 6}));
  EXPECT_EQ(found[1].label, 3);
  EXPECT_TRUE(std::isnan(found[2].label));
  EXPECT_EQ(found[2].values, (std::vector<double>{0, 8}));
}

TEST(Svmlight, reads_values_that_are_not_finite_only_if_told) {
  EXPECT_EQ(refusal("1 1:2 2:nan\n"),
            "1:9: value 'nan' of feature 2 is not finite; fill or drop such rows, or give "
            "--allow-nonfinite");
  EXPECT_EQ(refusal("1 1:-inf\n").substr(0, 4), "1:5:");
  const auto found = rows("1 1:NaN 2:-inf\n", {.allow_nonfinite = true});
  EXPECT_TRUE(std::isnan(found[0].values[0]));
  EXPECT_EQ(found[0].values[1], -HUGE_VAL);
}

TEST(Svmlight, refuses_indices_that_do_not_ascend) {
  EXPECT_EQ(refusal("1 1:1\n-1 9:1 5:2\n"),
            "2:8: feature index 5 after 9; indices must ascend within a line");
  EXPECT_EQ(refusal("1 2:1 2:2\n"),
            "1:7: feature index 2 twice; indices must ascend within a line");
}

TEST(Svmlight, refuses_an_index_zero_and_names_the_option) {
  EXPECT_EQ(refusal("1 0:1\n"),
            "1:3: feature index 0, but indices start at 1; give --index-base 0 if they start at 0");
}

TEST(Svmlight, refuses_indices_that_are_no_whole_numbers) {
  EXPECT_EQ(refusal("1 -3:1\n"), "1:3: feature index -3 is negative; indices start at 1");
  EXPECT_EQ(refusal("1 x:1\n"),
            "1:3: 'x' is not a feature index; write index:value with a whole number");
  EXPECT_EQ(refusal("1 1.5:1\n"),
            "1:3: '1.5' is not a feature index; write index:value with a whole number");
  EXPECT_EQ(refusal("1 1:2 :3\n"),
            "1:7: no feature index before ':'; write index:value without blanks");
  EXPECT_EQ(refusal("1 1:2 qid:3\n"), "1:7: qid out of place; it stands once, behind the label");
  EXPECT_EQ(refusal("1 qid:x 1:2\n"),
            "1:3: 'qid:x' is not a query number; write qid:n with a whole number");
}

TEST(Svmlight, refuses_indices_beyond_all_limits) {
  EXPECT_EQ(refusal("1 99999999999999999999999:1\n"),
            "1:3: feature index 99999999999999999999999 beyond the limit of 2147483648 features; "
            "raise --max-features (2147483648 at most)");
  EXPECT_EQ(refusal("1 2147483649:1\n").substr(0, 4), "1:3:");
  EXPECT_EQ(refusal("1 1:1 101:1\n", {.max_columns = 100}),
            "1:7: feature index 101 beyond the limit of 100 features; raise --max-features "
            "(2147483648 at most)");
  EXPECT_EQ(refusal("1 54:1\n1 61:1\n", {.columns = 54}),
            "2:3: feature index 61 beyond the model's 54 features; train with a larger "
            "--n-features");
  EXPECT_EQ(refusal("1 0:1 54:1\n", {.index_base = IndexBase::zero, .columns = 54}),
            "1:7: feature index 54 beyond the model's 54 features (from 0); train with a larger "
            "--n-features");
}

TEST(Svmlight, reads_the_largest_index_there_can_be) {
  const Shard shard = read_string("1 2147483648:3\n", suffix);
  EXPECT_EQ(shard.info().columns, Index{1} << 31);
  EXPECT_TRUE(shard.sparse());
}

TEST(Svmlight, refuses_labels_that_are_no_finite_numbers) {
  EXPECT_EQ(refusal("cat 1:1\n"), "1:1: label 'cat' is not a number; map the classes to numbers");
  EXPECT_EQ(refusal("1 1:1\n  1,2 1:1\n"),
            "2:3: label '1,2' is not a number; map the classes to numbers");
  EXPECT_EQ(refusal("nan 1:1\n"),
            "1:1: label 'nan' is not a finite number; fill or drop such rows");
  EXPECT_EQ(refusal("1:1 2:1\n"), "1:1: no label before '1:1'; a line starts with its label");
}

TEST(Svmlight, refuses_values_that_are_no_numbers) {
  EXPECT_EQ(refusal("1 5\n"), "1:3: '5' has no ':'; write index:value");
  EXPECT_EQ(refusal("1 5: 3\n"), "1:5: feature 5 has no value; write index:value without blanks");
  EXPECT_EQ(refusal("1 5:"), "1:5: feature 5 has no value; write index:value without blanks");
  EXPECT_EQ(refusal("1 5:x\n"), "1:5: value 'x' of feature 5 is not a number");
  EXPECT_EQ(refusal("1 5:1.5.2\n"), "1:5: value '1.5.2' of feature 5 is not a number");
  EXPECT_EQ(refusal("1 1:1 5:1,5\n"),
            "1:9: value '1,5' of feature 5 has a comma; write decimals with a point");
  EXPECT_EQ(refusal("1 5:1e999\n"),
            "1:5: value 1e999 of feature 5 overflows a double; scale the feature");
}

TEST(Svmlight, refuses_values_beyond_float_where_floats_are_stored) {
  EXPECT_EQ(refusal("1 5:1e300\n", {.dtype = Storage::f32}),
            "1:5: value 1e300 of feature 5 overflows a float; use --dtype f64");
}

TEST(Svmlight, shows_only_a_little_of_a_broken_line) {
  const std::string message = refusal("1 1:\x1b[31m" + std::string(500, 'x') + "\n");
  EXPECT_LT(message.size(), 120U);
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace svrg
