#pragma once
#include <span>
#include <string>
#include <vector>

#include "svrg/model/linear_model.hpp"
#include "svrg/model/symbol.hpp"

namespace svrg {

/// A network that ends in one loss against one label, taken apart. Its scores mean what a
/// LinearModel's margins mean for the same loss.
struct Net {
  Loss loss;
  Symbol scores;  // what goes into the loss
  std::string data, label;

  /// Of a symbol whose head is SoftmaxOutput, LogisticRegressionOutput or LinearRegressionOutput
  /// without options. @throws ConfigError saying what it has instead
  static Net of(const Symbol& symbol);
  /// For rows of this shape. @throws ConfigError naming the node where it does not fit, or where
  /// logistic and linear losses have more than one score.
  Index scores_per_row(std::span<const Index> item_shape) const;
};

/// A multilayer perceptron: FullyConnected layers fc1 … of these widths with an activation between
/// them, the last one `outputs` wide under the loss. `activation` as MXNet's act_type.
Symbol multilayer_perceptron(std::span<const Index> hidden, const std::string& activation,
                             Loss loss, Index outputs);

}  // namespace svrg
