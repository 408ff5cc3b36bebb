#include "svrg/core/random.hpp"

#include <Random123/philox.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>
#include <vector>

namespace svrg {
namespace {

r123::Philox4x32::ctr_type draw(std::uint64_t seed, std::uint64_t stream, std::uint64_t counter) {
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  return r123::Philox4x32()({{low(counter), high(counter), low(stream), high(stream)}},
                            {{low(seed), high(seed)}});
}

std::uint64_t join(std::uint32_t low, std::uint32_t high) {
  return static_cast<std::uint64_t>(high) << 32 | low;
}

double unit(std::uint64_t bits) { return (static_cast<double>(bits >> 11) + 0.5) * 0x1p-53; }

// One round's mixing function of the Feistel network (the finaliser of SplitMix64).
std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 30;
  x *= 0xBF58476D1CE4E5B9U;
  x ^= x >> 27;
  x *= 0x94D049BB133111EBU;
  return x ^ x >> 31;
}

constexpr int rounds = 4;

// Takes the step with every item, and again with those that are not below n. One item's rounds wait
// for each other; without a branch that nobody can guess, those of several go on at once.
template <class Step>
void walk(std::span<Index> items, std::uint64_t n, Step step) {
  std::array<std::size_t, 256> outside{};
  const auto go = [&](std::size_t i, std::size_t& outsiders) {
    const std::uint64_t x = step(static_cast<std::uint64_t>(items[i]));
    items[i] = static_cast<Index>(x);
    outside[outsiders] = i;
    outsiders += x >= n;
  };
  for (std::size_t first = 0; first < items.size(); first += outside.size()) {
    std::size_t left = 0;
    const std::size_t end = std::min(items.size(), first + outside.size());
    for (std::size_t i = first; i < end; ++i) go(i, left);
    while (left > 0) {
      std::size_t still = 0;
      for (std::size_t k = 0; k < left; ++k) go(outside[k], still);
      left = still;
    }
  }
}

}  // namespace

std::uint64_t CounterRandom::bits(std::uint64_t counter) const noexcept {
  const auto r = draw(seed_, stream_, counter);
  return join(r[0], r[1]);
}

double CounterRandom::uniform(std::uint64_t counter) const noexcept { return unit(bits(counter)); }

double CounterRandom::normal(std::uint64_t counter) const noexcept {
  const auto r = draw(seed_, stream_, counter);
  const double radius = std::sqrt(-2 * std::log(unit(join(r[0], r[1]))));
  return radius * std::cos(2 * std::numbers::pi * unit(join(r[2], r[3])));
}

Index CounterRandom::below(Index n, std::uint64_t counter) const noexcept {
  __extension__ using Wide = unsigned __int128;
  return static_cast<Index>(static_cast<Wide>(bits(counter)) * static_cast<Wide>(n) >> 64);
}

void keep_runs_together(std::span<Index> order, Index first, Index run) {
  if (run <= 1) return;
  const auto count = static_cast<Index>(order.size());
  std::vector<Index> turns(static_cast<std::size_t>((count + run - 1) / run), -1);
  const auto turn = [&](Index number) -> Index& {
    return turns[static_cast<std::size_t>((number - first) / run)];
  };
  Index met = 0;  // runs come as the first of their numbers did
  for (const Index number : order)
    if (turn(number) < 0) turn(number) = met++;
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return turn(a) < turn(b); });
}

Permutation::Permutation(Index n, std::uint64_t key)
    : n_(static_cast<std::uint64_t>(n)), key_(key), half_mask_(0), half_bits_(1) {
  const int width = n > 1 ? static_cast<int>(std::bit_width(n_ - 1)) : 1;
  half_bits_ = (width + 1) / 2;
  half_mask_ = (std::uint64_t{1} << half_bits_) - 1;
}

std::uint64_t Permutation::encrypt(std::uint64_t x) const noexcept {
  std::uint64_t left = x >> half_bits_, right = x & half_mask_;
  for (int r = 0; r < rounds; ++r) {
    const std::uint64_t next =
        left ^
        (mix(right + key_ + static_cast<std::uint64_t>(r) * 0x9E3779B97F4A7C15U) & half_mask_);
    left = right;
    right = next;
  }
  return left << half_bits_ | right;
}

std::uint64_t Permutation::decrypt(std::uint64_t x) const noexcept {
  std::uint64_t left = x >> half_bits_, right = x & half_mask_;
  for (int r = rounds - 1; r >= 0; --r) {
    const std::uint64_t previous =
        right ^
        (mix(left + key_ + static_cast<std::uint64_t>(r) * 0x9E3779B97F4A7C15U) & half_mask_);
    right = left;
    left = previous;
  }
  return left << half_bits_ | right;
}

Index Permutation::operator()(Index i) const noexcept {
  auto x = encrypt(static_cast<std::uint64_t>(i));
  while (x >= n_) x = encrypt(x);
  return static_cast<Index>(x);
}

Index Permutation::inverse(Index position) const noexcept {
  auto x = decrypt(static_cast<std::uint64_t>(position));
  while (x >= n_) x = decrypt(x);
  return static_cast<Index>(x);
}

void Permutation::apply(std::span<Index> rows) const noexcept {
  walk(rows, n_, [this](std::uint64_t x) { return encrypt(x); });
}

void Permutation::apply_inverse(std::span<Index> positions) const noexcept {
  walk(positions, n_, [this](std::uint64_t x) { return decrypt(x); });
}

}  // namespace svrg
