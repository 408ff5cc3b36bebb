#pragma once
#include <vector>

#include "model/graph/plan.hpp"
#include "svrg/model/executor.hpp"

namespace svrg::graph {

/// Where sums of gradients have their first summand, so that nothing need be zeroed before.
struct Beginnings {
  std::vector<std::vector<bool>> at;  // by node and input
  std::vector<std::size_t> never;     // parameters that no node is differentiated by
};
Beginnings find_beginnings(const Symbol& symbol, const Numbered& graph, const Roles& roles);

/// Does every row of the outputs follow from the same row of the inputs?
bool rows_apart(const Numbered& graph, const ExecutorOptions& options);

}  // namespace svrg::graph
