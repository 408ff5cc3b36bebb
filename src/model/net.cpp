#include "svrg/model/net.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "model/graph/node.hpp"
#include "svrg/core/error.hpp"

namespace svrg {
namespace {

constexpr const char* heads =
    "SoftmaxOutput, LogisticRegressionOutput or LinearRegressionOutput without options";

const char* head_of(Loss loss) {
  return loss == Loss::softmax    ? "SoftmaxOutput"
         : loss == Loss::logistic ? "LogisticRegressionOutput"
                                  : "LinearRegressionOutput";
}

}  // namespace

Net Net::of(const Symbol& symbol) {
  if (symbol.outputs() != 1)
    throw ConfigError(
        fmt::format("the symbol has {} outputs; it must end in one: {}", symbol.outputs(), heads));
  const graph::Node& head = *symbol.heads()[0].node;
  const auto losses = {Loss::softmax, Loss::logistic, Loss::squared};
  const auto loss = std::ranges::find_if(losses, [&](Loss l) { return head.op == head_of(l); });
  if (loss == losses.end() || !graph::operator_options(head.attributes).empty() ||
      !head.inputs[1].node->is_variable())
    throw ConfigError(
        fmt::format("the symbol ends in {}; it must end in {}, and a label", head.title(), heads));
  Net net{*loss, Symbol({head.inputs[0]}), {}, head.inputs[1].node->name};
  const auto arguments = net.scores.list_arguments();
  if (arguments.empty() || std::ranges::find(arguments, net.label) != arguments.end())
    throw ConfigError("the symbol's scores depend on its label '" + net.label + "'");
  const bool usual = std::ranges::find(arguments, "data") != arguments.end();
  net.data = usual ? "data" : arguments.front();
  return net;
}

Index Net::scores_per_row(std::span<const Index> item_shape) const {
  std::vector<Index> shape{1};
  shape.insert(shape.end(), item_shape.begin(), item_shape.end());
  const auto out = scores.infer_shape({{data, shape}}).outputs.at(0);
  Index count = 1;
  for (std::size_t i = 1; i < out.size(); ++i) count *= out[i];
  if (out.empty() || out[0] != 1 || (loss != Loss::softmax && count != 1))
    throw ConfigError(fmt::format("under {} the symbol has {} scores a row; 1 is supported",
                                  head_of(loss), count));
  return count;
}

Symbol multilayer_perceptron(std::span<const Index> hidden, const std::string& activation,
                             Loss loss, Index outputs) {
  Symbol x = sym::var("data");
  int layer = 1;
  for (const Index width : hidden) {
    x = sym::FullyConnected(x, {{"num_hidden", width}, {"name", fmt::format("fc{}", layer)}});
    x = sym::Activation(x, {{"act_type", activation}, {"name", fmt::format("act{}", layer++)}});
  }
  x = sym::FullyConnected(x, {{"num_hidden", outputs}, {"name", fmt::format("fc{}", layer)}});
  return sym::apply(head_of(loss), {x}, {{"name", "loss"}});
}

}  // namespace svrg
