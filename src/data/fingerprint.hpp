#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "svrg/core/types.hpp"

namespace svrg {

/// Adds up DataInfo::fingerprint: the sum over rows, mod 2^64, of a hash of each. Explicit zeros do
/// not count, so that dense and sparse storage of the same numbers agree.
class Fingerprint {
 public:
  /// @param weight 1 where the data set has none
  void add(Index global_row, double label, double weight, std::span<const std::int32_t> indices,
           std::span<const double> values);
  std::uint64_t sum() const noexcept { return sum_; }
  /// Non-zeros seen.
  Index nonzeros() const noexcept { return nonzeros_; }

 private:
  std::uint64_t sum_ = 0;
  Index nonzeros_ = 0;
  std::vector<std::int32_t> indices_;  // of the non-zeros of a row that has zeros, too
  std::vector<double> values_;
};

}  // namespace svrg
