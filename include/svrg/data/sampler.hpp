#pragma once
#include <vector>

#include "svrg/data/shard.hpp"

namespace svrg {

/// The global batches of an epoch, as this rank's part of each. Which rows form a batch is a
/// function of (seed, epoch, step) and of the virtual shards, never of the number of ranks.
class BatchSource {
 public:
  virtual ~BatchSource() = default;
  /// The same on every rank.
  virtual Index steps_per_epoch() const = 0;
  /// Begins an epoch, at its batch number `step` (a resumed run starts in the middle).
  virtual void start_epoch(Index epoch, Index step) = 0;
  /// Null at the end, on all ranks at once. Valid until the next call. An empty part is legal.
  virtual const Batch* next() = 0;
};

/// Seeded sampling without replacement: slot t of an epoch takes the next row in the shuffled order
/// of virtual shard t mod V, so that a batch takes its rows evenly from all of them and every rank
/// has work in every step. The last batch of an epoch may be smaller.
class Sampler : public BatchSource {
 public:
  /// `batch_size` is global. The shard must outlive this.
  Sampler(const Shard& shard, Index batch_size, std::uint64_t seed);
  Index steps_per_epoch() const override;
  void start_epoch(Index epoch, Index step) override;
  const Batch* next() override;

 private:
  /// How many of a virtual shard's rows stand in slots before `slot`.
  Index rows_before(Index slot, Index owned) const;

  const Shard& shard_;
  Index batch_size_, step_ = 0;
  std::uint64_t seed_;
  std::vector<Index> extra_rank_;  // owned shard → its place among those with one row more; −1
  std::vector<std::vector<Index>> order_;
  std::vector<Index> pick_;
  std::vector<Part> parts_;
  Batch batch_;
};

}  // namespace svrg
