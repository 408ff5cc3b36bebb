#include "model/graph/layouts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace svrg {
namespace graph {

static double multiplier(const Node& node, const char* attribute, double otherwise) {
  const auto at = node.attributes.find(attribute);
  if (at == node.attributes.end()) return otherwise;
  const Options given{{attribute, at->second}};
  return OptionReader("variable '" + node.name + "'", given).real(attribute, otherwise);
}

std::vector<ops::Shape> complete_shapes(const Numbered& graph, const ExecutorOptions& options) {
  auto shapes = graph::infer_shapes(graph, options.inputs);
  graph::require_shapes(graph, shapes);
  return shapes;
}

void require_names(const Numbered& graph, const ExecutorOptions& options) {
  const auto require = [&](const std::string& name, bool input) {
    for (std::size_t i = 0; i < graph.nodes.size(); ++i)
      if (graph.nodes[i]->is_variable() && graph.nodes[i]->name == name && !graph.auxiliary[i])
        return;
    std::string all;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i)
      if (graph.nodes[i]->is_variable() && !graph.auxiliary[i])
        all += (all.empty() ? "" : ", ") + graph.nodes[i]->name;
    throw ConfigError(fmt::format("{} '{}' is not an argument of the symbol; those are {}",
                                  input ? "input" : "fixed parameter", name, all));
  };
  for (const auto& [name, shape] : options.inputs) require(name, true);
  for (const std::string& name : options.fixed) require(name, false);
}

const Node* rows_named_by(const Node& node, std::size_t k, const Node& variable,
                          const ExecutorOptions& options) {
  const auto stype = variable.attributes.find("__storage_type__");
  const bool row_sparse = stype != variable.attributes.end() && stype->second == "1";
  const auto by = node.prototype->rows_named_by(k, row_sparse);
  if (!by) return nullptr;
  const Node* from = node.inputs[*by].node.get();
  while (!from->is_variable() && from->prototype->is_view()) from = from->inputs[0].node.get();
  return from->is_variable() && options.inputs.count(from->name) ? from : nullptr;
}

// Every reader must say which rows it reads.
static bool is_row_sparse(const Numbered& graph, const Node& variable,
                          const ExecutorOptions& options) {
  bool read = false;
  for (const Node* node : graph.nodes)
    for (std::size_t k = 0; k < node->plain_inputs(); ++k) {
      if (node->inputs[k].node.get() != &variable) continue;
      if (!rows_named_by(*node, k, variable, options)) return false;
      read = true;
    }
  return read;
}

ParameterLayout layout_of(const Numbered& graph, const std::vector<ops::Shape>& shapes,
                          const ExecutorOptions& options, bool auxiliary) {
  ParameterLayout layout;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = *graph.nodes[i];
    if (!node.is_variable() || graph.auxiliary[i] != auxiliary || options.inputs.count(node.name))
      continue;
    const bool decays = node.name.ends_with("_weight") || node.name.ends_with("_gamma");
    Parameter p;
    p.name = node.name;
    p.shape = shapes[graph.first_entry[i]];
    p.lr_mult = multiplier(node, "__lr_mult__", 1);
    p.wd_mult = multiplier(node, "__wd_mult__", decays ? 1 : 0);
    p.fixed =
        std::find(options.fixed.begin(), options.fixed.end(), node.name) != options.fixed.end();
    p.row_sparse = !auxiliary && is_row_sparse(graph, node, options);
    layout.add(std::move(p));
  }
  return layout;
}

Roles roles_of(const Numbered& graph, const ParameterLayout& parameters,
               const ParameterLayout& auxiliaries, const ExecutorOptions& options) {
  Roles roles;
  roles.variable.resize(graph.nodes.size());
  roles.leaf_gradient.assign(graph.nodes.size(), false);
  roles.wants_gradient.assign(graph.entries(), false);
  Index inputs = 0;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = *graph.nodes[i];
    const std::size_t e = graph.first_entry[i];
    if (!node.is_variable()) {
      const bool any = std::any_of(node.inputs.begin(), node.inputs.end(), [&](const auto& in) {
        return roles.wants_gradient[graph.entry(in)];
      });
      for (std::size_t k = e; k < graph.first_entry[i + 1]; ++k) roles.wants_gradient[k] = any;
    } else if (graph.auxiliary[i]) {
      roles.variable[i] = {Place::Kind::auxiliary, auxiliaries.at(node.name).offset};
    } else if (options.inputs.count(node.name)) {
      roles.variable[i] = {Place::Kind::input, inputs++};
      const auto& wanted = options.gradients;
      roles.leaf_gradient[i] = roles.wants_gradient[e] =
          options.training && std::find(wanted.begin(), wanted.end(), node.name) != wanted.end();
    } else {
      const Parameter& p = parameters.at(node.name);
      roles.variable[i] = {Place::Kind::parameter, p.offset};
      roles.leaf_gradient[i] = roles.wants_gradient[e] = !p.fixed;
    }
  }
  return roles;
}

}  // namespace graph

ParameterLayout parameter_layout(const Symbol& symbol, const ExecutorOptions& options) {
  const graph::Numbered numbered(symbol);
  graph::require_names(numbered, options);
  return graph::layout_of(numbered, graph::complete_shapes(numbered, options), options, false);
}

ParameterLayout auxiliary_layout(const Symbol& symbol, const ExecutorOptions& options) {
  const graph::Numbered numbered(symbol);
  return graph::layout_of(numbered, graph::complete_shapes(numbered, options), options, true);
}

}  // namespace svrg
