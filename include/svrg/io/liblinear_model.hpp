#pragma once
#include <string>

#include "svrg/io/model_file.hpp"

namespace svrg::io {

/// A linear model as liblinear's text, for liblinear-predict: classes and, of numbers, values come
/// out as from the model itself, on raw rows (what was done to columns is folded into the weights).
/// A softmax has no solver type there; its labels are right, its probabilities are not.
/// @throws ConfigError for a net, or where means were taken off without an intercept
std::string liblinear_text(const ModelRecord& model);

}  // namespace svrg::io
