#include "svrg/comm/two_bit.hpp"

#include "svrg/core/error.hpp"

namespace svrg {
namespace {

constexpr std::size_t per_word = 16;
constexpr std::uint32_t plus = 3, minus = 2;

// Where the two bits of value i are in its word.
constexpr unsigned shift(std::size_t i) {
  const std::size_t byte = i % per_word / 4, in_byte = i % 4;
  return static_cast<unsigned>(8 * byte + 6 - 2 * in_byte);
}

}  // namespace

template <class Real>
void encode_two_bit(std::span<const Real> values, std::span<Real> residual, double threshold,
                    std::vector<std::uint32_t>& words) {
  if (!(threshold > 0)) throw ConfigError("2-bit compression: the threshold must be above 0");
  SVRG_EXPECT(values.size() == residual.size(), "one residual a value");
  const auto t = static_cast<Real>(threshold);
  words.assign((values.size() + per_word - 1) / per_word, 0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    Real& r = residual[i];
    r += values[i];
    if (r >= t) {
      words[i / per_word] |= plus << shift(i);
      r -= t;
    } else if (r <= -t) {
      words[i / per_word] |= minus << shift(i);
      r += t;
    }
  }
}

template <class Real>
void add_two_bit(std::span<const std::uint32_t> words, double threshold, std::span<Real> sum) {
  SVRG_EXPECT(words.size() == (sum.size() + per_word - 1) / per_word, "16 codes a word");
  const auto t = static_cast<Real>(threshold);
  for (std::size_t i = 0; i < sum.size(); ++i) {
    const std::uint32_t code = words[i / per_word] >> shift(i) & 3;
    if (code == plus) sum[i] += t;
    if (code == minus) sum[i] -= t;
  }
}

template void encode_two_bit<float>(std::span<const float>, std::span<float>, double,
                                    std::vector<std::uint32_t>&);
template void encode_two_bit<double>(std::span<const double>, std::span<double>, double,
                                     std::vector<std::uint32_t>&);
template void add_two_bit<float>(std::span<const std::uint32_t>, double, std::span<float>);
template void add_two_bit<double>(std::span<const std::uint32_t>, double, std::span<double>);

}  // namespace svrg
