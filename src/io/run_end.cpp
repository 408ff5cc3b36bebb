// /end and /evaluation of run.h5. Counts and rates both stand there: the former to compute with,
// the latter for who only looks.
#include "io/run_end.hpp"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "io/path.hpp"
#include "svrg/core/error.hpp"

namespace svrg::io {
namespace {

constexpr const char* end_group = "end";
constexpr const char* group = "evaluation";

class Writing {
 public:
  explicit Writing(Document& document) : document_(document) {}
  void add(const char* leaf, std::vector<std::string> axes, std::vector<double> values,
           const char* long_name, std::vector<Index> shape = {}) {
    if (shape.empty()) shape = {static_cast<Index>(values.size())};
    Variable variable;
    variable.data = {std::move(shape), std::move(values)};
    variable.axes = std::move(axes);
    variable.units = "1";
    variable.long_name = long_name;
    document_.variables[join(group, leaf)] = std::move(variable);
  }

 private:
  Document& document_;
};

template <class Item, class Get>
std::vector<double> each(const std::vector<Item>& items, const Get& get) {
  std::vector<double> values;
  values.reserve(items.size());
  for (const Item& item : items) values.push_back(get(item));
  return values;
}

std::vector<double> ratio(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> values;
  for (std::size_t i = 0; i < a.size(); ++i)
    values.push_back(b[i] > 0 ? a[i] / b[i] : std::numeric_limits<double>::quiet_NaN());
  return values;
}

void add_classes(Writing& to, const Evaluation& e) {
  const auto classes = static_cast<Index>(e.classes.size());
  to.add("class", {"class"}, e.classes, "label of the class");
  to.add("support", {"class"}, e.support, "weight of the rows of the class");
  to.add("taken", {"class"}, e.taken, "weight of the rows that are taken for the class");
  to.add("hits", {"class"}, e.hits, "weight of the rows of the class that are taken for it");
  to.add("precision", {"class"}, ratio(e.hits, e.taken), "share of the rows taken for the class");
  to.add("recall", {"class"}, ratio(e.hits, e.support), "share of the rows of the class");
  if (e.confusion.empty()) return;
  to.add("predicted_class", {"predicted_class"}, e.classes, "label of the predicted class");
  to.add("confusion", {"class", "predicted_class"}, e.confusion,
         "weight of the rows of a class that are taken for another", {classes, classes});
}

void add_roc(Writing& to, const Evaluation& e) {
  const auto positives = each(e.roc, [&](const RocPoint&) { return e.support.at(1); });
  const auto negatives = each(e.roc, [&](const RocPoint&) { return e.support.at(0); });
  const auto hits = each(e.roc, [](const RocPoint& p) { return p.true_positives; });
  const auto alarms = each(e.roc, [](const RocPoint& p) { return p.false_positives; });
  const auto thresholds = each(e.roc, [](const RocPoint& p) { return p.threshold; });
  to.add("threshold", {"threshold"}, thresholds, "score above which a row is taken for class 1");
  to.add("true_positives", {"threshold"}, hits, "weight of the rows of class 1 above it");
  to.add("false_positives", {"threshold"}, alarms, "weight of the rows of class 0 above it");
  to.add("true_positive_rate", {"threshold"}, ratio(hits, positives), "share of class 1 above it");
  to.add("false_positive_rate", {"threshold"}, ratio(alarms, negatives),
         "share of class 0 above it");
}

// Reading
// -----------------------------------------------------------------------------------------------

class Reading {
 public:
  Reading(const Document& document, const std::string& name) : document_(document), name_(name) {}
  bool has(const char* leaf) const { return document_.variables.contains(join(group, leaf)); }
  const std::vector<double>& values(const char* leaf, Index size) const {
    const auto found = document_.variables.find(join(group, leaf));
    const auto* values = found == document_.variables.end()
                             ? nullptr
                             : std::get_if<std::vector<double>>(&found->second.data.data);
    if (!values || (size >= 0 && static_cast<Index>(values->size()) != size))
      throw DataError(fmt::format("{}: there is no /{}/{} as a run has it", name_, group, leaf));
    return *values;
  }
  template <class T>
  T attribute(const char* of, const char* key) const {
    const auto found = document_.groups.find(of);
    if (found != document_.groups.end())
      if (const auto at = found->second.find(key); at != found->second.end())
        if (const T* value = std::get_if<T>(&at->second)) return *value;
    throw DataError(fmt::format("{}: /{} has no attribute {}", name_, of, key));
  }

 private:
  const Document& document_;
  const std::string& name_;
};

Evaluation evaluation_of(const Reading& file) {
  Evaluation e;
  e.rows_of = file.attribute<std::string>(group, "rows_of");
  e.rows = file.attribute<Index>(group, "rows");
  if (file.has("class")) {
    e.classes = file.values("class", -1);
    const auto classes = static_cast<Index>(e.classes.size());
    e.support = file.values("support", classes);
    e.taken = file.values("taken", classes);
    e.hits = file.values("hits", classes);
    if (file.has("confusion")) e.confusion = file.values("confusion", classes * classes);
  }
  if (file.has("threshold")) {
    const auto& thresholds = file.values("threshold", -1);
    const auto points = static_cast<Index>(thresholds.size());
    const auto& hits = file.values("true_positives", points);
    const auto& alarms = file.values("false_positives", points);
    for (std::size_t i = 0; i < thresholds.size(); ++i)
      e.roc.push_back({thresholds[i], hits[i], alarms[i]});
  }
  if (file.has("predicted")) {
    const auto& predicted = file.values("predicted", -1);
    const auto bins = static_cast<Index>(predicted.size());
    const auto& observed = file.values("observed", bins);
    const auto& weight = file.values("calibration_weight", bins);
    for (std::size_t i = 0; i < predicted.size(); ++i)
      e.calibration.push_back({predicted[i], observed[i], weight[i]});
  }
  if (file.has("residual_low")) {
    const auto& low = file.values("residual_low", -1);
    const auto bins = static_cast<Index>(low.size());
    const auto& high = file.values("residual_high", bins);
    const auto& weight = file.values("residual_weight", bins);
    for (std::size_t i = 0; i < low.size(); ++i)
      e.residuals.push_back({low[i], high[i], weight[i]});
  }
  return e;
}

}  // namespace

void add_end(Document& document, const RunEnd& end) {
  document.groups[end_group] = {{"stop_reason", end.stop_reason},
                                {"epoch", end.epoch},
                                {"first_grad_norm", end.first_grad_norm},
                                {"gap", end.gap}};
  if (!end.evaluation) return;
  const Evaluation& e = *end.evaluation;
  document.groups[group] = {{"rows_of", e.rows_of}, {"rows", e.rows}};
  Writing to(document);
  if (!e.classes.empty()) add_classes(to, e);
  if (!e.roc.empty()) add_roc(to, e);
  if (!e.calibration.empty()) {
    const char* of = e.classes.empty() ? "mean predicted value" : "mean predicted probability";
    to.add("predicted", {"predicted"},
           each(e.calibration, [](const CalibrationBin& b) { return b.predicted; }), of);
    to.add("observed", {"predicted"},
           each(e.calibration, [](const CalibrationBin& b) { return b.observed; }),
           e.classes.empty() ? "mean observed value" : "share of rows for which it was right");
    to.add("calibration_weight", {"predicted"},
           each(e.calibration, [](const CalibrationBin& b) { return b.weight; }),
           "weight of the rows with about this prediction");
  }
  if (e.residuals.empty()) return;
  to.add("residual_low", {"residual_low"},
         each(e.residuals, [](const ResidualBin& b) { return b.low; }),
         "lower end of a bin of prediction minus label");
  to.add("residual_high", {"residual_low"},
         each(e.residuals, [](const ResidualBin& b) { return b.high; }), "upper end of the bin");
  to.add("residual_weight", {"residual_low"},
         each(e.residuals, [](const ResidualBin& b) { return b.weight; }),
         "weight of the rows in the bin; the first and last hold what is beyond, too");
}

std::optional<RunEnd> end_of(const Document& document, const std::string& name) {
  if (!document.groups.contains(end_group)) return std::nullopt;
  const Reading file(document, name);
  RunEnd end;
  end.stop_reason = file.attribute<std::string>(end_group, "stop_reason");
  end.epoch = file.attribute<Index>(end_group, "epoch");
  end.first_grad_norm = file.attribute<double>(end_group, "first_grad_norm");
  end.gap = file.attribute<double>(end_group, "gap");
  if (document.groups.contains(group)) end.evaluation = evaluation_of(file);
  return end;
}

}  // namespace svrg::io
