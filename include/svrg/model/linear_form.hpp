#pragma once
#include <optional>

#include "svrg/model/linear_model.hpp"
#include "svrg/model/symbol.hpp"

namespace svrg {

/// A symbol that is nothing but a linear model: a FullyConnected layer on the data under an output
/// operator of its own loss. LinearModel computes it in one pass over the rows.
struct LinearForm {
  Loss loss = Loss::squared;
  Index outputs = 1;  // of the layer: classes for softmax
  bool intercept = true;
};

/// Nothing for any other symbol, LogisticRegressionOutput with several outputs and outputs with
/// options (grad_scale, use_ignore …) included.
std::optional<LinearForm> linear_form(const Symbol& symbol);

}  // namespace svrg
