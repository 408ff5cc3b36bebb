// symbol.json as MXNet wrote it from 0.8 on: attributes under "param" and "attr", "attr", or
// "attrs"; inputs as pairs or triples; auxiliary states among the inputs or left out; attributes of
// variables without their underscores. What is written is the newest form.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>

#include "model/graph/node.hpp"
#include "svrg/core/error.hpp"

namespace svrg {
namespace {

using graph::Node;
using graph::TextAttributes;
using Json = nlohmann::ordered_json;

// More than any network has; a chain of nodes is freed one inside the other.
constexpr std::size_t most_nodes = 20'000;
constexpr std::array<std::string_view, 5> once_plain = {"ctx_group", "lr_mult", "wd_mult",
                                                        "force_mirroring", "mirror_stage"};

class Reader {
 public:
  Reader(const Json& document, const std::string& source) : source_(source) {
    if (!document.is_object() || !document.contains("nodes") || !document["nodes"].is_array())
      fail("it has no list \"nodes\"");
    if (document["nodes"].size() > most_nodes) fail("it has too many nodes");
    for (const Json& node : document["nodes"]) read_node(node);
    if (!document.contains("heads") || !document["heads"].is_array() || document["heads"].empty())
      fail("it has no list \"heads\"");
    for (const Json& head : document["heads"]) heads_.push_back(entry(head, "heads"));
  }
  std::vector<Symbol::Entry> heads() const { return heads_; }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(source_ + ": not a symbol of MXNet: " + what);
  }

  Symbol::Entry entry(const Json& j, const std::string& where) const {
    if (!j.is_array() || j.size() < 2 || !j[0].is_number_unsigned() || !j[1].is_number_unsigned())
      fail(where + ": an input must be [node, output]");
    const auto node = j[0].get<std::size_t>(), output = j[1].get<std::size_t>();
    if (node >= nodes_.size()) fail(fmt::format("{}: node {} does not come before", where, node));
    // Auxiliary states carry a version there, variables have one output only.
    const Node& from = *nodes_[node];
    const std::size_t outputs = from.prototype ? from.prototype->outputs().size() : 1;
    if (output >= outputs)
      fail(fmt::format("{}: '{}' has {} outputs, not {}", where, from.name, outputs, output + 1));
    return {nodes_[node], static_cast<Index>(output)};
  }

  void read_node(const Json& j) {
    const std::string place = fmt::format("node {}", nodes_.size());
    if (!j.is_object() || !j.contains("op") || !j["op"].is_string() || !j.contains("name") ||
        !j["name"].is_string())
      fail(place + " needs \"op\" and \"name\"");
    const auto op = j["op"].get<std::string>(), name = j["name"].get<std::string>();
    const std::string where = fmt::format("{} '{}'", place, name);
    TextAttributes attributes;
    for (const char* key : {"param", "attr", "attrs"}) {
      if (!j.contains(key)) continue;
      if (!j[key].is_object()) fail(where + ": attributes must be an object");
      for (const auto& [attribute, value] : j[key].items())
        attributes[modern(attribute)] = value.is_string() ? value.get<std::string>() : value.dump();
    }
    if (op == "null") {
      nodes_.push_back(graph::make_variable(name, std::move(attributes)));
      return;
    }
    std::vector<Symbol::Entry> inputs;
    if (j.contains("inputs")) {
      if (!j["inputs"].is_array()) fail(where + ": inputs must be a list");
      for (const Json& input : j["inputs"]) inputs.push_back(entry(input, where));
    }
    try {
      nodes_.push_back(graph::make_node(std::string(ops::canonical_name(op)), name,
                                        std::move(attributes), std::move(inputs)));
    } catch (const ConfigError& error) {
      throw DataError(fmt::format("{}: {}: {}", source_, where, error.what()));
    }
  }

  static std::string modern(const std::string& attribute) {
    const bool plain =
        std::find(once_plain.begin(), once_plain.end(), attribute) != once_plain.end();
    return plain ? "__" + attribute + "__" : attribute;
  }

  std::string source_;
  std::vector<std::shared_ptr<const Node>> nodes_;
  std::vector<Symbol::Entry> heads_;
};

}  // namespace

Symbol Symbol::from_json(const std::string& text, const std::string& source) {
  Json document;
  try {
    document = Json::parse(text);
  } catch (const Json::exception& error) {
    throw DataError(source + ": not JSON: " + error.what());
  }
  return Symbol(Reader(document, source).heads());
}

Symbol Symbol::load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw DataError(path + ": cannot be opened");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return from_json(text, path);
}

std::string Symbol::to_json() const {
  const graph::Numbered numbered(*this);
  const auto entry_of = [&](const Entry& e, int version) {
    return Json::array({numbered.number.at(e.node.get()), e.output, version});
  };
  Json nodes = Json::array(), arguments = Json::array();
  for (std::size_t i = 0; i < numbered.nodes.size(); ++i) {
    const Node& node = *numbered.nodes[i];
    Json j;
    j["op"] = node.is_variable() ? "null" : node.op;
    j["name"] = node.name;
    if (!node.attributes.empty()) j["attrs"] = node.attributes;
    j["inputs"] = Json::array();
    for (std::size_t k = 0; k < node.inputs.size(); ++k)
      j["inputs"].push_back(entry_of(node.inputs[k], k >= node.plain_inputs()));
    nodes.push_back(std::move(j));
    if (node.is_variable()) arguments.push_back(i);
  }
  Json heads = Json::array();
  for (const Entry& head : heads_) heads.push_back(entry_of(head, 0));
  Json document;
  document["nodes"] = std::move(nodes);
  document["arg_nodes"] = std::move(arguments);
  document["node_row_ptr"] = numbered.first_entry;
  document["heads"] = std::move(heads);
  document["attrs"] = {{"mxnet_version", {"int", 10901}}};
  return document.dump(2) + "\n";
}

}  // namespace svrg
