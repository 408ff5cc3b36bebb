// Numbers of fields and types are those of onnx.proto, version 1.8 (IR 7).
#include "svrg/io/onnx_model.hpp"

#include <fmt/format.h>

#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "io/protobuf.hpp"
#include "svrg/core/error.hpp"
#include "svrg/core/version.hpp"

namespace svrg::io {
namespace {

using Names = std::vector<std::string>;

enum Type : std::uint64_t { float32 = 1, int64 = 7, float64 = 11 };

template <class T>
std::string raw(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// A graph as it grows: each node has one output, whose name is the node's.
class Graph {
 public:
  explicit Graph(bool single) : type_(single ? float32 : float64) {}

  std::string node(const std::string& op, const Names& inputs, const std::string& name,
                   const std::map<std::string, std::int64_t>& attributes = {}) {
    Message node;
    for (const std::string& input : inputs) node.bytes(1, input);
    node.bytes(2, name).bytes(3, name).bytes(4, op);
    for (const auto& [key, value] : attributes)
      node.message(
          5, Message().bytes(1, key).number(3, static_cast<std::uint64_t>(value)).number(20, 2));
    graph_.message(1, node);
    return name;
  }
  std::string constant(const std::string& name, const std::vector<Index>& shape,
                       const std::vector<double>& values) {
    return tensor(
        name, shape, type_,
        type_ == float64 ? raw(values) : raw(std::vector<float>(values.begin(), values.end())));
  }
  std::string whole_numbers(const std::string& name, const std::vector<std::int64_t>& values) {
    return tensor(name, {static_cast<Index>(values.size())}, int64, raw(values));
  }
  /// Axes are N, then `shape`.
  void input(const std::vector<Index>& shape) { graph_.message(11, value("data", shape)); }
  void output(const std::string& name, const std::vector<Index>& shape) {
    graph_.message(12, value(name, shape));
  }
  std::string model(const ModelRecord& record) {
    graph_.bytes(2, record.kind + " model");
    Message all;
    all.number(1, 7).bytes(2, "svrg").bytes(3, version());
    all.message(7, graph_).message(8, Message().bytes(1, "").number(2, 13));
    return all.text();
  }

 private:
  std::string tensor(const std::string& name, const std::vector<Index>& shape, std::uint64_t type,
                     const std::string& bytes) {
    Message tensor;
    for (const Index extent : shape) tensor.number(1, static_cast<std::uint64_t>(extent));
    graph_.message(5, tensor.number(2, type).bytes(8, name).bytes(9, bytes));
    return name;
  }
  Message value(const std::string& name, const std::vector<Index>& shape) const {
    Message axes;
    axes.message(1, Message().bytes(2, "N"));
    for (const Index extent : shape)
      axes.message(1, Message().number(1, static_cast<std::uint64_t>(extent)));
    return Message().bytes(1, name).message(
        2, Message().message(1, Message().number(1, type_).message(2, axes)));
  }
  std::uint64_t type_;
  Message graph_;
};

std::vector<double> values_of(const ModelRecord& model, const Parameter& parameter) {
  const Vec<double> values =
      to_row_major(parameter, model.weights.segment(parameter.offset, parameter.size));
  return {values.begin(), values.end()};
}

// Before names of the model's own, which might be those of our inputs and outputs.
constexpr const char* inside = "model/";

std::string add_parameter(Graph& graph, const ModelRecord& model, const std::string& name) {
  const Parameter& parameter = model.layout.at(name);
  return graph.constant(inside + name, parameter.shape, values_of(model, parameter));
}

// x Wᵀ + b, W (units, inputs) as MXNet has it.
std::string layer(Graph& graph, const Names& inputs, const std::string& name) {
  return graph.node("Gemm", inputs, name, {{"transB", 1}});
}

void add_linear(Graph& graph, const ModelRecord& model, const std::string& x) {
  Names inputs = {x, add_parameter(graph, model, "linear_weight")};
  if (model.intercept) inputs.push_back(add_parameter(graph, model, "linear_bias"));
  layer(graph, inputs, "score");
}

// The nodes of a symbol.json up to what goes into the loss, which is the last node.
void add_net(Graph& graph, const ModelRecord& model, const std::string& x) {
  static const std::map<std::string, std::string> activations = {{"relu", "Relu"},
                                                                 {"sigmoid", "Sigmoid"},
                                                                 {"tanh", "Tanh"},
                                                                 {"softrelu", "Softplus"},
                                                                 {"softsign", "Softsign"}};
  const auto nodes = nlohmann::json::parse(model.symbol).at("nodes");
  const std::size_t loss = nodes.size() - 1;
  std::vector<std::string> made(nodes.size());
  const auto input = [&](const nlohmann::json& node, std::size_t i) -> const std::string& {
    return made.at(node.at("inputs").at(i).at(0).get<std::size_t>());
  };
  for (std::size_t i = 0; i < loss; ++i) {
    const auto& node = nodes[i];
    const auto op = node.at("op").get<std::string>(), given = node.at("name").get<std::string>();
    const std::string name = inside + given;
    const auto attributes = node.value("attrs", nlohmann::json::object());
    if (op == "null") {
      bool parameter = false;
      for (const Parameter& p : model.layout.all()) parameter = parameter || p.name == given;
      made[i] = parameter ? add_parameter(graph, model, given) : x;
    } else if (op == "FullyConnected" && attributes.value("flatten", "True") == "True") {
      Names inputs = {graph.node("Flatten", {input(node, 0)}, name + "/rows"), input(node, 1)};
      if (node.at("inputs").size() > 2) inputs.push_back(input(node, 2));
      made[i] = layer(graph, inputs, name);
    } else if (op == "Activation" && activations.contains(attributes.value("act_type", ""))) {
      made[i] =
          graph.node(activations.at(attributes.value("act_type", "")), {input(node, 0)}, name);
    } else if (op == "Flatten" || op == "identity" || op == "_copy") {
      made[i] = graph.node(op == "Flatten" ? op : "Identity", {input(node, 0)}, name);
    } else {
      throw ConfigError(fmt::format(
          "'{}' is {}; ONNX is written of nets of FullyConnected, Activation and Flatten only",
          given, op == "Activation" ? "a " + attributes.value("act_type", "") : op));
    }
  }
  graph.node("Flatten", {input(nodes[loss], 0)}, "score");
}

// What the loss makes of the scores: labels and probabilities.
void add_answers(Graph& graph, const ModelRecord& model, Index scores) {
  const std::string flat = graph.whole_numbers("one_axis", {-1});
  graph.output("label", {});
  graph.output("score", {scores});
  if (model.classes.empty()) {
    graph.node("Reshape", {"score", flat}, "label");
    return;
  }
  const auto classes = static_cast<Index>(model.classes.size());
  const std::string zero = graph.constant("zero", {1}, {0});
  if (scores > 1) {
    graph.node("ArgMax", {"score"}, "class_number", {{"axis", 1}, {"keepdims", 0}});
    graph.node("Softmax", {"score"}, "proba", {{"axis", 1}});
  } else {
    graph.node("Greater", {"score", zero}, "above");
    graph.node("Cast", {"above"}, "above_number", {{"to", int64}});
    graph.node("Reshape", {"above_number", flat}, "class_number");
  }
  graph.node("Gather", {graph.constant("classes", {classes}, model.classes), "class_number"},
             "label");
  if (model.kind == "svm-sq") return;
  graph.output("proba", {classes});
  if (scores > 1) return;
  // Softmax of (0, z): a logistic function whose small side keeps its digits.
  graph.node("Mul", {"score", zero}, "score_0");
  graph.node("Concat", {"score_0", "score"}, "score_of_class", {{"axis", 1}});
  graph.node("Softmax", {"score_of_class"}, "proba", {{"axis", 1}});
}

}  // namespace

std::string onnx_text(const ModelRecord& model) {
  if (!model.calibration.method.empty())
    throw ConfigError(
        "ONNX models are written without the calibration of probabilities; use .h5, .npz or .json, "
        "or train without --calibrate");
  Graph graph(model.single);
  graph.input({model.features});
  std::string x = "data";
  const std::vector<Index> columns = {model.features};
  if (!model.mean.empty())
    x = graph.node("Sub", {x, graph.constant("mean", columns, model.mean)}, "centred");
  if (!model.scale.empty())
    x = graph.node("Div", {x, graph.constant("scale", columns, model.scale)}, "scaled");
  if (!model.symbol.empty())
    add_net(graph, model, x);
  else
    add_linear(graph, model, x);
  add_answers(graph, model, model.kind == "softmax" ? static_cast<Index>(model.classes.size()) : 1);
  return graph.model(model);
}

}  // namespace svrg::io
