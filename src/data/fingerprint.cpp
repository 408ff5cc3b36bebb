#include "data/fingerprint.hpp"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

namespace svrg {
namespace {

// One bit pattern for all that compares equal, and one for all that is not a number.
std::uint64_t bits_of(double x) {
  return std::bit_cast<std::uint64_t>(std::isnan(x) ? std::numeric_limits<double>::quiet_NaN()
                                                    : x + 0.0);
}

}  // namespace

void Fingerprint::add(Index global_row, double label, double weight,
                      std::span<const std::int32_t> indices, std::span<const double> values) {
  if (std::count(values.begin(), values.end(), 0.0) > 0) {  // without early end: vectorised
    indices_.clear();
    values_.clear();
    for (std::size_t i = 0; i < values.size(); ++i)
      if (values[i] != 0) {
        indices_.push_back(indices[i]);
        values_.push_back(values[i]);
      }
    indices = indices_;
    values = values_;
  }
  nonzeros_ += static_cast<Index>(values.size());
  const std::array<std::uint64_t, 5> row = {static_cast<std::uint64_t>(global_row), bits_of(label),
                                            bits_of(weight),
                                            XXH3_64bits(indices.data(), indices.size_bytes()),
                                            XXH3_64bits(values.data(), values.size_bytes())};
  sum_ += XXH3_64bits(row.data(), sizeof row);
}

}  // namespace svrg
