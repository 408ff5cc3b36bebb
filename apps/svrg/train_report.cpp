#include "train_report.hpp"

#include <fmt/format.h>

#include <cmath>

#include "text.hpp"

namespace svrg::app {

std::string verdict(const TrainResult& r, const TrainerOptions& o) {
  const double ratio = r.first_grad_norm > 0 ? r.last.grad_norm / r.first_grad_norm : 0;
  std::string text;
  if (r.stop_reason == "tolerance")
    text = fmt::format("converged at epoch {}: |g|/|g0| = {:.2g}{}", r.last.epoch, ratio,
                       ratio <= o.tol_grad ? fmt::format(" <= {:.2g}", o.tol_grad) : "");
  else if (r.stop_reason == "precision")
    text = fmt::format("at the limit of double precision after epoch {}: |g|/|g0| = {:.2g}",
                       r.last.epoch, ratio);
  else if (r.stop_reason == "patience")
    text = fmt::format("no better {} for {} measured epochs: stopped after epoch {}",
                       replaced(o.monitor.name, '_', ' '), o.patience, r.last.epoch);
  else if (r.stop_reason == "signal" || r.stop_reason == "time")
    text = fmt::format("stopped by {} in epoch {}{}",
                       r.stop_reason == "time" ? "the time limit" : "a signal", r.last.epoch,
                       r.checkpoint.empty() ? "" : "; go on with --resume auto");
  else
    text = fmt::format("stopped after {} {}: |g|/|g0| = {:.2g}",
                       r.stop_reason == "passes" ? fmt::format("{:.4g}", r.last.passes)
                                                 : std::to_string(r.last.epoch),
                       r.stop_reason, ratio);
  if (r.best && r.best->at().epoch >= 0 && !o.save_best)
    text += fmt::format("; best {} {:.5g} at epoch {}", replaced(o.monitor.name, '_', ' '),
                        r.best->value(), r.best->at().epoch);
  if (std::isfinite(r.last.gap)) text += fmt::format("; objective error <= {:.2g}", r.last.gap);
  return text;
}

EpochLine line_of(const io::EpochRecord& r, double first_grad_norm, double rows_per_second) {
  EpochLine line;
  line.epoch = r.epoch;
  line.passes = r.passes;
  line.seconds = r.wall_seconds;
  line.objective = r.objective;
  line.grad_ratio = first_grad_norm > 0 ? r.grad_norm / first_grad_norm : 0;
  for (const auto& [name, value] : r.metrics)
    line.metrics.emplace_back(replaced(name, '_', ' '), value);
  line.rows_per_second = rows_per_second;
  line.record = io::to_json_line(r);
  double all = 0, communication = 0;
  for (const auto& phases : r.phase_seconds)
    for (std::size_t i = 0; i < phases.size(); ++i) {
      all += phases[i];
      if (static_cast<Phase>(i) == Phase::allreduce) communication += phases[i];
    }
  line.mpi_share = all > 0 ? communication / all : 0;
  return line;
}

Results results_of(const TrainResult& r, Index rows, const RunFacts& facts) {
  Results metrics = Results::object();
  for (const auto& [name, value] : r.metrics) metrics[name] = value;
  Results results = {
      {"objective", r.last.objective},
      {"grad_norm", r.last.grad_norm},
      {"grad_norm_relative", r.first_grad_norm > 0 ? r.last.grad_norm / r.first_grad_norm : 0.0},
      {"gap", r.last.gap},
      {"epochs", r.last.epoch},
      {"passes", r.last.passes},
      {"samples", std::llround(r.last.passes * static_cast<double>(rows))},
      {"ranks", facts.ranks},
      {"threads", facts.threads},
      {"seconds_load", facts.seconds_load},
      {"seconds_train", r.seconds},
      {"seconds_total", facts.seconds_total},
      {"memory_peak", facts.memory_peak},
      {"bytes_communicated", r.bytes_communicated},
      {"allreduces", r.allreduces},
      {"stop_reason", r.stop_reason},
      {"run_dir", facts.run_dir},
      {"metrics", metrics}};
  if (r.best) {
    results["best_epoch"] = r.best->at().epoch;
    results["best_metric"] = r.best->value();
  }
  return results;
}

io::ModelRecord trained_model(const io::ModelRecord& record, ConstVecRef<double> w,
                              const TrainResult& result, const TrainerOptions& options) {
  const bool best = options.save_best && result.best_weights.size() > 0;
  const Outcome& at = best ? result.best->at() : result.last;
  io::ModelRecord model = record;
  model.weights = w;
  if (best) model.weights = result.best_weights;
  model.config = options.config;
  model.manifest = options.manifest;
  auto& summary = model.summary.values;
  summary["epoch"] = at.epoch;
  summary["passes"] = at.passes;
  summary["objective"] = at.objective;
  summary["grad_norm"] = at.grad_norm;
  summary["stop_reason"] = result.stop_reason;
  if (!result.best) return model;
  summary["best_epoch"] = result.best->at().epoch;
  summary["best_metric"] = result.best->value();
  return model;
}

io::Evaluation evaluation_at_end(const Communicator& comm, Predictor& predictor,
                                 const LabelMap& labels, const Shard& train,
                                 const std::optional<Shard>& valid,
                                 std::optional<std::span<const double>> train_scores,
                                 Reduction reduction) {
  io::Evaluation e = valid ? evaluate_for_report(comm, predictor, labels, *valid, reduction)
                     : train_scores
                         ? evaluate_scores_for_report(comm, labels, *train_scores, train, reduction)
                         : evaluate_for_report(comm, predictor, labels, train, reduction);
  e.rows_of = valid ? "validation" : "training";
  return e;
}

void export_model(const Settings& settings, const io::ModelRecord& model) {
  if (!settings.has("export")) return;
  io::save_model(settings.text("export"),
                 settings.flag("fold_scaling") ? io::without_scaling(model) : model);
}

}  // namespace svrg::app
