// A cross-validated grid as netCDF-style variables: along `fold` and `point` what each training
// gave, along `point` what is made of it.
#include "svrg/io/tuning_file.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "io/document_reading.hpp"
#include "io/path.hpp"
#include "svrg/io/file.hpp"

namespace svrg::io {
namespace {

constexpr const char* tuning_format = "svrg-tuning";
constexpr const char* group = "tuning";

struct Column {
  const char *name, *units, *long_name;
  double TuningCell::*real;  // one of these two is set
  Index TuningCell::*count;
};
constexpr std::array<Column, 6> columns = {{
    {"objective", "1", "objective on the rows trained on", &TuningCell::objective, nullptr},
    {"grad_norm", "1", "norm of its gradient", &TuningCell::grad_norm, nullptr},
    {"passes", "1", "gradient evaluations, in data set sizes", &TuningCell::passes, nullptr},
    {"seconds", "s", "wall time of the training", &TuningCell::seconds, nullptr},
    {"epochs", "1", "epochs or outer iterations done", nullptr, &TuningCell::epochs},
    {"nonzeros", "1", "weights that are not 0, intercepts apart", nullptr, &TuningCell::nonzeros},
}};

Index length(const auto& list) { return static_cast<Index>(list.size()); }

template <class T, class Get>
Array of_cells(const TuningStudy& study, const Get& get) {
  std::vector<T> values;
  for (const TuningCell& cell : study.cells) values.push_back(static_cast<T>(get(cell)));
  return {{length(study.held_out), length(study.settings)}, std::move(values)};
}

/// Every `metrics`-th number, from the m-th on.
std::vector<double> of_metric(const std::vector<double>& all, std::size_t m, std::size_t metrics) {
  std::vector<double> values;
  for (std::size_t i = m; i < all.size(); i += metrics) values.push_back(all[i]);
  return values;
}

void add_cells(Document& document, const TuningStudy& study) {
  const std::vector<std::string> axes = {"fold", "point"};
  const auto put = [&](const std::string& name, Array data, const char* units,
                       const std::string& long_name) -> Variable& {
    return document.variables[join(group, name)] =
               described(std::move(data), axes, units, long_name);
  };
  for (const Column& c : columns)
    put(c.name,
        c.real ? of_cells<double>(study, [&](const TuningCell& t) { return t.*c.real; })
               : of_cells<Index>(study, [&](const TuningCell& t) { return t.*c.count; }),
        c.units, c.long_name);
  put("converged", of_cells<std::uint8_t>(study, [](const TuningCell& t) { return t.converged; }),
      "1", "whether the tolerance was reached")
      .attributes = {{"flag_values", std::vector<std::uint8_t>{0, 1}}, {"flag_meanings", "no yes"}};
  for (std::size_t m = 0; m < study.metrics.size(); ++m)
    put("score_" + study.metrics[m],
        of_cells<double>(study, [&](const TuningCell& t) { return t.scores[m]; }), "1",
        study.metrics[m] + " of the rows held out");
}

void add_points(Document& document, const TuningStudy& study) {
  const auto put = [&](const std::string& name, Array data, const std::string& long_name,
                       std::vector<std::string> axes = {"point"}) {
    document.variables[join(group, name)] =
        described(std::move(data), std::move(axes), "1", long_name);
  };
  std::vector<Index> numbers(study.settings.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<Index>(i);
  put("point", Array::vector(std::move(numbers)), "point of the grid, strongest penalty first");
  put("setting", Array::vector(std::vector(study.settings)), "options that make it");
  put("l2", Array::vector(std::vector(study.l2)), "weight of the penalty l2/2 |w|^2, for all rows");
  put("l1", Array::vector(std::vector(study.l1)), "weight of the penalty l1 |w|_1, for all rows");
  const std::size_t metrics = study.metrics.size();
  for (std::size_t m = 0; m < metrics; ++m) {
    const std::string& name = study.metrics[m];
    put("mean_" + name, Array::vector(of_metric(study.mean, m, metrics)),
        "mean of score_" + name + " over the folds");
    put("standard_error_" + name, Array::vector(of_metric(study.error, m, metrics)),
        "standard error of that mean");
  }
  const Index points = length(study.settings);
  put("weight", {{points, study.outputs, study.features}, std::vector(study.weights)},
      "weights, mean of the folds' models", {"point", "output", "feature"});
  if (!study.biases.empty())
    put("bias", {{points, study.outputs}, std::vector(study.biases)},
        "intercepts, mean of the folds' models", {"point", "output"});
}

void add_folds(Document& document, const TuningStudy& study) {
  document.variables["tuning/held_out"] =
      described(Array::vector(std::vector(study.held_out)), {"fold"}, "1", "rows held out");
  if (study.fold_of_row.empty()) return;
  std::vector<std::int32_t> folds(study.fold_of_row.begin(), study.fold_of_row.end());
  auto& variable = document.variables["tuning/fold_of_row"] = described(
      Array::vector(std::move(folds)), {"row"}, "1", "fold that holds out a row of the data");
  variable.compressed = true;
}

}  // namespace

void write_tuning(const std::string& path, const TuningStudy& study) {
  SVRG_EXPECT(study.cells.size() == study.held_out.size() * study.settings.size(),
              "every fold has every point");
  Document document;
  document.attributes = root_attributes(tuning_format, "svrg cross-validation");
  document.groups[group] = {{"data", study.data},       {"command", study.command},
                            {"kind", study.kind},       {"rule", study.rule},
                            {"metrics", study.metrics}, {"rows", study.rows},
                            {"seed", study.seed},       {"ranks", study.ranks},
                            {"groups", study.groups},   {"stratified", Index{study.stratified}},
                            {"best", study.best},       {"chosen", study.chosen}};
  add_cells(document, study);
  add_points(document, study);
  add_folds(document, study);
  auto image = to_image(document);
  append_trailer(image);
  write_file(path, image);
}

TuningStudy read_tuning(const std::string& path) {
  const auto bytes = read_file(path);
  const Document document = from_image(check_trailer(bytes, path), path);
  expect_format(document, tuning_format, path);
  const DocumentReading file(document, path, "a cross-validation");
  TuningStudy study;
  const auto text = [&](const char* name) { return file.attribute<std::string>(group, name); };
  const auto number = [&](const char* name) { return file.attribute<Index>(group, name); };
  study.data = text("data");
  study.command = text("command");
  study.kind = text("kind");
  study.rule = text("rule");
  study.metrics = file.attribute<std::vector<std::string>>(group, "metrics");
  study.rows = number("rows");
  study.seed = number("seed");
  study.ranks = number("ranks");
  study.groups = number("groups");
  study.stratified = number("stratified") != 0;
  study.best = number("best");
  study.chosen = number("chosen");
  study.settings = file.list<std::string>("tuning/setting");
  study.held_out = file.list<Index>("tuning/held_out");
  const Index points = length(study.settings), folds = length(study.held_out);
  if (study.metrics.empty() || study.best < 0 || study.best >= points || study.chosen < 0 ||
      study.chosen >= points)
    file.fail("its best point is not on its grid");
  study.l2 = file.values<double>("tuning/l2", {points});
  study.l1 = file.values<double>("tuning/l1", {points});
  const auto cells = static_cast<std::size_t>(folds * points);
  study.cells.resize(cells);
  for (std::size_t i = 0; i < cells; ++i) {
    study.cells[i].fold = static_cast<Index>(i) / points;
    study.cells[i].point = static_cast<Index>(i) % points;
  }
  const auto each = [&](const auto& from, const auto& set) {
    for (std::size_t i = 0; i < cells; ++i) set(study.cells[i], from[i]);
  };
  for (const Column& c : columns)
    if (c.real)
      each(file.values<double>(join(group, c.name), {folds, points}),
           [&](TuningCell& t, double v) { t.*c.real = v; });
    else
      each(file.values<Index>(join(group, c.name), {folds, points}),
           [&](TuningCell& t, Index v) { t.*c.count = v; });
  each(file.values<std::uint8_t>("tuning/converged", {folds, points}),
       [](TuningCell& t, std::uint8_t v) { t.converged = v != 0; });
  study.mean.resize(study.settings.size() * study.metrics.size());
  study.error.resize(study.mean.size());
  for (std::size_t m = 0; m < study.metrics.size(); ++m) {
    const std::string& name = study.metrics[m];
    each(file.values<double>("tuning/score_" + name, {folds, points}),
         [](TuningCell& t, double v) { t.scores.push_back(v); });
    const auto& means = file.values<double>("tuning/mean_" + name, {points});
    const auto& errors = file.values<double>("tuning/standard_error_" + name, {points});
    for (std::size_t p = 0; p < means.size(); ++p) {
      study.mean[p * study.metrics.size() + m] = means[p];
      study.error[p * study.metrics.size() + m] = errors[p];
    }
  }
  const auto weight = document.variables.find("tuning/weight");
  if (weight == document.variables.end() || weight->second.data.shape.size() != 3)
    file.fail("there is no /tuning/weight (point, output, feature)");
  study.outputs = weight->second.data.shape[1];
  study.features = weight->second.data.shape[2];
  study.weights = file.values<double>("tuning/weight", {points, study.outputs, study.features});
  if (file.has("tuning/bias"))
    study.biases = file.values<double>("tuning/bias", {points, study.outputs});
  if (file.has("tuning/fold_of_row")) {
    const auto& rows = file.list<std::int32_t>("tuning/fold_of_row");
    study.fold_of_row.assign(rows.begin(), rows.end());
  }
  return study;
}

}  // namespace svrg::io
