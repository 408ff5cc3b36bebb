#pragma once
#include <memory>
#include <span>
#include <vector>

#include "svrg/comm/communicator.hpp"
#include "svrg/core/parallel.hpp"
#include "svrg/core/support.hpp"
#include "svrg/core/types.hpp"

namespace svrg {

/// How sums over ranks are made.
enum class Reduction {
  plain,       // one buffer a rank, MPI_Allreduce: same bits on the same number of ranks
  fixed_tree,  // one buffer a virtual shard, added in a fixed binary tree: same bits on any number
};

/// Turns the sums of virtual shards into a global sum. Use: start(), add into values(s) and tail(s)
/// for each owned virtual shard s, then reduce(). Shards of one lane may share a buffer; those of
/// different lanes may be worked on at once. No allocation once the sizes have been seen.
template <class Real>
class Reducer {
 public:
  virtual ~Reducer() = default;
  /// Local: zeroes the parts. `values` numbers of type Real and `tail` doubles a part. Not
  /// `zeroed`, the former hold anything: the caller writes all of them. With a `support`, which
  /// must be the same on all ranks and outlive reduce(), only values in it are zeroed, sent and
  /// summed; others mean nothing, in parts and in the total.
  virtual void start(Index values, Index tail, bool zeroed, const Support* support) = 0;
  /// Of all values.
  void start(Index values, Index tail, bool zeroed = true) { start(values, tail, zeroed, nullptr); }
  /// Local: where the sum of owned virtual shard s (0 … owned − 1) is to be added.
  virtual std::span<Real> values(Index s) = 0;
  /// Likewise for the doubles of its tail.
  virtual std::span<double> tail(Index s) = 0;
  /// Collective: afterwards total() and total_tail() hold the sums, equal on all ranks.
  virtual void reduce() = 0;
  /// [values] as given to start().
  virtual std::span<Real> total() = 0;
  /// [tail]
  virtual std::span<double> total_tail() = 0;
};

/// The numbers that any rank has, ascending, each once. Collective: one gather.
std::vector<Index> united(const Communicator& comm, std::vector<Index> own);

/// `owned` of the `virtual_shards` are this rank's, cut into `lanes`; ranks own them in ascending
/// order.
template <class Real>
std::unique_ptr<Reducer<Real>> make_reducer(const Communicator& comm, Reduction kind,
                                            Index virtual_shards, Index owned, Index lanes = 1);

}  // namespace svrg
