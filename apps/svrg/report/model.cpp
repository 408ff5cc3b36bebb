// What was learnt, and how good it is on the rows that the end of training evaluated.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "report/figure.hpp"
#include "report/sections.hpp"
#include "report/shown.hpp"
#include "text.hpp"

namespace svrg::app::reporting {
namespace {

std::string block(const char* title, const std::string& content) {
  return fmt::format(R"(<div class="block"><h3>{}</h3>{}</div>)", title, content);
}

std::string feature_name(const io::ModelRecord& model, Index j) {
  const auto at = static_cast<std::size_t>(j);
  return at < model.feature_names.size() && !model.feature_names[at].empty()
             ? model.feature_names[at]
             : fmt::format("feature {}", j + 1);
}

/// Classes as labels of figures.
std::vector<std::string> class_names(const io::ModelRecord& model) {
  std::vector<std::string> names;
  for (const double label : model.classes)
    names.push_back(model.positive.empty() ? fmt::format("{:.6g}", label)
                    : label == 0           ? "rest"
                                           : "positive");
  return names;
}

std::string facts(const RunData& run) {
  const io::ModelRecord& m = *run.model;
  Index zeros = 0;
  for (Index i = 0; i < m.weights.size(); ++i) zeros += m.weights[i] == 0 ? 1 : 0;
  Table table{{"", ""}, {}};
  const auto add = [&](const char* name, std::string value) {
    table.rows.push_back({name, std::move(value)});
  };
  add("kind", m.symbol.empty() ? m.kind : "net under a " + m.kind + " loss");
  add("features", shown(static_cast<double>(m.features)));
  if (!m.classes.empty()) add("classes", join(class_names(m), ", "));
  add("weights", fmt::format("{}, {} of them 0", shown(static_cast<double>(m.weights.size())),
                             shown(static_cast<double>(zeros))));
  add("norm of the weights", shown(m.weights.norm()));
  if (m.symbol.empty())
    add("intercept", m.penalised_intercept ? "penalised" : m.intercept ? "yes" : "no");
  add("l2", shown(m.l2));
  if (m.l1 > 0) add("l1", shown(m.l1));
  add("columns", m.scale.empty()  ? "as they are"
                 : m.mean.empty() ? "scaled, as the model keeps it"
                                  : "standardised, as the model keeps it");
  return block("Model", html(table, false));
}

std::string parameters(const io::ModelRecord& m) {
  Table table{{"parameter", "shape", "numbers", "norm"}, {}};
  for (const Parameter& p : m.layout.all()) {
    std::string shape;
    for (const Index n : p.shape) shape += (shape.empty() ? "" : " × ") + std::to_string(n);
    table.rows.push_back({p.name, shape, shown(static_cast<double>(p.size)),
                          shown(m.weights.segment(p.offset, p.size).norm())});
  }
  return block("Parameters", html(table));
}

std::string weights_figure(const RunData& run) {
  const io::ModelRecord& m = *run.model;
  const Parameter& p = m.layout.at("linear_weight");
  const Index classes = p.shape.at(0), features = p.shape.at(1);
  // Stored by feature where column_major, as trained; files may have it by class.
  const auto weight = [&](Index i) { return m.weights[p.offset + i]; };
  const auto of_class = [&](Index i) { return p.column_major ? i % classes : i / features; };
  const auto of_feature = [&](Index i) { return p.column_major ? i / classes : i % features; };
  std::vector<Index> order(static_cast<std::size_t>(p.size));
  std::iota(order.begin(), order.end(), Index{0});
  const auto most = static_cast<std::ptrdiff_t>(std::min<Index>(20, p.size));
  std::partial_sort(order.begin(), order.begin() + most, order.end(), [&](Index a, Index b) {
    const double x = std::fabs(weight(a)), y = std::fabs(weight(b));
    return x != y ? x > y : a < b;
  });
  const auto names = class_names(m);
  const auto name_of = [&](Index i) {
    const std::string feature = feature_name(m, of_feature(i));
    return classes == 1
               ? feature
               : fmt::format("{}: {}", names[static_cast<std::size_t>(of_class(i))], feature);
  };
  Bars bars;
  bars.id = "weights";
  bars.title = "Largest weights";
  bars.parts = {{"weight", 0}};
  bars.lying = true;
  bars.value_label = "weight";
  Table data{{"feature", "class", "weight"}, {}};
  for (std::ptrdiff_t k = 0; k < most; ++k) {
    const Index i = order[static_cast<std::size_t>(k)];
    if (weight(i) == 0) break;
    bars.bars.push_back({name_of(i), {weight(i)}});
    data.rows.push_back({feature_name(m, of_feature(i)),
                         classes == 1 ? "" : names[static_cast<std::size_t>(of_class(i))],
                         cell(weight(i))});
  }
  if (!has_bars(bars)) return absent("Largest weights: every weight is 0.");
  bars.description = fmt::format("The {} weights of largest size", bars.bars.size());
  std::string caption = (static_cast<Index>(bars.bars.size()) == p.size
                             ? "All weights"
                             : fmt::format("The {} of {} weights that are largest in size",
                                           bars.bars.size(), shown(static_cast<double>(p.size)))) +
                        (classes == 1 ? ". " : ", each with its class. ");
  caption +=
      m.scale.empty()
          ? "Columns were not standardised: a large weight may only mean that its column is small."
          : "Columns were brought to one scale, so sizes can be compared.";
  return html(Figure{bars.id, bars.title, {svg(bars)}, {}, caption, data});
}

std::string confusion_figure(const RunData& run, const std::string& rows) {
  const io::Evaluation& e = *run.end->evaluation;
  if (e.confusion.empty())
    return absent(fmt::format("Confusion matrix: none is kept of {} classes.", e.classes.size()));
  Matrix matrix{"confusion", "Confusion matrix",      "",         "class",
                "taken for", class_names(*run.model), e.confusion};
  const double all = std::accumulate(e.support.begin(), e.support.end(), 0.0);
  const double hits = std::accumulate(e.hits.begin(), e.hits.end(), 0.0);
  matrix.description = fmt::format("{} classes; {} of the rows are right", e.classes.size(),
                                   shown_share(all > 0 ? hits / all : 0));
  Table data{{"class", "taken_for", "weight"}, {}};
  for (std::size_t a = 0; a < matrix.names.size(); ++a)
    for (std::size_t b = 0; b < matrix.names.size(); ++b)
      data.rows.push_back(
          {matrix.names[a], matrix.names[b], cell(e.confusion[a * matrix.names.size() + b])});
  return html(
      Figure{"confusion",
             matrix.title,
             {svg(matrix)},
             {},
             fmt::format("{} The shade is the share of a row of the matrix; {} of the rows are "
                         "right.",
                         rows, shown_share(all > 0 ? hits / all : 0)),
             data});
}

std::string class_table(const RunData& run) {
  const io::Evaluation& e = *run.end->evaluation;
  Table table{{"class", "rows", "precision", "recall", "F1"}, {}};
  const auto names = class_names(*run.model);
  for (std::size_t c = 0; c < std::min(names.size(), e.support.size()); ++c) {
    const double both = e.support[c] + e.taken[c];
    table.rows.push_back({names[c], shown(e.support[c]), shown(e.hits[c] / e.taken[c]),
                          shown(e.hits[c] / e.support[c]),
                          shown(both > 0 ? 2 * e.hits[c] / both : 0)});
  }
  return block("Classes", html(table));
}

std::string roc_figure(const RunData& run, const std::string& rows) {
  const io::Evaluation& e = *run.end->evaluation;
  if (e.classes.size() != 2) return {};
  const double negatives = e.support[0], positives = e.support[1];
  if (e.roc.empty() || !(negatives > 0) || !(positives > 0))
    return absent("ROC curve: the evaluated rows are all of one class.");
  const auto names = class_names(*run.model);
  Series curve{"model", {{0, 0}}, 0, Stroke::solid, false};
  Table data{{"threshold", "false_positive_rate", "true_positive_rate"}, {}};
  for (const io::RocPoint& p : e.roc) {
    curve.points.push_back({p.false_positives / negatives, p.true_positives / positives});
    data.rows.push_back(
        {cell(p.threshold), cell(curve.points.back().x), cell(curve.points.back().y)});
  }
  curve.points.push_back({1, 1});
  double area = 0;
  for (std::size_t i = 1; i < curve.points.size(); ++i)
    area += (curve.points[i].x - curve.points[i - 1].x) *
            (curve.points[i].y + curve.points[i - 1].y) / 2;
  Plot plot;
  plot.id = "roc";
  plot.title = "ROC curve";
  plot.description = fmt::format("Area under the curve {}", shown(area, 4));
  plot.square = true;
  plot.x = plot.y = Axis::linear(0, 1);
  plot.x_label = fmt::format("share of class {} above the threshold", names[0]);
  plot.y_label = fmt::format("share of class {} above it", names[1]);
  plot.series = {{"by chance", {{0, 0}, {1, 1}}, 6, Stroke::dotted}, std::move(curve)};
  return html(Figure{
      "roc",
      plot.title,
      {svg(plot)},
      legend_of(plot),
      fmt::format("{} Exact at {}; the area under straight lines between them is {}.", rows,
                  counted(static_cast<long long>(e.roc.size()), "threshold"), shown(area, 4)),
      data});
}

std::string calibration_figure(const RunData& run, const std::string& rows) {
  const io::Evaluation& e = *run.end->evaluation;
  const bool numbers = e.classes.empty();
  if (e.calibration.empty())
    return absent(run.model->kind == "svm-sq" ? "Calibration: an SVM has no probabilities."
                                              : "Calibration: no rows were evaluated.");
  Plot plot;
  plot.id = "calibration";
  plot.title = numbers ? "Predicted and observed values" : "Calibration";
  plot.square = true;
  Series series{"mean of a bin", {}, 0, Stroke::solid, true};
  std::vector<double> values;
  Table data{{"predicted", "observed", "weight"}, {}};
  double all = 0, off = 0;
  for (const io::CalibrationBin& bin : e.calibration) {
    series.points.push_back({bin.predicted, bin.observed,
                             fmt::format("predicted {}, observed {}, {} rows", shown(bin.predicted),
                                         shown(bin.observed), shown(bin.weight))});
    values.insert(values.end(), {bin.predicted, bin.observed});
    data.rows.push_back({cell(bin.predicted), cell(bin.observed), cell(bin.weight)});
    all += bin.weight;
    off += bin.weight * std::fabs(bin.predicted - bin.observed);
  }
  const auto [low, high] = std::ranges::minmax(values);
  plot.x = plot.y = numbers ? Axis::linear(low, high) : Axis::linear(0, 1);
  const double from = numbers ? low : 0, to = numbers ? high : 1;
  plot.x_label = numbers ? "predicted" : "predicted probability";
  plot.y_label = numbers ? "observed" : "observed share";
  plot.series = {{"as it should be", {{from, from}, {to, to}}, 6, Stroke::dotted},
                 std::move(series)};
  plot.description = fmt::format("{} bins", e.calibration.size());
  std::string what = numbers ? "Rows in bins of like predictions."
                     : e.classes.size() == 2
                         ? fmt::format(
                               "Probability of class {} in ten bins. Mean distance from the "
                               "diagonal, by rows: {}.",
                               escaped(class_names(*run.model)[1]), shown(off / all, 3))
                         : fmt::format(
                               "Probability of the predicted class in ten bins, against the "
                               "share that was right. Mean distance from the diagonal, by "
                               "rows: {}.",
                               shown(off / all, 3));
  return html(
      Figure{"calibration", plot.title, {svg(plot)}, legend_of(plot), rows + ' ' + what, data});
}

std::string residual_figure(const RunData& run, const std::string& rows) {
  const io::Evaluation& e = *run.end->evaluation;
  if (e.residuals.empty()) return {};
  Bars bars;
  bars.id = "residuals";
  bars.title = "Errors";
  bars.parts = {{"rows", 0}};
  bars.touching = true;
  bars.bar_label = "prediction − label";
  bars.value_label = "rows";
  bars.unit = "rows";
  Table data{{"low", "high", "weight"}, {}};
  for (const io::ResidualBin& bin : e.residuals) {
    bars.bars.push_back({shown((bin.low + bin.high) / 2, 2), {bin.weight}});
    data.rows.push_back({cell(bin.low), cell(bin.high), cell(bin.weight)});
  }
  if (!has_bars(bars)) return absent("Errors: no rows were evaluated.");
  bars.description = fmt::format("Histogram of {} bins", bars.bars.size());
  return html(Figure{"residuals",
                     bars.title,
                     {svg(bars)},
                     {},
                     rows +
                         " Bars are named by the middle of their bin; the first and the last also "
                         "hold what is beyond.",
                     data});
}

std::string one_model(const RunData& run) {
  std::string out = facts(run);
  if (run.model->symbol.empty())
    out += weights_figure(run);
  else
    out += parameters(*run.model);
  if (!run.end || !run.end->evaluation)
    return out + absent(
                     "Confusion, ROC and calibration: run.h5 has no evaluation; training adds it "
                     "at its end.");
  const io::Evaluation& e = *run.end->evaluation;
  const std::string rows =
      fmt::format("On {} {} rows.", shown(static_cast<double>(e.rows)), escaped(e.rows_of));
  if (!e.classes.empty())
    out += confusion_figure(run, rows) + class_table(run) + roc_figure(run, rows);
  return out + calibration_figure(run, rows) + residual_figure(run, rows);
}

}  // namespace

std::string model_section(const std::vector<RunData>& runs) {
  if (runs.empty()) return {};
  const auto with_model =
      std::ranges::find_if(runs, [](const RunData& run) { return run.model.has_value(); });
  if (with_model == runs.end())
    return section("model", "Model", "", absent("There is no model.h5 of a run that has ended."));
  std::string lead;
  if (runs.size() > 1)
    lead = fmt::format("That of {}; a report of one run shows its own.", escaped(with_model->name));
  return section("model", "Model", lead, one_model(*with_model));
}

}  // namespace svrg::app::reporting
