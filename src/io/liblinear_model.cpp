#include "svrg/io/liblinear_model.hpp"

#include <fmt/format.h>

#include <cmath>

#include "svrg/core/error.hpp"

namespace svrg::io {
namespace {

const char* solver_type(const std::string& kind) {
  if (kind == "svm-sq") return "L2R_L2LOSS_SVC";
  return kind == "logistic" || kind == "softmax" ? "L2R_LR" : "L2R_L2LOSS_SVR";
}

}  // namespace

std::string liblinear_text(const ModelRecord& model) {
  if (!model.symbol.empty())
    throw ConfigError("liblinear has no nets; use .h5, .npz, .json or .onnx");
  if (!model.calibration.method.empty())
    throw ConfigError(
        "liblinear's text has no place for the calibration of probabilities; use .h5, .npz or "
        ".json, or train without --calibrate");
  const ModelRecord raw = without_scaling(model);
  const Parameter& weight = raw.layout.at("linear_weight");
  const Vec<double> w = to_row_major(weight, raw.weights.segment(weight.offset, weight.size));
  const Index K = weight.shape[0], d = raw.features;
  std::string text = fmt::format("solver_type {}\nnr_class {}\n", solver_type(raw.kind),
                                 std::max<std::size_t>(2, raw.classes.size()));
  for (const double label : raw.classes)
    if (label != std::floor(label) || std::fabs(label) > 1e9)
      throw ConfigError(fmt::format("liblinear's labels are whole numbers, not {}", label));
  // Two classes have one column there, also of a softmax: its difference, whose logistic function
  // is the softmax. The first of the two labels is the one that a positive score speaks for.
  if (raw.classes.size() == 2) {
    text += fmt::format("label {:.0f} {:.0f}\n", raw.classes[1], raw.classes[0]);
  } else if (!raw.classes.empty()) {
    text += "label";
    for (const double label : raw.classes) text += fmt::format(" {:.0f}", label);
    text += '\n';
  }
  text += fmt::format("nr_feature {}\nbias {}\nw\n", d, raw.intercept ? 1 : -1);
  const auto line = [&](auto&& value) {
    for (Index k = 0; k < K && K != 2; ++k) text += fmt::format("{:.17g} ", value(k));
    if (K == 2) text += fmt::format("{:.17g} ", value(1) - value(0));
    text += '\n';
  };
  for (Index j = 0; j < d; ++j) line([&](Index k) { return w[k * d + j]; });
  if (raw.intercept)
    line([&](Index k) { return raw.weights[raw.layout.at("linear_bias").offset + k]; });
  return text;
}

}  // namespace svrg::io
