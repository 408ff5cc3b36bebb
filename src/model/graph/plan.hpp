#pragma once
#include <vector>

#include "model/graph/node.hpp"

namespace svrg::graph {

/// Where values live during a step.
struct Place {
  enum class Kind { none, arena, parameter, auxiliary, input } kind = Kind::none;
  Index at = 0;  // offset in arena, weights or auxiliary states; number of an input
};

/// Which argument is what, the same for any number of rows.
struct Roles {
  std::vector<Place> variable;       // by node: parameter, auxiliary or input (none for operators)
  std::vector<bool> wants_gradient;  // by entry: a parameter or wanted input is reached backwards
  std::vector<bool> leaf_gradient;   // by node: a variable whose own gradient is wanted
};

/// Shapes and memory for one number of rows.
struct Plan {
  std::vector<ops::Shape> shapes;      // by entry
  std::vector<Place> value, gradient;  // by entry
  Index arena = 0;                     // values
};

/// Lays all values that live at the same time side by side and the others over each other.
/// @param training  gradients and what they read are planned, too
Plan plan_memory(const Symbol& symbol, const Numbered& graph, const Roles& roles,
                 std::vector<ops::Shape> shapes, bool training);

}  // namespace svrg::graph
