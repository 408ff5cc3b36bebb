#include "module/slices.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "svrg/core/error.hpp"

namespace svrg {

Slices::Slices(const Communicator& comm, Index shards, std::vector<double> loads,
               bool private_batches)
    : shards_(shards), owned_(shards), first_(0), cut_(shards), loads_(std::move(loads)) {
  if (private_batches) {
    shards_ = shards * comm.size();
    offset_ = shards * comm.rank();
    return;
  }
  first_ = shards * comm.rank() / comm.size();
  owned_ = shards * (comm.rank() + 1) / comm.size() - first_;
  offset_ = first_;
}

Index Slices::begin(Index owned_shard, Index rows) const { return cut(first_ + owned_shard, rows); }

Index Slices::cut(Index shard, Index rows) const {
  const auto shares = static_cast<Index>(loads_.size());
  // Every rank checks the whole cut, so that all of them refuse it.
  if (loads_.empty() || rows == 0) return rows * shard / cut_;
  const double total = std::accumulate(loads_.begin(), loads_.end(), 0.0);
  Index at = 0, answer = 0;
  for (Index s = 0; s < shares; ++s) {
    if (s == shard) answer = at;
    const Index share =
        std::llrint(static_cast<double>(rows) * loads_[static_cast<std::size_t>(s)] / total);
    const Index end = s + 1 == shares ? rows : std::min(at + share, rows);
    if (end <= at)
      throw ConfigError(
          fmt::format("a batch of {} rows is too small for {} contexts: number {} of "
                      "them would get none; use a larger batch or fewer contexts",
                      rows, shares, s));
    at = end;
  }
  return shard >= shares ? rows : answer;
}

}  // namespace svrg
