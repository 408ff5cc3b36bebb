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
  if (!model.symbol.empty()) throw ConfigError("liblinear has no nets; export to .h5");
  if (!model.mean.empty() && !model.intercept)
    throw ConfigError("liblinear's model needs an intercept for the means that were taken off");
  const Parameter& weight = model.layout.at("linear_weight");
  const Vec<double> w = to_row_major(weight, model.weights.segment(weight.offset, weight.size));
  const Index K = weight.shape[0], d = model.features;
  const auto raw = [&](Index k, Index j) {
    const auto column = static_cast<std::size_t>(j);
    return w[k * d + j] / (model.scale.empty() ? 1 : model.scale[column]);
  };
  std::string text = fmt::format("solver_type {}\nnr_class {}\n", solver_type(model.kind),
                                 std::max<std::size_t>(2, model.classes.size()));
  for (const double label : model.classes)
    if (label != std::floor(label) || std::fabs(label) > 1e9)
      throw ConfigError(fmt::format("liblinear's labels are whole numbers, not {}", label));
  // The first of two labels is the one that a positive score speaks for.
  if (K == 1 && !model.classes.empty()) {
    text += fmt::format("label {:.0f} {:.0f}\n", model.classes[1], model.classes[0]);
  } else if (!model.classes.empty()) {
    text += "label";
    for (const double label : model.classes) text += fmt::format(" {:.0f}", label);
    text += '\n';
  }
  text += fmt::format("nr_feature {}\nbias {}\nw\n", d, model.intercept ? 1 : -1);
  const auto line = [&](auto&& value) {
    for (Index k = 0; k < K; ++k) text += fmt::format("{:.17g} ", value(k));
    text += '\n';
  };
  for (Index j = 0; j < d; ++j) line([&](Index k) { return raw(k, j); });
  if (model.intercept) {
    const Parameter& bias = model.layout.at("linear_bias");
    line([&](Index k) {
      double b = model.weights[bias.offset + k];
      for (Index j = 0; j < d && !model.mean.empty(); ++j)
        b -= raw(k, j) * model.mean[static_cast<std::size_t>(j)];
      return b;
    });
  }
  return text;
}

}  // namespace svrg::io
