#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace svrg {

/// MXNet's 2-bit rule. residual += values; every element at or beyond ±threshold is sent as
/// ±threshold and taken off its residual, the others are sent as 0 and wait. 16 codes a word, value
/// i in byte (i mod 16)/4 of word i/16, the first of a byte in its highest bits: 11 is +threshold,
/// 10 −threshold, 00 nothing. `words` becomes ceil(n/16) long. Local.
/// @throws ConfigError unless threshold > 0
template <class Real>
void encode_two_bit(std::span<const Real> values, std::span<Real> residual, double threshold,
                    std::vector<std::uint32_t>& words);
/// Adds what `words` say to sum.
template <class Real>
void add_two_bit(std::span<const std::uint32_t> words, double threshold, std::span<Real> sum);

}  // namespace svrg
