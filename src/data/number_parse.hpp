#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace svrg::text {

/// Bytes that must be readable behind a text for what parses it; what they are does not matter.
inline constexpr std::size_t readable_behind = 16;

inline bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

inline constexpr double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                           1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                           1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

inline constexpr std::uint64_t whole_powers_of_ten[] = {1,      10,      100,      1000,     10000,
                                                        100000, 1000000, 10000000, 100000000};

/// The whole numbers up to this one are doubles.
inline constexpr std::uint64_t largest_exact = std::uint64_t{1} << 53;

/// As parse_decimal, for numbers of any length, inf and nan.
const char* parse_any_number(const char* p, double& value);
/// The number that [p, end) is, correctly rounded; returns end. It has no plus sign.
const char* parse_long_decimal(const char* p, const char* end, double& value);

/// Appends the digits at p to `mantissa`, modulo 2^64; the first byte after them. One digit at a
/// time: best for the few digits of an index or of a whole part.
inline const char* parse_digits(const char* p, std::uint64_t& mantissa) {
  for (; is_digit(*p); ++p) mantissa = mantissa * 10 + static_cast<std::uint64_t>(*p - '0');
  return p;
}

static_assert(std::endian::native == std::endian::little);

inline std::uint64_t eight_bytes(const char* p) {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, p, sizeof bytes);
  return bytes;
}

/// The first `count` of the eight bytes at p, from 1 to 8, each less '0', behind zeros. The last
/// one comes last in memory, hence is the highest byte.
inline std::uint64_t leading_digits(const char* p, unsigned count) {
  return (eight_bytes(p) ^ 0x3030303030303030U) << 8 * (8 - count);
}
/// Whether all eight bytes are below 10.
inline bool all_digits(std::uint64_t digits) {
  return (((digits + 0x7676767676767676U) | digits) & 0x8080808080808080U) == 0;
}
/// The number that eight digits write.
inline std::uint64_t joined(std::uint64_t digits) {
  const std::uint64_t pairs = digits * 10 + (digits >> 8);
  constexpr std::uint64_t mask = 0x000000FF000000FFU;
  return ((pairs & mask) * 0x000F424000000064U + ((pairs >> 16 & mask) * 0x0000271000000001U)) >>
         32;
}

/// The same as parse_digits, eight digits at a time without a branch on their number: best for
/// fractions, whose length nobody can predict.
inline const char* parse_fraction(const char* p, std::uint64_t& mantissa) {
  while (true) {
    const std::uint64_t digits = leading_digits(p, 8);
    // The lowest marked byte is the first that is no digit.
    const std::uint64_t marks = ((digits + 0x7676767676767676U) | digits) & 0x8080808080808080U;
    const auto count = marks == 0 ? 8U : static_cast<unsigned>(std::countr_zero(marks)) / 8;
    if (count == 0) return p;
    mantissa = mantissa * whole_powers_of_ten[count] + joined(digits << 8 * (8 - count));
    p += count;
    if (count < 8) return p;
  }
}

/// The sign by its bit: a branch would be guessed wrong half of the time.
inline double signed_number(double size, bool negative) {
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(size) |
                               static_cast<std::uint64_t>(negative) << 63);
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
  if (digits == 0) return parse_any_number(start, value);
  if (*p == 'e' || *p == 'E') {
    const bool shrinks = p[1] == '-';
    const char* const power = p + 1 + (shrinks || p[1] == '+');
    std::uint64_t by = 0;
    p = parse_digits(power, by);
    if (p == power || p - power > 4) return parse_any_number(start, value);
    exponent += shrinks ? -static_cast<std::int64_t>(by) : static_cast<std::int64_t>(by);
  }
  if (digits > 19 || mantissa > largest_exact || exponent > 22 || exponent < -22)
    return parse_long_decimal(start, p, value);
  const auto exact = static_cast<double>(static_cast<std::int64_t>(mantissa));
  const double size =
      exponent < 0 ? exact / powers_of_ten[-exponent] : exact * powers_of_ten[exponent];
  value = signed_number(size, negative);
  return p;
}

/// A value as nearly all are, up to the blank behind it: no exponent, at most 15 bytes and 8 digits
/// behind the point. Null for anything else, right or wrong. Where it ends is known from one look
/// at its bytes, so that the next one can begin while this one's digits are put together.
inline const char* parse_short_value(const char* p, double& value) {
#ifdef __SSE2__
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const __m128i blank = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(' ')), bytes);
  const auto blanks = static_cast<unsigned>(_mm_movemask_epi8(blank));
  if (blanks == 0) return nullptr;
  const char* const end = p + std::countr_zero(blanks);
  const bool negative = *p == '-';
  const char* const whole = p + negative;
  std::uint64_t mantissa = 0;
  const char* const point = parse_digits(whole, mantissa);
  if (point == whole) return nullptr;
  std::ptrdiff_t behind = 0;
  if (point != end) {
    behind = end - point - 1;
    if (*point != '.' || behind < 1 || behind > 8) return nullptr;
    const std::uint64_t digits = leading_digits(point + 1, static_cast<unsigned>(behind));
    if (!all_digits(digits)) return nullptr;
    mantissa = mantissa * whole_powers_of_ten[behind] + joined(digits);
  }
  value = signed_number(
      static_cast<double>(static_cast<std::int64_t>(mantissa)) / powers_of_ten[behind], negative);
  return end;
#else
  return nullptr;
#endif
}

}  // namespace svrg::text
