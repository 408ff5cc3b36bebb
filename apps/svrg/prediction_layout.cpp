#include "prediction_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "svrg/io/document.hpp"
#include "svrg/io/file.hpp"

namespace svrg::app {
namespace {

/// Class probabilities from a row's scores. [classes]
std::vector<double> probabilities(const PredictionOptions& o, Loss loss,
                                  std::span<const double> z) {
  if (takes_two_classes(loss)) {
    const double u = o.calibration.at(z[0]);
    const double p = u > 0 ? 1 / (1 + std::exp(-u)) : std::exp(u) / (1 + std::exp(u));
    return {1 - p, p};
  }
  std::vector<double> p(z.begin(), z.end());
  const double top = *std::max_element(p.begin(), p.end());
  double sum = 0;
  for (double& v : p) sum += v = std::exp(o.calibration.slope * (v - top));
  for (double& v : p) v /= sum;
  return p;
}

/// each(scores of a row)
template <class Each>
void each_row(const LabelMap& labels, std::span<const double> scores, Each&& each) {
  const auto K = static_cast<std::size_t>(labels.scores_per_row());
  for (std::size_t i = 0; i < scores.size(); i += K) each(scores.subspan(i, K));
}

std::string csv(const PredictionOptions& o, const LabelMap& labels,
                std::span<const double> scores) {
  std::string text;
  auto out = std::back_inserter(text);
  if (o.proba || o.scores) {
    text = "label";
    if (o.proba)
      for (const double c : labels.classes) fmt::format_to(out, ",proba_{:g}", c);
    if (o.scores && labels.loss == Loss::softmax)
      for (const double c : labels.classes) fmt::format_to(out, ",score_{:g}", c);
    else if (o.scores)
      text += ",score";
    text += '\n';
  }
  each_row(labels, scores, [&](std::span<const double> z) {
    fmt::format_to(out, "{}", labels.label_of(z.data()));
    if (o.proba)
      for (const double p : probabilities(o, labels.loss, z)) fmt::format_to(out, ",{:.9g}", p);
    if (o.scores)
      for (const double s : z) fmt::format_to(out, ",{}", s);
    text += '\n';
  });
  return text;
}

/// Digits that read back to the same double; JSON has no NaN.
std::string json_number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "null";
}

std::string json_list(std::span<const double> values) {
  std::string text;
  for (const double v : values) text += (text.empty() ? '[' : ',') + json_number(v);
  return text + ']';
}

std::string jsonl(const PredictionOptions& o, const LabelMap& labels,
                  std::span<const double> scores) {
  std::string text;
  each_row(labels, scores, [&](std::span<const double> z) {
    text += "{\"label\":" + json_number(labels.label_of(z.data()));
    if (o.proba) text += ",\"proba\":" + json_list(probabilities(o, labels.loss, z));
    if (o.scores) text += ",\"score\":" + (z.size() == 1 ? json_number(z[0]) : json_list(z));
    text += "}\n";
  });
  return text;
}

// Of two labels liblinear's models have the one first that a positive score speaks for.
std::string liblinear(const PredictionOptions& o, const LabelMap& labels,
                      std::span<const double> scores) {
  std::string text;
  auto out = std::back_inserter(text);
  const bool swapped = takes_two_classes(labels.loss);
  const auto ordered = [&](std::vector<double> values) {
    if (swapped) std::reverse(values.begin(), values.end());
    return values;
  };
  if (o.proba) {
    text = "labels";
    for (const double c : ordered(labels.classes)) fmt::format_to(out, " {:g}", c);
    text += '\n';
  }
  each_row(labels, scores, [&](std::span<const double> z) {
    const double label = labels.label_of(z.data());
    if (!o.proba) {
      fmt::format_to(out, "{:.17g}\n", label);
      return;
    }
    fmt::format_to(out, "{:g}", label);
    for (const double p : ordered(probabilities(o, labels.loss, z)))
      fmt::format_to(out, " {:g}", p);
    text += '\n';
  });
  return text;
}

std::string hdf5(const PredictionOptions& o, const LabelMap& labels,
                 std::span<const double> scores) {
  const Index K = labels.scores_per_row(), rows = static_cast<Index>(scores.size()) / K;
  const auto variable = [](std::vector<double> values, std::vector<Index> shape,
                           std::vector<std::string> axes, const char* long_name) {
    io::Variable v;
    v.data = {std::move(shape), std::move(values)};
    v.axes = std::move(axes);
    v.long_name = long_name;
    return v;
  };
  std::vector<double> label, proba;
  each_row(labels, scores, [&](std::span<const double> z) {
    label.push_back(labels.label_of(z.data()));
    if (!o.proba) return;
    const auto p = probabilities(o, labels.loss, z);
    proba.insert(proba.end(), p.begin(), p.end());
  });
  io::Document document;
  document.attributes = io::root_attributes("svrg-predictions", "svrg predictions");
  auto& variables = document.variables;
  const auto classes = static_cast<Index>(labels.classes.size());
  if (classes > 0)
    variables["class"] = variable(labels.classes, {classes}, {"class"}, "label of the class");
  variables["label"] = variable(std::move(label), {rows}, {"row"}, "predicted label");
  if (o.proba)
    variables["proba"] =
        variable(std::move(proba), {rows, classes}, {"row", "class"}, "probability of the class");
  const std::vector<double> all(scores.begin(), scores.end());
  if (o.scores)
    variables["score"] = labels.loss == Loss::softmax
                             ? variable(all, {rows, K}, {"row", "class"}, "score of the class")
                             : variable(all, {rows}, {"row"}, "score");
  auto image = io::to_image(document);
  io::append_trailer(image);
  return {reinterpret_cast<const char*>(image.data()), image.size()};
}

}  // namespace

PredictionLayout prediction_layout(std::string_view asked, std::string_view out) {
  if (asked == "h5" || (asked == "auto" && out.ends_with(".h5"))) return PredictionLayout::hdf5;
  if (asked == "jsonl" || (asked == "auto" && out.ends_with(".jsonl")))
    return PredictionLayout::jsonl;
  return asked == "liblinear" ? PredictionLayout::liblinear : PredictionLayout::csv;
}

std::string predictions(const PredictionOptions& options, const LabelMap& labels,
                        std::span<const double> scores) {
  switch (options.layout) {
    case PredictionLayout::jsonl:
      return jsonl(options, labels, scores);
    case PredictionLayout::liblinear:
      return liblinear(options, labels, scores);
    case PredictionLayout::hdf5:
      return hdf5(options, labels, scores);
    default:
      return csv(options, labels, scores);
  }
}

}  // namespace svrg::app
