#include "svrg/data/sampler.hpp"

#include <algorithm>
#include <numeric>

#include "svrg/core/error.hpp"

namespace svrg {

Sampler::Sampler(const Shard& shard, Index batch_size, std::uint64_t seed)
    : shard_(shard), batch_size_(std::min(batch_size, shard.info().rows)), seed_(seed) {
  SVRG_EXPECT(batch_size >= 1, "a batch needs at least one row");
  SVRG_EXPECT(shard.partition().even(), "batches take their rows evenly from virtual shards");
  const Partition& partition = shard.partition();
  const Index least = partition.rows() / partition.virtual_shards();
  for (Index s = 0; s < shard.owned_shards(); ++s) {
    const Index global = shard.first_shard() + s;
    Index before = 0;
    for (Index t = 0; t < global; ++t) before += partition.count(t) > least;
    extra_rank_.push_back(partition.count(global) > least ? before : -1);
    order_.emplace_back(static_cast<std::size_t>(partition.count(global)));
  }
  batch_ = shard.all();
  Sampler::start_epoch(0, 0);
}

Index Sampler::steps_per_epoch() const {
  return (shard_.info().rows + batch_size_ - 1) / batch_size_;
}

void Sampler::start_epoch(Index epoch, Index step) {
  step_ = step;
  for (std::size_t s = 0; s < order_.size(); ++s) {
    const Part& part = shard_.all().parts[s];
    std::iota(order_[s].begin(), order_[s].end(), part.first);
    // One stream for each (epoch, virtual shard).
    const auto shards = static_cast<std::uint64_t>(shard_.partition().virtual_shards());
    const auto global = static_cast<std::uint64_t>(shard_.first_shard()) + s;
    shuffle(std::span(order_[s]),
            CounterRandom(seed_, static_cast<std::uint64_t>(epoch) * shards + global));
    keep_runs_together(order_[s], part.first, shard_.rows_a_run());
  }
}

Index Sampler::rows_before(Index slot, Index owned) const {
  const Index shards = shard_.partition().virtual_shards();
  const Index rounds = shard_.info().rows / shards;  // in which every shard has a row
  const Index global = shard_.first_shard() + owned;
  if (slot <= rounds * shards) return std::max<Index>(0, (slot - global + shards - 1) / shards);
  const Index extra = extra_rank_[static_cast<std::size_t>(owned)];
  return rounds + (extra >= 0 && extra < slot - rounds * shards ? 1 : 0);
}

const Batch* Sampler::next() {
  const Index rows = shard_.info().rows, from = step_ * batch_size_;
  if (from >= rows) return nullptr;
  const Index to = std::min(from + batch_size_, rows);
  ++step_;
  pick_.clear();
  parts_.clear();
  for (Index s = 0; s < shard_.owned_shards(); ++s) {
    const auto& order = order_[static_cast<std::size_t>(s)];
    const auto first = static_cast<Index>(pick_.size());
    pick_.insert(pick_.end(), order.begin() + rows_before(from, s),
                 order.begin() + rows_before(to, s));
    parts_.push_back({s, first, static_cast<Index>(pick_.size()) - first});
  }
  batch_.pick = pick_;
  batch_.parts = parts_;
  return &batch_;
}

}  // namespace svrg
