#pragma once
#include <vector>

#include "svrg/comm/communicator.hpp"
#include "svrg/core/parameters.hpp"
#include "svrg/data/folds.hpp"
#include "svrg/io/tuning_file.hpp"

namespace svrg::app {

/// All cells, fold after fold and in each point after point, of those that each rank brings, every
/// one once. Collective.
std::vector<io::TuningCell> gathered_cells(const Communicator& comm,
                                           const std::vector<io::TuningCell>& mine, Index folds,
                                           Index points);

/// The fold of every row of the data set: this rank tells those of its shard, or nothing (null).
/// Collective.
std::vector<Index> gathered_folds(const Communicator& comm, const Shard* shard, const Folds& folds,
                                  Index rows);

/// Weights and intercepts by point, output and feature, of [points x layout.size()]. Local.
void set_weights(io::TuningStudy& study, const ParameterLayout& layout,
                 const std::vector<double>& weights);

}  // namespace svrg::app
