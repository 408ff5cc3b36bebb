#include "data/number_parse.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
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

// Of the form that parse_short_value knows, which must not leave it to others where it is compiled.
bool short_form(const std::string& number) {
  const auto digits = [&](std::size_t from, std::size_t to) {
    return std::all_of(number.begin() + static_cast<std::ptrdiff_t>(from),
                       number.begin() + static_cast<std::ptrdiff_t>(to), is_digit);
  };
  const std::size_t whole = number.starts_with('-') ? 1 : 0, point = number.find('.');
  if (number.size() > 15) return false;
  if (point == number.npos) return number.size() > whole && digits(whole, number.size());
  const std::size_t behind = number.size() - point - 1;
  return point > whole && behind >= 1 && behind <= 8 && digits(whole, point) &&
         digits(point + 1, number.size());
}

// Where there is a value it ends at a blank; else parse_decimal has to say what the text is.
void expect_short_as_strtod(const std::string& number, char blank) {
  const std::string text = number + blank + std::string(readable_behind, '5');
  double value = 0;
  const char* const end = parse_short_value(text.data(), value);
#ifdef __SSE2__
  EXPECT_EQ(end != nullptr, short_form(number)) << number;
#endif
  if (end == nullptr) return;
  EXPECT_EQ(end - text.data(), static_cast<std::ptrdiff_t>(number.size())) << number;
  EXPECT_EQ(std::bit_cast<std::uint64_t>(value),
            std::bit_cast<std::uint64_t>(std::strtod(number.c_str(), nullptr)))
      << number;
}

void expect_as_strtod(const std::string& number) {
  for (const char blank : {' ', '\n', '\t', '\r'}) expect_short_as_strtod(number, blank);
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

TEST(NumberParse, short_values_equal_strtod_with_every_number_of_digits) {
  std::mt19937_64 random(13);
  for (std::size_t before = 0; before <= 15; ++before)
    for (std::size_t behind = 0; behind <= 10; ++behind)
      for (int draw = 0; draw < 40; ++draw) {
        // All nines and a one behind zeros are the largest and smallest that fit.
        std::string digits(before + behind, draw == 0 ? '9' : '0');
        if (draw == 1 && !digits.empty()) digits.back() = '1';
        if (draw > 1)
          for (char& c : digits) c = static_cast<char>('0' + random() % 10);
        std::string number = (draw % 2 == 0 ? "-" : "") + digits.substr(0, before);
        if (behind > 0 || draw % 3 == 0) number += "." + digits.substr(before);
        if (before + behind > 0) expect_as_strtod(number);
      }
}

TEST(NumberParse, a_short_value_is_nothing_but_a_number) {
  // Any byte in any place of a value that would do without it.
  for (const std::string good : {"-1.25", "0.123456", "17", "9.87654321"})
    for (std::size_t at = 0; at < good.size(); ++at)
      for (int byte = 1; byte < 256; ++byte) {
        std::string number = good;
        number[at] = static_cast<char>(byte);
        if (static_cast<unsigned char>(number[at]) > ' ') expect_short_as_strtod(number, ' ');
      }
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
