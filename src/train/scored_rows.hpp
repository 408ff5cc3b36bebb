#pragma once
#include <algorithm>

#include "svrg/data/shard.hpp"
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
