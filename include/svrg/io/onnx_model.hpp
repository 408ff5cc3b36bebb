#pragma once
#include <string>

#include "svrg/io/model_file.hpp"

namespace svrg::io {

/// A model as ONNX (opset 13), to be run elsewhere; it cannot be read back. The input is `data`,
/// raw rows [N, features]; outputs are `label` [N], `score` [N, K] and, of logistic and softmax
/// models, `proba` [N, classes]: what `svrg predict` says. All are double, of a net in single
/// precision float. @throws ConfigError for a net with operators other than FullyConnected,
/// Activation, Flatten and identity
std::string onnx_text(const ModelRecord& model);

}  // namespace svrg::io
