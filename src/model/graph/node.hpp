#pragma once
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/operators/operator.hpp"
#include "svrg/model/symbol.hpp"

namespace svrg::graph {

using TextAttributes = std::map<std::string, std::string>;

/// A variable, or an operator applied to outputs of other nodes. Immutable once made.
struct Node {
  std::string op;  // empty: a variable
  std::string name;
  TextAttributes attributes;          // as symbol.json has them, hidden ones ("__shape__") included
  std::vector<Symbol::Entry> inputs;  // then the auxiliary states
  const ops::Definition* definition = nullptr;
  std::unique_ptr<const ops::Operator<float>> prototype;  // names and shapes

  bool is_variable() const { return op.empty(); }
  std::size_t plain_inputs() const { return prototype ? prototype->inputs().size() : 0; }
  /// "FullyConnected 'fc1'"
  std::string title() const { return op + " '" + name + "'"; }
};

/// Of the attributes, those that the operator itself reads.
Options operator_options(const TextAttributes& attributes);
bool is_hidden(std::string_view attribute);  // "__shape__"

/// A node whose missing inputs and auxiliary states become variables "<name>_<input>".
/// @throws ConfigError where inputs or attributes do not fit the operator.
std::shared_ptr<const Node> make_node(const std::string& op, std::string name,
                                      TextAttributes attributes,
                                      std::vector<Symbol::Entry> positional,
                                      std::map<std::string, Symbol::Entry> by_name = {});
std::shared_ptr<const Node> make_variable(std::string name, TextAttributes attributes);

/// All nodes that the heads need, each after its inputs; depth first, in order of inputs.
std::vector<const Node*> ordered(const std::vector<Symbol::Entry>& heads);

/// The graph with its nodes numbered, as executor and shape inference walk it.
struct Numbered {
  std::vector<const Node*> nodes;
  std::map<const Node*, std::size_t> number;
  std::vector<std::size_t>
      first_entry;              // node → its output 0 among all outputs; one more at the end
  std::vector<bool> auxiliary;  // by node: a variable that is an auxiliary state
  explicit Numbered(const Symbol& symbol);
  std::size_t entry(const Symbol::Entry& e) const {
    return first_entry[number.at(e.node.get())] + static_cast<std::size_t>(e.output);
  }
  std::size_t node_of(std::size_t entry) const {
    const auto after = std::upper_bound(first_entry.begin(), first_entry.end(), entry);
    return static_cast<std::size_t>(after - first_entry.begin()) - 1;
  }
  std::size_t entries() const { return first_entry.back(); }
};

/// Shapes of all outputs of all nodes, by entry, as far as they follow.
/// @throws ConfigError naming the node of a contradiction.
std::vector<ops::Shape> infer_shapes(const Numbered& graph,
                                     const std::map<std::string, ops::Shape>& given);
/// @throws ConfigError unless every shape is known.
void require_shapes(const Numbered& graph, const std::vector<ops::Shape>& shapes);

}  // namespace svrg::graph
