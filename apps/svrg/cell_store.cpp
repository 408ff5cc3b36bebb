#include "cell_store.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "svrg/core/error.hpp"
#include "svrg/io/file.hpp"
#include "svrg/train/trainer.hpp"

namespace svrg::app {

namespace fs = std::filesystem;

CellStore::CellStore(const std::string& run_dir)
    : run_dir_(run_dir), folder_(run_dir.empty() ? "" : run_dir + "/cells") {}

void CellStore::open(bool replace, const LogSink& log) {
  if (!keeps()) return;
  lock_ = std::make_unique<io::CheckpointStore>(run_dir_ + "/checkpoints", 1, log);
  if (replace) remove_results(run_dir_);
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) throw OutputError(fmt::format("{}: {}", folder_, error.message()));
}

void CellStore::identify(const std::string& identity) const {
  if (!keeps()) return;
  const std::string file = folder_ + "/identity";
  if (!fs::exists(file)) return io::write_file(file, identity);
  const auto bytes = io::read_file(file);
  require_same_identity({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, identity);
}

std::string CellStore::path(Index fold, Index point) const {
  return fmt::format("{}/fold-{:03}-point-{:04}.h5", folder_, fold, point);
}

void CellStore::save(const StoredCell& done, const std::vector<std::string>& metrics,
                     io::ModelRecord model) const {
  if (!keeps()) return;
  const io::TuningCell& cell = done.cell;
  model.weights = done.weights;
  auto& values = model.summary.values;
  values["objective"] = cell.objective;
  values["grad_norm"] = cell.grad_norm;
  values["first_grad_norm"] = done.reference;
  values["passes"] = cell.passes;
  values["wall_seconds"] = cell.seconds;
  values["epoch"] = cell.epochs;
  values["nonzeros"] = cell.nonzeros;
  values["converged"] = Index{cell.converged};
  for (std::size_t m = 0; m < metrics.size(); ++m) values["score_" + metrics[m]] = cell.scores[m];
  io::save_model(path(cell.fold, cell.point), model);
}

std::optional<StoredCell> CellStore::load(Index fold, Index point,
                                          const std::vector<std::string>& metrics,
                                          const ParameterLayout& layout) const {
  if (!keeps() || !fs::exists(path(fold, point))) return {};
  const io::ModelRecord model = io::load_model(path(fold, point));
  StoredCell stored;
  stored.weights = io::weights_for(model, layout);
  io::TuningCell& cell = stored.cell;
  cell.fold = fold;
  cell.point = point;
  const State& summary = model.summary;
  cell.objective = summary.real("objective");
  cell.grad_norm = summary.real("grad_norm");
  stored.reference = summary.real("first_grad_norm");
  cell.passes = summary.real("passes");
  cell.seconds = summary.real("wall_seconds");
  cell.epochs = summary.integer("epoch");
  cell.nonzeros = summary.integer("nonzeros");
  cell.converged = summary.integer("converged") != 0;
  for (const std::string& name : metrics) cell.scores.push_back(summary.real("score_" + name));
  return stored;
}

}  // namespace svrg::app
