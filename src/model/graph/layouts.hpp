#pragma once
#include "model/graph/plan.hpp"
#include "svrg/model/executor.hpp"

namespace svrg::graph {

/// Shapes of everything, for the inputs' shapes of the options. @throws ConfigError
std::vector<ops::Shape> complete_shapes(const Numbered& graph, const ExecutorOptions& options);
/// @throws ConfigError for an input or fixed parameter that is no argument
void require_names(const Numbered& graph, const ExecutorOptions& options);
/// Parameters, or auxiliary states, in order of the arguments.
ParameterLayout layout_of(const Numbered& graph, const std::vector<ops::Shape>& shapes,
                          const ExecutorOptions& options, bool auxiliary);
/// The input of the options whose values name the rows that the node reads of its input k, the
/// variable given; null where it may read any.
const Node* rows_named_by(const Node& node, std::size_t k, const Node& variable,
                          const ExecutorOptions& options);
/// What the arguments are, inputs numbered in their order.
Roles roles_of(const Numbered& graph, const ParameterLayout& parameters,
               const ParameterLayout& auxiliaries, const ExecutorOptions& options);

}  // namespace svrg::graph
