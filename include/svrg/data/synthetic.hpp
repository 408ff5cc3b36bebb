#pragma once
#include <string>

#include "svrg/data/text_reader.hpp"

namespace svrg {

/// A two-class problem that needs no file, for benchmarks.
struct Synthetic {
  Index rows = 0, columns = 0;
  double density = 1;  // share of non-zeros in a row; below 0.5 rows are sparse
  std::uint64_t seed = 1;

  bool dense() const noexcept { return density >= 0.5; }
  /// "synthetic 1000000,54".
  std::string name() const;
};

/// Rows with labels −1 and +1 drawn by a logistic model. A dense row is a vector of independent
/// uniform values, those of column j of standard deviation ∝ (j+1)^(−1/2), and of length 1 on
/// average; a sparse one has length 1 and positive values in columns of which some are common, as
/// in text. A row is a function of (seed, row number): the same on any number of ranks. Each rank
/// makes its own. Collective.
/// @throws CollectiveError (limit) where they need more than options.max_memory; (usage) on
///         options.balance by entries
Shard make_synthetic(const Communicator& comm, const Synthetic& problem,
                     const ReadOptions& options);

}  // namespace svrg
