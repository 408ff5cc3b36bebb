#include "quantity.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "text.hpp"

namespace svrg::app {
namespace {

TEST(Duration, is_read_with_and_without_units) {
  EXPECT_EQ(parse_duration("90"), 90);
  EXPECT_EQ(parse_duration("20s"), 20);
  EXPECT_EQ(parse_duration("1h50m"), 6600);
  EXPECT_EQ(parse_duration("1d2h3m4s"), 93784);
  EXPECT_EQ(parse_duration("1.5h"), 5400);
  EXPECT_EQ(parse_duration("0"), 0);
}

TEST(Duration, is_not_read_from_anything_else) {
  for (const auto* text : {"", "h", "1x", "1h50", "50m1h", "1m1m", "-5", "-5s", "1 h", "1h ", "inf",
                           "nan", "1e400", "+5s"})
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
}

TEST(Size, is_in_powers_of_1024) {
  EXPECT_EQ(parse_size("4G"), Index{4} << 30);
  EXPECT_EQ(parse_size("512M"), Index{512} << 20);
  EXPECT_EQ(parse_size("1.5K"), 1536);
  EXPECT_EQ(parse_size("2TiB"), Index{2} << 40);
  EXPECT_EQ(parse_size("1GB"), Index{1} << 30);
  EXPECT_EQ(parse_size("100B"), 100);
  EXPECT_EQ(parse_size("100"), 100);
  for (const auto* text :
       {"", "G", "4X", "4GG", "-1", "1 G", "99999999999999999999", "9000000000G"})
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
}

TEST(Scaled, is_a_number_or_one_over_the_rows) {
  EXPECT_DOUBLE_EQ(parse_scaled("0.1/n")->resolve(10), 0.01);
  EXPECT_DOUBLE_EQ(parse_scaled("1/n")->resolve(4), 0.25);
  EXPECT_DOUBLE_EQ(parse_scaled("1e-4")->resolve(10), 1e-4);
  for (const auto* text : {"", "/n", "n", "1/m", "1/n/n", "x/n"})
    EXPECT_FALSE(parse_scaled(text).has_value()) << text;
}

TEST(Period, is_in_epochs_without_a_unit_and_in_time_with_one) {
  EXPECT_EQ(parse_period("5")->epochs, 5);
  EXPECT_EQ(parse_period("5")->seconds, 0);
  EXPECT_EQ(parse_period("10m")->seconds, 600);
  EXPECT_EQ(parse_period("10m")->epochs, 0);
  EXPECT_FALSE(parse_period("2.5").has_value());
  EXPECT_FALSE(parse_period("often").has_value());
}

TEST(Numbers, are_read_whole_or_not_at_all) {
  EXPECT_EQ(parse_integer("-12"), -12);
  EXPECT_EQ(parse_number("1e-6"), 1e-6);
  for (const auto* text : {"", " 1", "1 ", "1x", "0x10", "+1"}) {
    EXPECT_EQ(parse_integer(text), std::nullopt) << text;
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_integer("9223372036854775808"), std::nullopt);
}

TEST(Numbers, are_shown_short) {
  EXPECT_EQ(format_seconds(0.14), "0.1 s");
  EXPECT_EQ(format_seconds(99.96), "1m40s");
  EXPECT_EQ(format_seconds(3599.6), "1h00m");
  EXPECT_EQ(format_seconds(11220), "3h07m");
  EXPECT_EQ(format_seconds(187200), "2d04h");
  EXPECT_EQ(format_seconds(std::numeric_limits<double>::infinity()), "-");
  EXPECT_EQ(format_count(950), "950");
  EXPECT_EQ(format_count(999.6), "1.0 k");
  EXPECT_EQ(format_count(4.56e6), "4.6 M");
  EXPECT_EQ(format_count(999.96e6), "1.0 G");
}

TEST(Text, is_split_joined_and_wrapped) {
  EXPECT_EQ(split("a,,b,", ','), (std::vector<std::string>{"a", "", "b", ""}));
  EXPECT_TRUE(split("", ',').empty());
  EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
  EXPECT_EQ(wrapped("aa bb cc", 7, 2), "aa bb\n  cc");
  EXPECT_EQ(wrapped("much-too-long", 5), "much-too-long");
}

}  // namespace
}  // namespace svrg::app
