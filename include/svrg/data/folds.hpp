#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "svrg/comm/communicator.hpp"
#include "svrg/data/shard.hpp"

namespace svrg {

/// The rows of a data set dealt out for cross-validation: sorted by class where there are classes,
/// within a class in an order drawn by the seed, and given to the folds in turn. So folds differ by
/// one row at most, and by one row at most in those of each class. Which fold holds a row out is a
/// function of the seed, the rows' numbers and their labels: never of the number of ranks.
class Folds {
 public:
  /// `by_label`: labels are classes. Collective.
  /// @throws CollectiveError (usage) where there are fewer rows than folds, or fewer than two folds
  Folds(const Communicator& comm, const Shard& shard, Index folds, bool by_label,
        std::uint64_t seed);

  Index folds() const noexcept { return folds_; }
  /// How many rows a fold holds out.
  Index held_out(Index fold) const noexcept { return (rows_ - fold + folds_ - 1) / folds_; }
  /// The fold that holds out the i-th row of this rank. Local.
  Index fold_of(Index i) const noexcept { return dealt_[static_cast<std::size_t>(i)] % folds_; }
  /// All rows of the shard that was dealt out but those of the fold, and those; both with as many
  /// virtual shards. Collective.
  std::pair<Shard, Shard> split(const Communicator& comm, const Shard& shard, Index fold) const;

 private:
  Index rows_, folds_;
  std::vector<Index> dealt_;  // the turn in which each row of this rank was dealt out
};

}  // namespace svrg
