#pragma once
#include <string>
#include <string_view>

#include "svrg/io/model_file.hpp"

namespace svrg::io {

/// A linear model as liblinear's text, for liblinear-predict: classes and, of numbers, values come
/// out as from the model itself, on raw rows (without_scaling). A softmax of more than two classes
/// has no solver type there; its labels are right, its probabilities are not.
/// @throws ConfigError for a net, for labels that are no whole numbers, or where means were taken
/// off without an intercept
std::string liblinear_text(const ModelRecord& model);

/// The model in such a text, written by liblinear-train or liblinear_text: all solver types but
/// that of one class. Two classes: logistic (L2R_LR, L1R_LR, …) or svm-sq, more, or MCSVM_CS:
/// softmax, of which the labels are liblinear's and the probabilities are not; numbers: linear. The
/// weight of the bias, times its value, is the intercept, which is penalised as liblinear does it;
/// only at `-B 1` is that svrg's penalty, too. The text does not say l2: it is 0.
/// @throws DataError (`name`:line: …)
ModelRecord from_liblinear(std::string_view text, const std::string& name);

}  // namespace svrg::io
