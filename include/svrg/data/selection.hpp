#pragma once
#include <functional>
#include <span>
#include <utility>

#include "svrg/comm/communicator.hpp"
#include "svrg/data/shard.hpp"

namespace svrg {

/// A new data set of `rows` rows made of rows of another: place(row) is the number that a row gets
/// there, or −1 where it is left out; every number from 0 to rows − 1 once. As many virtual shards
/// as before. Collective.
Shard select(const Communicator& comm, const Shard& shard, Index rows, RowOrder order,
             const std::function<Index(Index)>& place);
/// The same where the numbers of this rank's rows are known. [rows]
Shard select(const Communicator& comm, const Shard& shard, Index rows, RowOrder order,
             std::span<const Index> places);

/// The rows in an order drawn by `seed`, cut in two: all but ⌊share · rows⌉, and those. Collective.
/// @throws CollectiveError (usage) where one of the two would have no rows.
std::pair<Shard, Shard> split(const Communicator& comm, const Shard& shard, double share,
                              RowOrder order, std::uint64_t seed);

}  // namespace svrg
