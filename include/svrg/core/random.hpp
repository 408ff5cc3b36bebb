#pragma once
#include <cstdint>
#include <span>
#include <utility>

#include "svrg/core/types.hpp"

namespace svrg {

/// Counter-based random numbers: a value is a function of (seed, stream, counter) and of nothing
/// else, so ranks, resumes and threads can draw the same ones without talking.
/// Source: Salmon, Moraes, Dror, Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3";
/// Philox4x32-10.
class CounterRandom {
 public:
  CounterRandom(std::uint64_t seed, std::uint64_t stream) noexcept : seed_(seed), stream_(stream) {}
  /// 64 uniform bits.
  std::uint64_t bits(std::uint64_t counter) const noexcept;
  /// Uniform in (0, 1).
  double uniform(std::uint64_t counter) const noexcept;
  /// Standard normal (Box–Muller on one counter's 128 bits).
  double normal(std::uint64_t counter) const noexcept;
  /// Uniform in [0, n) without modulo bias worth naming (64-bit multiply-shift).
  Index below(Index n, std::uint64_t counter) const noexcept;

 private:
  std::uint64_t seed_, stream_;
};

/// Fisher–Yates over the whole span; the result is a function of (random, size).
template <class T>
void shuffle(std::span<T> items, const CounterRandom& random) {
  for (Index i = static_cast<Index>(items.size()) - 1; i > 0; --i)
    std::swap(items[static_cast<std::size_t>(i)],
              items[static_cast<std::size_t>(random.below(i + 1, static_cast<std::uint64_t>(i)))]);
}

/// Changes a random order of the numbers from `first` on so that each run of `run` neighbours comes
/// together: runs in random order, and the numbers of a run likewise. run = 1 changes nothing.
void keep_runs_together(std::span<Index> order, Index first, Index run);

/// A fixed pseudo-random bijection of {0, …, n−1} in O(1) memory: a four-round Feistel network on
/// the next even power of two, walked until it falls inside (Black & Rogaway 2002).
class Permutation {
 public:
  Permutation(Index n, std::uint64_t key);
  Index operator()(Index i) const noexcept;      // where row i goes
  Index inverse(Index position) const noexcept;  // which row is there
  /// The same of many rows or positions, in their place: several times as fast.
  void apply(std::span<Index> rows) const noexcept;
  void apply_inverse(std::span<Index> positions) const noexcept;

 private:
  std::uint64_t encrypt(std::uint64_t x) const noexcept;
  std::uint64_t decrypt(std::uint64_t x) const noexcept;
  std::uint64_t n_, key_, half_mask_;
  int half_bits_;
};

}  // namespace svrg
