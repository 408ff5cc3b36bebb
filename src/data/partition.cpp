// All cuts are floor(n·k/m): even to one row, monotone, and invertible in closed form.
#include "svrg/data/partition.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "svrg/core/error.hpp"

namespace svrg {
namespace {

// "svrg rows": part of what a data set's partition is, so it never changes.
constexpr std::uint64_t permutation_key = 0x7376726720726f77;

Index cut(Index n, Index k, Index m) { return n * k / m; }

// The k with cut(n, k, m) ≤ item < cut(n, k+1, m).
Index stretch_of(Index item, Index n, Index m) { return ((item + 1) * m - 1) / n; }

}  // namespace

Partition::Partition(Index rows, Index virtual_shards, RowOrder order)
    : rows_(rows), shards_(virtual_shards) {
  SVRG_EXPECT(rows >= 0 && virtual_shards > 0, "a partition needs rows ≥ 0 and shards ≥ 1");
  SVRG_EXPECT(rows < std::numeric_limits<Index>::max() / virtual_shards - 1, "too many rows");
  if (order == RowOrder::shuffled && rows > 1) permutation_.emplace(rows, permutation_key);
}

Partition Partition::cut_at(std::vector<Index> begins) const {
  SVRG_EXPECT(static_cast<Index>(begins.size()) == shards_ + 1 && begins.front() == 0 &&
                  begins.back() == rows_ && std::is_sorted(begins.begin(), begins.end()),
              "cuts from 0 to the number of rows");
  Partition other = *this;
  other.begins_ = std::move(begins);
  return other;
}

Index Partition::begin(Index s) const noexcept {
  return even() ? cut(rows_, s, shards_) : begins_[static_cast<std::size_t>(s)];
}

Index Partition::shard_of_position(Index position) const noexcept {
  if (even()) return stretch_of(position, rows_, shards_);
  return std::upper_bound(begins_.begin(), begins_.end(), position) - begins_.begin() - 1;
}

Index Partition::position_of_row(Index row) const noexcept {
  return permutation_ ? (*permutation_)(row) : row;
}

Index Partition::row_at(Index position) const noexcept {
  return permutation_ ? permutation_->inverse(position) : position;
}

void Partition::to_positions(std::span<Index> rows) const noexcept {
  if (permutation_) permutation_->apply(rows);
}

void Partition::to_rows(std::span<Index> positions) const noexcept {
  if (permutation_) permutation_->apply_inverse(positions);
}

Index Partition::first_shard(int rank, int ranks) const noexcept {
  return cut(shards_, rank, ranks);
}

int Partition::owner(Index shard, int ranks) const noexcept {
  return static_cast<int>(stretch_of(shard, shards_, ranks));
}

Index Partition::default_virtual_shards(int ranks) noexcept {
  return static_cast<Index>(std::bit_ceil(static_cast<unsigned>(std::max(8, ranks))));
}

}  // namespace svrg
