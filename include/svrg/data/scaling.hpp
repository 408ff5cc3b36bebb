#pragma once
#include <vector>

#include "svrg/comm/reducer.hpp"
#include "svrg/data/shard.hpp"

namespace svrg {

/// What is done to each column.
enum class Standardize {
  none,
  scale,   // divide by the standard deviation: zeros stay
  zscore,  // take off the mean, then divide
};

/// x ← (x − mean)/scale, column by column. Empty vectors: mean 0, scale 1. Both [columns].
struct Scaling {
  std::vector<double> mean{}, scale{};
  bool empty() const noexcept { return mean.empty() && scale.empty(); }
};

/// Of the weighted rows of all ranks; deviations divide by the sum of weights. A constant column
/// has scale 1. Collective: two reductions.
/// @throws CollectiveError (usage) for zscore of sparse rows, which would fill them
Scaling standardizing(const Communicator& comm, const Shard& shard, Standardize kind,
                      Reduction reduction);
/// Changes the rows in place, in their own precision. Local.
void apply(const Scaling& scaling, Shard& shard);

}  // namespace svrg
