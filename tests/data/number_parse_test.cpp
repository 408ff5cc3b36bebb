#include "data/number_parse.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <random>
#include <string>

namespace svrg::text {
namespace {

struct Parsed {
  double value = 0;
  std::ptrdiff_t length = -1;  // −1: no number
};

Parsed parse(const std::string& number) {
  const std::string text = number + std::string(1 + readable_behind, '\n');
  Parsed answer;
  const char* end = parse_decimal(text.data(), answer.value);
  if (end != nullptr) answer.length = end - text.data();
  return answer;
}

void expect_as_strtod(const std::string& number) {
  const Parsed parsed = parse(number);
  const double expected = std::strtod(number.c_str(), nullptr);
  EXPECT_EQ(parsed.length, static_cast<std::ptrdiff_t>(number.size())) << number;
  EXPECT_EQ(std::bit_cast<std::uint64_t>(parsed.value), std::bit_cast<std::uint64_t>(expected))
      << number;
}

TEST(NumberParse, equals_strtod_on_random_decimals_to_the_last_bit) {
  std::mt19937_64 random(7);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  const auto digits = [&](std::uint64_t n) {
    std::string s;
    for (std::uint64_t i = 0; i < n; ++i) s.push_back(static_cast<char>('0' + below(10)));
    return s;
  };
  for (int i = 0; i < 20000; ++i) {
    std::string number(below(3) == 0 ? "-" : below(6) == 0 ? "+" : "");
    number += digits(1 + below(i % 50 == 0 ? 40 : 6));
    if (below(4) != 0) number.append(".").append(digits(below(i % 20 == 0 ? 40 : 18)));
    if (below(4) == 0)
      number += fmt::format("{}{}{}", below(2) == 0 ? 'e' : 'E',
                            below(3) == 0   ? "+"
                            : below(2) == 0 ? "-"
                                            : "",
                            below(i % 9 ? 25 : 400));
    expect_as_strtod(number);
  }
}

TEST(NumberParse, reads_back_every_double_it_is_given) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 20000; ++i) {
    const auto value = std::bit_cast<double>(random());
    if (std::isfinite(value)) expect_as_strtod(fmt::format("{}", value));
  }
}

TEST(NumberParse, equals_strtod_at_the_borders_of_its_fast_path) {
  for (const char* number : {"0",
                             "-0",
                             "+0",
                             "0.0",
                             "-0.0e5",
                             "1.",
                             ".5",
                             "-.5",
                             "+.5",
                             "007",
                             "1e22",
                             "1e23",
                             "1e-22",
                             "1e-23",
                             "9007199254740992",
                             "9007199254740993",
                             "9007199254740993e-10",
                             "12345678",
                             "0.12345678",
                             "0.123456789012345678",
                             "1.1234567890123456789012345",
                             "1e0000",
                             "1e00005",
                             "4.9e-324",
                             "2e-324",
                             "1e-400",
                             "1.7976931348623157e308",
                             "1e400",
                             "-1e400",
                             "9999999999999999999",
                             "99999999999999999999",
                             "0.00000000000000000000001",
                             "179769313486231580793728971405301e276"})
    expect_as_strtod(number);
}

TEST(NumberParse, stops_behind_the_number) {
  EXPECT_EQ(parse("1.5 2").length, 3);
  EXPECT_EQ(parse("1,5").length, 1);
  EXPECT_EQ(parse("1.5.2").length, 3);
  EXPECT_EQ(parse("1e").length, 1);
  EXPECT_EQ(parse("1e+").length, 1);
  EXPECT_EQ(parse("0x10").length, 1);
}

TEST(NumberParse, finds_no_number_in_other_text) {
  for (const char* text : {"", "-", "+", ".", "-.", "e5", "abc", "--1", "+-1", "-+1", ":", ","})
    EXPECT_EQ(parse(text).length, -1) << text;
}

TEST(NumberParse, knows_nan_and_infinity) {
  EXPECT_TRUE(std::isnan(parse("nan").value));
  EXPECT_TRUE(std::isnan(parse("NaN").value));
  EXPECT_EQ(parse("inf").value, HUGE_VAL);
  EXPECT_EQ(parse("+inf").value, HUGE_VAL);
  EXPECT_EQ(parse("-Infinity").value, -HUGE_VAL);
}

}  // namespace
}  // namespace svrg::text
