// svrg predict: a line for each row, in the order of the file. Every rank scores its rows and root
// puts them in order.
#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <filesystem>

#include "precautions.hpp"
#include "prediction_layout.hpp"
#include "problem.hpp"
#include "result_line.hpp"
#include "screen.hpp"
#include "subcommands.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/file.hpp"

namespace svrg::app {
namespace {

/// Scores of all rows in file order, on root; nothing elsewhere. Collective.
std::vector<double> scores_in_order(const Communicator& comm, LoadedModel& m, const Shard& shard) {
  const auto K = static_cast<std::size_t>(m.predictor->scores_per_row());
  std::vector<double> mine(static_cast<std::size_t>(shard.rows()) * K);
  for (const Part& part : shard.all().parts)
    m.predictor->score(shard.all(), part,
                       std::span(mine).subspan(static_cast<std::size_t>(part.first) * K));
  const auto bytes = [](const auto& v) {
    const auto b = std::as_bytes(std::span(v));
    return std::vector<std::byte>(b.begin(), b.end());
  };
  std::vector<std::vector<std::byte>> rows(static_cast<std::size_t>(comm.size())), values(rows);
  rows[0] = bytes(shard.global_rows());
  values[0] = bytes(mine);
  rows = comm.exchange(rows);
  values = comm.exchange(values);
  if (!comm.is_root()) return {};
  std::vector<double> ordered(static_cast<std::size_t>(shard.info().rows) * K);
  for (std::size_t r = 0; r < rows.size(); ++r)
    for (std::size_t i = 0; i * sizeof(Index) < rows[r].size(); ++i) {
      Index row = 0;
      std::memcpy(&row, rows[r].data() + i * sizeof(Index), sizeof(Index));
      std::memcpy(ordered.data() + static_cast<std::size_t>(row) * K,
                  values[r].data() + i * K * sizeof(double), K * sizeof(double));
    }
  return ordered;
}

}  // namespace

int predict(const Settings& settings) {
  const Communicator comm = Communicator::world();
  require_same_settings(comm, settings);
  Screen screen(comm.is_root() ? screen_options(settings) : silent_screen());
  LoadedModel m = load_model(comm, settings.text("model_file"));
  const std::string out = settings.text("out");
  const PredictionOptions wanted{prediction_layout(settings.text("layout"), out),
                                 settings.flag("proba"), settings.flag("scores"),
                                 m.record.calibration};
  comm.agree("", [&] {
    if (wanted.layout == PredictionLayout::hdf5 && out.empty())
      throw ConfigError(settings.place("layout") + ": h5 goes into a file; give --out FILE.h5");
    if (wanted.layout == PredictionLayout::liblinear && wanted.scores)
      throw ConfigError(settings.place("scores") +
                        ": liblinear's layout has no scores; use --layout csv, jsonl or h5");
    const bool hinge = m.labels.loss == Loss::squared_hinge;
    if (wanted.proba &&
        (takes_numbers(m.labels.loss) || (hinge && wanted.calibration.method.empty())))
      throw ConfigError(fmt::format("--proba: a {} model has no probabilities{}", m.record.kind,
                                    hinge ? " unless it was trained with --calibrate platt" : ""));
    if (comm.is_root() && !out.empty() && !settings.flag("overwrite") &&
        std::filesystem::exists(out))
      throw ConfigError(out + " exists; use --overwrite to replace it");
  });
  ReadOptions options = read_options(settings, comm.size(), m.record);
  options.labels_required = false;
  const double start = now();
  Shard shard = read_data(comm, settings.text("data_file"), options);
  if (!out.empty()) screen.fact("data", describe(shard, comm, now() - start));
  apply_scaling(comm, m.record, shard);
  const auto scores = scores_in_order(comm, m, shard);
  comm.agree("", [&] {
    if (!comm.is_root()) return;
    const std::string text = predictions(wanted, m.labels, scores);
    if (out.empty()) {
      if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() ||
          std::fflush(stdout) != 0)
        throw OutputError("cannot write to stdout");
      return;
    }
    io::write_file(out, text);
    print_results(settings, {{"model", settings.text("model_file")},
                             {"data", settings.text("data_file")},
                             {"rows", shard.info().rows},
                             {"ranks", comm.size()},
                             {"out", out}});
  });
  return 0;
}

}  // namespace svrg::app
