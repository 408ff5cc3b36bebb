#pragma once
#include <span>
#include <string>

#include "svrg/comm/communicator.hpp"
#include "svrg/comm/reducer.hpp"
#include "svrg/data/shard.hpp"

namespace svrg {

/// Gives the rows the weights that stand in a text file, one number a line, line i for row i of the
/// data set; compressed as other text. They become part of the data set's fingerprint. Collective.
/// @throws CollectiveError (data) "FILE:LINE: what; remedy", also where their number is not that of
///         the rows or the data have weights already.
void read_weights(const Communicator& comm, const std::string& path, Shard& shard);

/// W/(K·W_k) for each of K classes, W_k the weight of its rows: every class then weighs the same in
/// a loss. `classes`: the labels' values in ascending order, as the loss takes them. Collective.
/// @throws CollectiveError (data) naming a class without rows
std::vector<double> balanced_class_weights(const Communicator& comm, const Shard& shard,
                                           std::span<const double> classes, Reduction reduction);

/// Multiplies the loss of each row by the factor of its class; metrics do not see it. Local.
void weigh_classes(Shard& shard, std::span<const double> classes, std::span<const double> factors);

}  // namespace svrg
