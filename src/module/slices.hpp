#pragma once
#include <span>
#include <vector>

#include "svrg/comm/communicator.hpp"
#include "svrg/core/types.hpp"

namespace svrg {

/// How the rows of a batch are cut among virtual shards, and which of these are this rank's.
/// What MXNet calls contexts are virtual shards here, whatever the number of ranks.
class Slices {
 public:
  /// `loads`: shares of the rows; empty: even ones, where a shard may go without rows.
  /// `private_batches`: each rank brings rows of its own and cuts them among `shards` of its own.
  Slices(const Communicator& comm, Index shards, std::vector<double> loads, bool private_batches);

  Index virtual_shards() const noexcept { return shards_; }  // over all ranks
  Index owned() const noexcept { return owned_; }
  /// Number of owned shard s among all.
  Index global(Index owned_shard) const noexcept { return offset_ + owned_shard; }
  /// Among how many shards this rank's batches are cut.
  Index per_batch() const noexcept { return cut_; }
  /// Rows [begin(s), begin(s + 1)) of a batch of `rows` are owned shard s's; begin(owned()) ends
  /// the last. @throws ConfigError where a share is given but too small for a row (MXNet's rule).
  Index begin(Index owned_shard, Index rows) const;

 private:
  Index cut(Index shard, Index rows) const;
  Index offset_ = 0;                    // shards of the ranks before
  Index shards_, owned_, first_, cut_;  // a batch is cut in `cut_`; own shards begin at `first_`
  std::vector<double> loads_;
};

}  // namespace svrg
