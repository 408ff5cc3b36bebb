#include "model/graph/beginnings.hpp"

#include <algorithm>

namespace svrg::graph {

Beginnings find_beginnings(const Symbol& symbol, const Numbered& graph, const Roles& roles) {
  std::vector<bool> begun(graph.entries(), false);
  for (const Symbol::Entry& head : symbol.heads())  // the gradient of one that is no loss is given
    if (!head.node->is_variable() && !head.node->prototype->is_loss())
      begun[graph.entry(head)] = true;
  Beginnings found;
  found.at.resize(graph.nodes.size());
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& node = *graph.nodes[i];
    const std::size_t inputs = node.plain_inputs();
    found.at[i].assign(inputs, false);
    for (std::size_t k = 0; k < inputs; ++k) {
      const std::size_t e = graph.entry(node.inputs[k]);
      found.at[i][k] = roles.wants_gradient[e] && !begun[e];
      begun[e] = begun[e] || roles.wants_gradient[e];
    }
  }
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    if (roles.variable[i].kind == Place::Kind::parameter && !begun[graph.first_entry[i]])
      found.never.push_back(i);
  return found;
}

bool rows_apart(const Numbered& graph, const ExecutorOptions& options) {
  std::vector<bool> by_row(graph.entries(), false);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = *graph.nodes[i];
    bool rows = options.inputs.count(node.name) > 0 && node.is_variable();
    for (std::size_t k = 0; k < node.plain_inputs(); ++k) {
      const bool in_rows = by_row[graph.entry(node.inputs[k])];
      const ops::Takes takes = node.prototype->takes(k);
      if (takes == ops::Takes::unknown || in_rows != (takes == ops::Takes::row)) return false;
      rows = true;
    }
    for (std::size_t e = graph.first_entry[i]; e < graph.first_entry[i + 1]; ++e) by_row[e] = rows;
  }
  return true;
}

}  // namespace svrg::graph
