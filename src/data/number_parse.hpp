#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace svrg::text {

/// Bytes that must be readable behind a text for parse_decimal; what they are does not matter.
inline constexpr std::size_t readable_behind = 8;

inline bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

inline constexpr double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                           1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                           1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/// As parse_decimal, for numbers of any length, inf and nan.
const char* parse_any_number(const char* p, double& value);

/// Appends the digits at p to `mantissa`, modulo 2^64; the first byte after them. One digit at a
/// time: best for the few digits of an index or of a whole part.
inline const char* parse_digits(const char* p, std::uint64_t& mantissa) {
  for (; is_digit(*p); ++p) mantissa = mantissa * 10 + static_cast<std::uint64_t>(*p - '0');
  return p;
}

/// The same, eight digits at a time without a branch on their number: best for fractions, whose
/// length nobody can predict. The last digit comes last in memory, hence in the highest byte.
inline const char* parse_fraction(const char* p, std::uint64_t& mantissa) {
  static_assert(std::endian::native == std::endian::little);
  constexpr std::uint64_t powers[] = {1,      10,      100,      1000,     10000,
                                      100000, 1000000, 10000000, 100000000};
  const auto join = [](std::uint64_t digits) {
    const std::uint64_t pairs = digits * 10 + (digits >> 8);
    constexpr std::uint64_t mask = 0x000000FF000000FFU;
    return ((pairs & mask) * 0x000F424000000064U + ((pairs >> 16 & mask) * 0x0000271000000001U)) >>
           32;
  };
  while (true) {
    std::uint64_t digits = 0;
    std::memcpy(&digits, p, sizeof digits);
    digits ^= 0x3030303030303030U;
    // The lowest marked byte is the first that is no digit.
    const std::uint64_t marks = ((digits + 0x7676767676767676U) | digits) & 0x8080808080808080U;
    if (marks == 0) {
      mantissa = mantissa * powers[8] + join(digits);
      p += 8;
      continue;
    }
    const int count = std::countr_zero(marks) / 8;
    digits = digits << 8 * (7 - count) << 8;  // in two steps, as the count may be 0
    mantissa = mantissa * powers[count] + join(digits);
    return p + count;
  }
}

/// The decimal number at p, correctly rounded whatever the locale; the first byte after it, or null
/// where there is none. The text must end in a byte that no number contains, such as a line end.
/// A mantissa up to 2^53 and a power of ten up to 10^22 are doubles, so that one multiplication or
/// division rounds once: that is what strtod would give (Clinger 1990).
inline const char* parse_decimal(const char* p, double& value) {
  const char* const start = p;
  const bool negative = *p == '-';
  p += negative;
  std::uint64_t mantissa = 0;
  const char* const whole = p;
  p = parse_digits(p, mantissa);
  auto digits = p - whole;
  std::int64_t exponent = 0;
  if (*p == '.') {
    const char* const fraction = ++p;
    p = parse_fraction(p, mantissa);
    exponent = fraction - p;
    digits -= exponent;
  }
  if (digits == 0 || digits > 19) return parse_any_number(start, value);
  if (*p == 'e' || *p == 'E') {
    const bool shrinks = p[1] == '-';
    const char* const power = p + 1 + (shrinks || p[1] == '+');
    std::uint64_t by = 0;
    p = parse_digits(power, by);
    if (p == power || p - power > 4) return parse_any_number(start, value);
    exponent += shrinks ? -static_cast<std::int64_t>(by) : static_cast<std::int64_t>(by);
  }
  if (mantissa > std::uint64_t{1} << 53 || exponent > 22 || exponent < -22)
    return parse_any_number(start, value);
  const auto exact = static_cast<double>(static_cast<std::int64_t>(mantissa));
  const double size =
      exponent < 0 ? exact / powers_of_ten[-exponent] : exact * powers_of_ten[exponent];
  // The sign by its bit: a branch would be guessed wrong half of the time.
  value = std::bit_cast<double>(std::bit_cast<std::uint64_t>(size) |
                                static_cast<std::uint64_t>(negative) << 63);
  return p;
}

}  // namespace svrg::text
