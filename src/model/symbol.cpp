#include "svrg/model/symbol.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "model/graph/node.hpp"

namespace svrg {
namespace {

using graph::Node;

thread_local std::map<std::string, Index> name_counts;

std::string automatic_name(std::string_view op) {
  std::string hint(op);
  std::transform(hint.begin(), hint.end(), hint.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return hint + std::to_string(name_counts[hint]++);
}

std::string output_name(const Symbol::Entry& entry) {
  const Node& node = *entry.node;
  if (node.is_variable()) return node.name;
  return node.name + "_" + node.prototype->outputs()[static_cast<std::size_t>(entry.output)];
}

std::vector<std::string> variables(const Symbol& symbol, bool auxiliary) {
  const graph::Numbered numbered(symbol);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < numbered.nodes.size(); ++i)
    if (numbered.nodes[i]->is_variable() && numbered.auxiliary[i] == auxiliary)
      names.push_back(numbered.nodes[i]->name);
  return names;
}

InferredShapes inferred(const Symbol& symbol, const graph::Numbered& numbered,
                        const std::vector<ops::Shape>& found) {
  InferredShapes result;
  for (std::size_t i = 0; i < numbered.nodes.size(); ++i)
    if (numbered.nodes[i]->is_variable())
      (numbered.auxiliary[i] ? result.auxiliaries : result.arguments)
          .push_back(found[numbered.first_entry[i]]);
  for (const Symbol::Entry& head : symbol.heads())
    result.outputs.push_back(found[numbered.entry(head)]);
  return result;
}

Symbol with_scalar(const char* op, const Symbol& a, double b) {
  return sym::apply(op, {a}, {{"scalar", b}});
}

}  // namespace

Symbol Symbol::variable(std::string name, const VariableOptions& options) {
  graph::TextAttributes attributes;
  for (const auto& [key, value] : options.attributes) attributes[key] = value.text();
  if (!options.shape.empty()) attributes["__shape__"] = Value(options.shape).text();
  if (options.lr_mult) attributes["__lr_mult__"] = Value(*options.lr_mult).text();
  if (options.wd_mult) attributes["__wd_mult__"] = Value(*options.wd_mult).text();
  if (!options.init.empty()) attributes["__init__"] = options.init;
  if (options.stype == "row_sparse")
    attributes["__storage_type__"] = "1";  // MXNet's number
  else if (!options.stype.empty() && options.stype != "default")
    throw ConfigError("variable '" + name + "': stype must be default or row_sparse, got '" +
                      options.stype + "'");
  return Symbol({{graph::make_variable(std::move(name), std::move(attributes)), 0}});
}

Symbol Symbol::group(const std::vector<Symbol>& symbols) {
  std::vector<Entry> heads;
  for (const Symbol& s : symbols) heads.insert(heads.end(), s.heads_.begin(), s.heads_.end());
  return Symbol(std::move(heads));
}

std::string Symbol::name() const { return heads_.size() == 1 ? heads_[0].node->name : ""; }

std::vector<std::string> Symbol::list_arguments() const { return variables(*this, false); }
std::vector<std::string> Symbol::list_auxiliary_states() const { return variables(*this, true); }

std::vector<std::string> Symbol::list_outputs() const {
  std::vector<std::string> names;
  std::transform(heads_.begin(), heads_.end(), std::back_inserter(names), output_name);
  return names;
}

std::map<std::string, std::map<std::string, std::string>> Symbol::attr_dict() const {
  std::map<std::string, std::map<std::string, std::string>> all;
  for (const Node* node : graph::ordered(heads_))
    if (!node->attributes.empty()) all[node->name] = node->attributes;
  return all;
}

Symbol Symbol::operator[](Index output) const {
  if (output < 0 || output >= outputs())
    throw ConfigError(fmt::format("there is no output {} of {}", output, outputs()));
  return Symbol({heads_[static_cast<std::size_t>(output)]});
}

Symbol Symbol::operator[](std::string_view wanted) const {
  for (const Entry& head : heads_)
    if (output_name(head) == wanted) return Symbol({head});
  throw ConfigError(fmt::format("there is no output '{}'", wanted));
}

Symbol Symbol::get_internals() const {
  // Heads hold their nodes by shared pointer, and every other node is somebody's input.
  std::map<const Node*, std::shared_ptr<const Node>> holders;
  for (const Entry& head : heads_) holders[head.node.get()] = head.node;
  const auto order = graph::ordered(heads_);
  for (const Node* node : order)
    for (const Entry& input : node->inputs) holders[input.node.get()] = input.node;
  std::vector<Entry> all;
  for (const Node* node : order) {
    const auto outputs =
        node->is_variable() ? 1 : static_cast<Index>(node->prototype->outputs().size());
    for (Index k = 0; k < outputs; ++k) all.push_back({holders.at(node), k});
  }
  return Symbol(std::move(all));
}

InferredShapes Symbol::infer_shape_partial(
    const std::map<std::string, std::vector<Index>>& shapes) const {
  const graph::Numbered numbered(*this);
  return inferred(*this, numbered, graph::infer_shapes(numbered, shapes));
}

InferredShapes Symbol::infer_shape(const std::map<std::string, std::vector<Index>>& shapes) const {
  const auto arguments = list_arguments();
  for (const auto& [name, shape] : shapes)
    if (std::find(arguments.begin(), arguments.end(), name) == arguments.end())
      throw ConfigError(fmt::format("'{}' is not an argument of the symbol; those are {}", name,
                                    fmt::join(arguments, ", ")));
  const graph::Numbered numbered(*this);
  const auto found = graph::infer_shapes(numbered, shapes);
  graph::require_shapes(numbered, found);
  return inferred(*this, numbered, found);
}

namespace sym {

Symbol apply(std::string_view operator_name, const std::vector<Symbol>& inputs,
             const std::vector<Argument>& arguments) {
  graph::TextAttributes attributes;
  std::vector<Symbol::Entry> positional;
  std::map<std::string, Symbol::Entry> by_name;
  std::string name;
  const auto single = [&](const Symbol& s) {
    if (s.outputs() != 1)
      throw ConfigError(fmt::format("{}: an input must have one output, not {}; choose one by []",
                                    operator_name, s.outputs()));
    return s.heads()[0];
  };
  positional.reserve(inputs.size());
  for (const Symbol& input : inputs) positional.push_back(single(input));
  for (const Argument& argument : arguments) {
    if (const auto* symbol = std::get_if<Symbol>(&argument.value)) {
      by_name[argument.name] = single(*symbol);
    } else if (argument.name == "name") {
      name = std::get<Value>(argument.value).text();
    } else {
      const Value& value = std::get<Value>(argument.value);
      if (!value.none()) attributes[argument.name] = value.text();
    }
  }
  if (name.empty()) name = automatic_name(operator_name);
  const auto node =
      graph::make_node(std::string(ops::canonical_name(operator_name)), name, std::move(attributes),
                       std::move(positional), std::move(by_name));
  std::vector<Symbol::Entry> heads;
  const auto visible = static_cast<Index>(node->prototype->outputs().size());
  for (Index k = 0; k < visible; ++k) heads.push_back({node, k});
  return Symbol(std::move(heads));
}

NameManager::NameManager() { outer_.swap(name_counts); }
NameManager::~NameManager() { outer_.swap(name_counts); }

}  // namespace sym

Symbol operator+(const Symbol& a, const Symbol& b) { return sym::apply("_plus", {a, b}, {}); }
Symbol operator-(const Symbol& a, const Symbol& b) { return sym::apply("_minus", {a, b}, {}); }
Symbol operator*(const Symbol& a, const Symbol& b) { return sym::apply("_mul", {a, b}, {}); }
Symbol operator/(const Symbol& a, const Symbol& b) { return sym::apply("_div", {a, b}, {}); }
Symbol operator+(const Symbol& a, double b) { return with_scalar("_PlusScalar", a, b); }
Symbol operator-(const Symbol& a, double b) { return with_scalar("_MinusScalar", a, b); }
Symbol operator*(const Symbol& a, double b) { return with_scalar("_MulScalar", a, b); }
Symbol operator/(const Symbol& a, double b) { return with_scalar("_DivScalar", a, b); }
Symbol operator+(double a, const Symbol& b) { return with_scalar("_PlusScalar", b, a); }
Symbol operator-(double a, const Symbol& b) { return with_scalar("_RMinusScalar", b, a); }
Symbol operator*(double a, const Symbol& b) { return with_scalar("_MulScalar", b, a); }
Symbol operator/(double a, const Symbol& b) { return with_scalar("_RDivScalar", b, a); }
Symbol operator-(const Symbol& a) { return with_scalar("_MulScalar", a, -1); }

}  // namespace svrg
