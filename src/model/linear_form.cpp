#include "svrg/model/linear_form.hpp"

#include "model/graph/node.hpp"

namespace svrg {
namespace {

bool is_variable(const graph::Node& node, std::size_t input) {
  return node.inputs[input].node->is_variable();
}

}  // namespace

std::optional<LinearForm> linear_form(const Symbol& symbol) {
  if (symbol.outputs() != 1) return {};
  const graph::Node& output = *symbol.heads()[0].node;
  if (output.is_variable() || output.inputs.size() != 2 || !is_variable(output, 1)) return {};
  if (!graph::operator_options(output.attributes).empty()) return {};
  const graph::Node& layer = *output.inputs[0].node;
  if (layer.op != "FullyConnected") return {};
  for (std::size_t i = 0; i < layer.inputs.size(); ++i)
    if (!is_variable(layer, i)) return {};
  const Options options = graph::operator_options(layer.attributes);
  OptionReader reader(layer.title(), options);
  LinearForm form;
  form.outputs = reader.integer("num_hidden", 1);
  form.intercept = !reader.flag("no_bias", false);
  if (output.op == "SoftmaxOutput" && form.outputs > 1)
    form.loss = Loss::softmax;
  else if (output.op == "LogisticRegressionOutput" && form.outputs == 1)
    form.loss = Loss::logistic;
  else if (output.op == "LinearRegressionOutput" && form.outputs == 1)
    form.loss = Loss::squared;
  else
    return {};
  return form;
}

}  // namespace svrg
