// svrg evaluate: metrics of a model on labelled data.
#include <fmt/format.h>

#include "precautions.hpp"
#include "problem.hpp"
#include "result_line.hpp"
#include "screen.hpp"
#include "subcommands.hpp"

namespace svrg::app {

int evaluate(const Settings& settings) {
  const Communicator comm = Communicator::world();
  require_same_settings(comm, settings);
  Screen screen(comm.is_root() ? screen_options(settings) : silent_screen());
  const std::string path = settings.text("model_file");
  LoadedModel m = load_model(comm, path);
  std::vector<Metric> metrics;
  comm.agree("", [&] { metrics = chosen_metrics(settings, m.labels.loss); });
  screen.fact(
      "model",
      fmt::format(
          "{}  {}, {} features{}", path, m.record.kind, grouped(m.record.features),
          m.record.classes.empty() ? "" : fmt::format(", {} classes", m.record.classes.size())));
  const double start = now();
  Shard shard =
      read_data(comm, settings.text("data_file"), read_options(settings, comm.size(), m.record));
  screen.fact("data", describe(shard, comm, now() - start));
  m.labels.apply(comm, shard);
  apply_scaling(comm, m.record, shard);
  const auto values =
      svrg::evaluate(comm, *m.predictor, m.labels.loss, shard, metrics, Reduction::plain);
  Results results = Results::object();
  for (const auto& [name, value] : values) {
    results[name] = value;
    screen.fact(name, fmt::format("{:.6g}", value));
  }
  comm.agree("", [&] {
    if (comm.is_root())
      print_results(settings, {{"model", path},
                               {"data", settings.text("data_file")},
                               {"rows", shard.info().rows},
                               {"ranks", comm.size()},
                               {"metrics", results}});
  });
  return 0;
}

}  // namespace svrg::app
