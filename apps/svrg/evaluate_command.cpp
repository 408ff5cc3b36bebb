// svrg evaluate: metrics of a model on labelled data.
#include <fmt/format.h>

#include "precautions.hpp"
#include "problem.hpp"
#include "result_line.hpp"
#include "screen.hpp"
#include "subcommands.hpp"

namespace svrg::app {
namespace {

/// Precision, recall and F1 of each class, and where its rows went.
std::vector<std::string> class_table(const Eigen::MatrixXd& table,
                                     const std::vector<double>& classes) {
  std::string head = fmt::format("{:>8} {:>9} {:>9} {:>9} {:>9}   taken for", "class", "rows",
                                 "precision", "recall", "f1");
  for (const double label : classes) head += fmt::format(" {:>7.6g}", label);
  std::vector<std::string> lines{head};
  for (Index c = 0; c < table.rows(); ++c) {
    const double hits = table(c, c), there = table.row(c).sum(), taken = table.col(c).sum();
    const auto share = [&](double of) { return of > 0 ? hits / of : 0; };
    lines.push_back(fmt::format("{:>8.6g} {:>9.6g} {:>9.4f} {:>9.4f} {:>9.4f}            ",
                                classes[static_cast<std::size_t>(c)], there, share(taken),
                                share(there), there + taken > 0 ? 2 * hits / (there + taken) : 0));
    for (Index k = 0; k < table.cols(); ++k) lines.back() += fmt::format(" {:>7.6g}", table(c, k));
  }
  return lines;
}

/// What else is said of classes unasked.
void add_usual(std::vector<Metric>& metrics, Loss loss, bool calibrated) {
  if (takes_numbers(loss)) return;
  if (takes_two_classes(loss)) metrics.push_back(Metric::of("auc"));
  if (loss == Loss::squared_hinge && !calibrated) return;
  for (const char* name : {"ce", "ece"}) metrics.push_back(Metric::of(name));
}

Results rows_of(const Eigen::MatrixXd& table) {
  Results rows = Results::array();
  for (Index c = 0; c < table.rows(); ++c)
    rows.push_back(std::vector<double>(table.row(c).begin(), table.row(c).end()));
  return rows;
}

}  // namespace

int evaluate(const Settings& settings) {
  const Communicator comm = Communicator::world();
  require_same_settings(comm, settings);
  Screen screen(comm.is_root() ? screen_options(settings) : silent_screen());
  const std::string path = settings.text("model_file");
  LoadedModel m = load_model(comm, path);
  std::vector<Metric> metrics;
  const bool calibrated = !m.record.calibration.method.empty();
  comm.agree("", [&] {
    metrics = chosen_metrics(settings, m.labels.loss, calibrated);
    if (!settings.given("metrics")) add_usual(metrics, m.labels.loss, calibrated);
  });
  screen.fact(
      "model",
      fmt::format(
          "{}  {}, {} features{}", path, m.record.kind, grouped(m.record.features),
          m.record.classes.empty() ? "" : fmt::format(", {} classes", m.record.classes.size())) +
          (calibrated ? ", calibrated by " + m.record.calibration.method : ""));
  const double start = now();
  Shard shard =
      read_data(comm, settings.text("data_file"), read_options(settings, comm.size(), m.record));
  screen.fact("data", describe(shard, comm, now() - start));
  m.labels.apply(comm, shard);
  apply_scaling(comm, m.record, shard);
  const auto values =
      svrg::evaluate(comm, *m.predictor, m.labels.loss, shard, metrics, Reduction::plain);
  const Eigen::MatrixXd table =
      takes_numbers(m.labels.loss)
          ? Eigen::MatrixXd()
          : confusion(comm, *m.predictor, m.labels.loss, shard, Reduction::plain);
  Results results = Results::object();
  for (const auto& [name, value] : values) {
    results[name] = value;
    screen.fact(name, fmt::format("{:.6g}", value));
  }
  constexpr Index most_classes = 30;
  if (table.size() > 0 && table.rows() <= most_classes)
    for (const std::string& line : class_table(table, m.labels.classes)) screen.line(line);
  comm.agree("", [&] {
    if (comm.is_root())
      print_results(settings, {{"model", path},
                               {"data", settings.text("data_file")},
                               {"rows", shard.info().rows},
                               {"ranks", comm.size()},
                               {"metrics", results},
                               {"confusion", rows_of(table)}});
  });
  return 0;
}

}  // namespace svrg::app
