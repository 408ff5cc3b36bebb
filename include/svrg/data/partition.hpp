#pragma once
#include <optional>
#include <span>
#include <vector>

#include "svrg/core/random.hpp"
#include "svrg/core/types.hpp"

namespace svrg {

/// In which order rows go to virtual shards.
enum class RowOrder {
  shuffled,  // a fixed permutation first, so that sorted files do no harm to local chains
  file,
};

/// Which rows of the data set form which virtual shard, and which rank owns it. Pure arithmetic, a
/// function of (rows, virtual shards, order): never of the number of ranks.
class Partition {
 public:
  Partition(Index rows, Index virtual_shards, RowOrder order);
  /// The same rows in the same order, but cut before these positions: begin(s) of every virtual
  /// shard and the number of rows, ascending. [virtual_shards + 1]
  Partition cut_at(std::vector<Index> begins) const;
  /// Whether every virtual shard has as many rows, ±1.
  bool even() const noexcept { return begins_.empty(); }

  /// Whether rows were permuted first (RowOrder::shuffled).
  bool shuffled() const noexcept { return permutation_.has_value(); }

  Index rows() const noexcept { return rows_; }
  Index virtual_shards() const noexcept { return shards_; }
  /// Virtual shard s holds positions [begin(s), begin(s+1)).
  Index begin(Index s) const noexcept;
  Index count(Index s) const noexcept { return begin(s + 1) - begin(s); }
  Index shard_of_position(Index position) const noexcept;
  /// Where a row of the data set stands in the order of the shards, and back.
  Index position_of_row(Index row) const noexcept;
  Index row_at(Index position) const noexcept;
  /// The same of many, in their place.
  void to_positions(std::span<Index> rows) const noexcept;
  void to_rows(std::span<Index> positions) const noexcept;

  /// Rank r of `ranks` owns virtual shards [first_shard(r), first_shard(r+1)).
  Index first_shard(int rank, int ranks) const noexcept;
  int owner(Index shard, int ranks) const noexcept;

  /// The default number of virtual shards: 8, or the next power of two where there are more ranks.
  static Index default_virtual_shards(int ranks) noexcept;

 private:
  Index rows_, shards_;
  std::vector<Index> begins_;  // empty: even
  std::optional<Permutation> permutation_;
};

}  // namespace svrg
