#include "model/graph/node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace svrg::graph {
namespace {

std::string listed(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& n : names) all += (all.empty() ? "" : ", ") + n;
  return all;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// The operator of the same name but for case, else those that hold it: enough to find a typo.
std::string suggestion(std::string_view wanted) {
  std::string near;
  for (const std::string_view name : ops::operator_names()) {
    if (lower(std::string(name)) == lower(std::string(wanted)))
      return fmt::format("; did you mean {}?", name);
    if (lower(std::string(name)).find(lower(std::string(wanted)).substr(0, 4)) != std::string::npos)
      near += (near.empty() ? "" : ", ") + std::string(name);
  }
  return near.empty() ? "" : "; near it are " + near;
}

}  // namespace

bool is_hidden(std::string_view attribute) {
  return attribute.size() > 4 && attribute.starts_with("__") && attribute.ends_with("__");
}

Options operator_options(const TextAttributes& attributes) {
  Options options;
  for (const auto& [name, text] : attributes)
    if (!is_hidden(name)) options[name] = text;
  return options;
}

std::shared_ptr<const Node> make_variable(std::string name, TextAttributes attributes) {
  if (name.empty()) throw ConfigError("a variable of a symbol needs a name");
  auto node = std::make_shared<Node>();
  node->name = std::move(name);
  node->attributes = std::move(attributes);
  return node;
}

std::shared_ptr<const Node> make_node(const std::string& op, std::string name,
                                      TextAttributes attributes,
                                      std::vector<Symbol::Entry> positional,
                                      std::map<std::string, Symbol::Entry> by_name) {
  auto node = std::make_shared<Node>();
  node->op = op;
  node->name = std::move(name);
  node->definition = ops::find_operator(op);
  if (!node->definition)
    throw ConfigError(fmt::format("there is no operator {}{}", op, suggestion(op)));
  const std::string counter(node->definition->counts_inputs);
  if (!counter.empty() && !attributes.count(counter))
    attributes[counter] = std::to_string(positional.size() + by_name.size());
  node->attributes = std::move(attributes);
  node->prototype = ops::make_operator<float>(*node->definition, operator_options(node->attributes),
                                              node->title());

  std::vector<std::string> names = node->prototype->inputs();
  const std::size_t plain = names.size();
  const auto auxiliaries = node->prototype->auxiliaries();
  names.insert(names.end(), auxiliaries.begin(), auxiliaries.end());
  if (positional.size() > names.size())
    throw ConfigError(fmt::format("{} takes {} inputs ({}), but {} are given", node->title(),
                                  names.size(), listed(names), positional.size()));
  node->inputs = std::move(positional);
  for (std::size_t i = node->inputs.size(); i < names.size(); ++i) {
    if (const auto at = by_name.find(names[i]); at != by_name.end()) {
      node->inputs.push_back(at->second);
      by_name.erase(at);
      continue;
    }
    // As the original does, a made variable carries what its operator was told.
    TextAttributes inherited = node->attributes;
    if (i >= plain)  // running statistics begin as those of standardised rows
      inherited["__init__"] = names[i].ends_with("var") ? R"(["one", {}])" : R"(["zero", {}])";
    node->inputs.push_back({make_variable(node->name + "_" + names[i], inherited), 0});
  }
  if (!by_name.empty())
    throw ConfigError(fmt::format("{} has no free input {}; its inputs are {}", node->title(),
                                  by_name.begin()->first, listed(names)));
  for (std::size_t i = plain; i < names.size(); ++i)
    if (!node->inputs[i].node->is_variable())
      throw ConfigError(fmt::format("{}: {} is an auxiliary state and must be a variable",
                                    node->title(), names[i]));
  return node;
}

std::vector<const Node*> ordered(const std::vector<Symbol::Entry>& heads) {
  std::vector<const Node*> order;
  std::set<const Node*> seen;
  // Depth first without recursion: networks may be deep.
  std::vector<std::pair<const Node*, std::size_t>> path;
  for (const Symbol::Entry& head : heads) {
    if (seen.insert(head.node.get()).second) path.push_back({head.node.get(), 0});
    while (!path.empty()) {
      auto& [node, next] = path.back();
      if (next == node->inputs.size()) {
        order.push_back(node);
        path.pop_back();
        continue;
      }
      const Node* input = node->inputs[next++].node.get();
      if (seen.insert(input).second) path.push_back({input, 0});
    }
  }
  return order;
}

Numbered::Numbered(const Symbol& symbol) : nodes(ordered(symbol.heads())) {
  first_entry.push_back(0);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    number[nodes[i]] = i;
    first_entry.push_back(first_entry.back() +
                          (nodes[i]->prototype ? nodes[i]->prototype->outputs().size() : 1));
  }
  auxiliary.assign(nodes.size(), false);
  for (const Node* node : nodes)
    for (std::size_t i = node->plain_inputs(); i < node->inputs.size(); ++i)
      auxiliary[number.at(node->inputs[i].node.get())] = true;
}

std::vector<ops::Shape> infer_shapes(const Numbered& graph,
                                     const std::map<std::string, ops::Shape>& given) {
  std::vector<ops::Shape> shapes(graph.entries());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = *graph.nodes[i];
    if (!node.is_variable()) continue;
    ops::Shape& shape = shapes[graph.first_entry[i]];
    if (const auto at = node.attributes.find("__shape__"); at != node.attributes.end()) {
      const Options attribute{{"__shape__", at->second}};
      shape = OptionReader("variable '" + node.name + "'", attribute).tuple("__shape__", {});
    }
    if (const auto at = given.find(node.name); at != given.end()) {
      ops::Shape wanted = at->second;
      ops::unify(shape, wanted, "variable '" + node.name + "'");
    }
  }
  const auto visit = [&](std::size_t i) {
    const Node& node = *graph.nodes[i];
    if (node.is_variable()) return false;
    const std::size_t plain = node.plain_inputs(), first = graph.first_entry[i];
    ops::Shapes local;
    for (std::size_t k = 0; k < node.inputs.size(); ++k)
      (k < plain ? local.in : local.aux).push_back(shapes[graph.entry(node.inputs[k])]);
    local.out.assign(shapes.begin() + static_cast<std::ptrdiff_t>(first),
                     shapes.begin() + static_cast<std::ptrdiff_t>(graph.first_entry[i + 1]));
    bool changed = false;
    const auto keep = [&](ops::Shape& known, ops::Shape& found, const std::string& what) {
      const ops::Shape before = known;
      ops::unify(known, found, what);
      changed |= known != before;
    };
    try {
      node.prototype->infer(local);
      const auto names = node.prototype->inputs();
      for (std::size_t k = 0; k < node.inputs.size(); ++k)
        keep(shapes[graph.entry(node.inputs[k])], k < plain ? local.in[k] : local.aux[k - plain],
             k < plain ? names[k] : "auxiliary state");
      for (std::size_t k = 0; k < local.out.size(); ++k)
        keep(shapes[first + k], local.out[k], "output");
    } catch (const ConfigError& error) {
      throw ConfigError(node.title() + ": " + error.what());
    }
    return changed;
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) changed |= visit(i);
    for (std::size_t i = graph.nodes.size(); changed && i-- > 0;) visit(i);
  }
  return shapes;
}

void require_shapes(const Numbered& graph, const std::vector<ops::Shape>& shapes) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    for (std::size_t e = graph.first_entry[i]; e < graph.first_entry[i + 1]; ++e)
      if (!ops::known(shapes[e])) {
        const Node& node = *graph.nodes[i];
        throw ConfigError(fmt::format(
            "the shape of {} does not follow from what is given (known is {}); give the shapes of "
            "the inputs, or this variable's own",
            node.is_variable() ? "'" + node.name + "'" : node.title(), ops::text(shapes[e])));
      }
}

}  // namespace svrg::graph
