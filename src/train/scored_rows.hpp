#pragma once
#include <algorithm>
#include <cmath>

#include "svrg/data/shard.hpp"
#include "svrg/io/model_file.hpp"
#include "svrg/model/linear_model.hpp"

namespace svrg {

/// The class that a row's scores speak for, and the one that its label says.
inline Index predicted_class(Loss loss, const double* z, Index K) {
  if (takes_two_classes(loss)) return z[0] > 0 ? 1 : 0;
  return std::max_element(z, z + K) - z;
}
inline Index true_class(Loss loss, double y) {
  return takes_two_classes(loss) ? (y > 0 ? 1 : 0) : static_cast<Index>(y);
}

/// The probability that a calibration bin goes by: of class 1 of two, of the predicted class of
/// more; and whether the row is of that class.
struct Probability {
  double p;
  bool hit;
};
inline Probability probability_of(Loss loss, const io::Calibration& c, const double* z, double y,
                                  Index K) {
  if (takes_two_classes(loss)) return {1 / (1 + std::exp(-c.at(z[0]))), y > 0};
  const Index b = predicted_class(loss, z, K);
  double sum = 0;
  for (Index k = 0; k < K; ++k) sum += std::exp(c.slope * (z[k] - z[b]));
  return {1 / sum, b == true_class(loss, y)};
}
inline constexpr Index probability_bins = 10;
/// Equal parts of [0, 1]; what is no number goes to the first.
inline std::size_t bin_of(double p) {
  if (!(p >= 0)) return 0;
  return static_cast<std::size_t>(std::min(
      probability_bins - 1, static_cast<Index>(p * static_cast<double>(probability_bins))));
}

/// Some rows: their scores z [count, K], labels, and weights or null where all are 1.
struct ScoredRows {
  const double *z, *labels, *weights;
  Index count;
  double weight(Index i) const { return weights != nullptr ? weights[i] : 1; }
};

/// each(owned shard, some of its rows) for all rows; `scores_of(rows)` gives those of at most
/// `block` of them.
template <class ScoresOf, class Each>
void each_block(const Shard& shard, Index block, ScoresOf&& scores_of, Each&& each) {
  const double* weights = shard.weights().empty() ? nullptr : shard.weights().data();
  for (const Part& part : shard.all().parts)
    for (Index from = 0; from < part.count; from += block) {
      const Part rows{part.virtual_shard, part.first + from, std::min(block, part.count - from)};
      each(part.virtual_shard,
           ScoredRows{scores_of(rows), shard.labels().data() + rows.first,
                      weights != nullptr ? weights + rows.first : nullptr, rows.count});
    }
}

inline constexpr Index block_rows = 1024;

}  // namespace svrg
