// Few distinct labels are the rule, so a sorted vector is searched, and no rank sends more than
// `most` + 1 of them.
#include <algorithm>
#include <cmath>
#include <limits>

#include "svrg/data/text_reader.hpp"

namespace svrg {

std::optional<std::vector<double>> distinct_labels(const Communicator& comm, const Shard& shard,
                                                   Index most) {
  const auto limit = static_cast<std::size_t>(std::max<Index>(most, 0));
  std::vector<double> seen;
  double last = std::numeric_limits<double>::quiet_NaN();
  for (const double label : shard.labels()) {
    if (label == last || std::isnan(label)) continue;
    last = label;
    const auto at = std::lower_bound(seen.begin(), seen.end(), label);
    if (at == seen.end() || *at != label) seen.insert(at, label);
    if (seen.size() > limit) break;
  }
  std::vector<double> all = comm.gather(std::span<const double>(seen));
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  if (all.size() > limit) return std::nullopt;
  return all;
}

}  // namespace svrg
