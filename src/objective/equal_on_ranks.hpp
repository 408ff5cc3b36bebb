// Whether a vector has the same bits on all ranks, asked in a reduction that is made anyway.
#pragma once
#include <xxhash.h>

#include <span>

#include "svrg/core/types.hpp"

namespace svrg {

/// Sums over ranks of 1, h and h², h being 14 bits of a hash: n Σh² = (Σh)² if all are equal, and
/// else, but for one case in 16,384, not. Exact in doubles up to 4096 ranks. What is not finite is
/// taken as equal: a sum's NaN may have another sign elsewhere.
class EqualOnRanks {
 public:
  static constexpr Index size = 3;
  explicit EqualOnRanks(std::span<double> sums) : sums_(sums) {}

  void add(ConstVecRef<double> v) {
    const auto bytes = static_cast<std::size_t>(v.size()) * sizeof(double);
    const auto h = v.allFinite() ? static_cast<double>(XXH3_64bits(v.data(), bytes) >> 50) : 0.5;
    sums_[0] += 1;
    sums_[1] += h;
    sums_[2] += h * h;
  }
  bool hold() const { return sums_[0] * sums_[2] == sums_[1] * sums_[1]; }

 private:
  std::span<double> sums_;
};

}  // namespace svrg
