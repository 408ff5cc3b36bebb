// Groups of ranks work side by side and meet only at the start and at the end, so that no fold
// waits for another; what is finished is a file at once.
#include "cross_validation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "cell_store.hpp"
#include "manifest.hpp"
#include "needs.hpp"
#include "problem.hpp"
#include "quantity.hpp"
#include "quiet_training.hpp"
#include "svrg/core/error.hpp"
#include "svrg/data/folds.hpp"
#include "svrg/train/signals.hpp"
#include "svrg/train/watchdog.hpp"
#include "system_memory.hpp"
#include "training_problem.hpp"
#include "tuning_gather.hpp"

namespace svrg::app {
namespace {

Index groups_asked_for(const Settings& settings, Index ranks) {
  const Index folds = settings.integer("folds"), most = std::min(ranks, folds);
  if (settings.is("groups", "auto")) return most;
  const Index groups = settings.integer("groups");
  if (groups > most)
    throw ConfigError(fmt::format("{}: {} groups for {} folds on {} rank{}",
                                  settings.place("groups"), groups, folds, ranks,
                                  ranks == 1 ? "" : "s"));
  return groups;
}

/// The rows as one group of ranks holds them.
struct Rows {
  Shard shard;
  LabelMap labels;
  Folds folds;
  double weights;  // their sum
};

Index nonzeros_of(const ParameterLayout& layout, const Vec<double>& w) {
  const Parameter& weight = layout.at("linear_weight");
  return (w.segment(weight.offset, weight.size).array() != 0).count();
}

class Validation {
 public:
  Validation(const RunContext& run, const TuningGrid& grid)
      : run_(run),
        settings_(run.settings),
        grid_(grid),
        points_(static_cast<Index>(grid.points().size())),
        folds_(run.settings.integer("folds")),
        store_(run.settings.text("run_dir")) {
    run.comm.agree("", [&] { groups_ = groups_asked_for(settings_, run.comm.size()); });
    first_fold_ = run.comm.rank() * groups_ / run.comm.size();
    group_.emplace(run.comm.split(static_cast<int>(first_fold_), run.comm.rank()));
  }

  CrossValidation measure() {
    const bool dry = settings_.flag("dry_run");
    on_root([&] {
      const bool replaces = settings_.is("resume", "no") && settings_.flag("overwrite");
      if (!dry) store_.open(replaces, run_.screen.sink());
    });
    std::optional<Rows> rows;
    side_by_side([&] { rows.emplace(load()); });
    if (dry) return {};
    on_root([&] { store_.identify(identity(*rows)); });
    started_ = now();
    side_by_side([&] {
      const Watchdog watchdog(*group_, watchdog_options(settings_, false, run_.screen.bypass()));
      for (Index f = first_fold_; f < folds_ && stop_reason_.empty(); f += groups_)
        follow_path(*rows, f);
    });
    on_root([&] { store_.release(); });
    return conclusion(*rows);
  }

 private:
  void on_root(const std::function<void()>& work) {
    run_.comm.agree("", [&] {
      if (run_.comm.is_root()) work();
    });
  }
  /// Work of each group for itself. An error of one ends all, once the others are through.
  void side_by_side(const std::function<void()>& work) {
    std::optional<CollectiveError> failure;
    try {
      work();
    } catch (const CollectiveError& error) {  // of all members
      failure = error;
    }
    run_.comm.rest();
    run_.comm.agree("", [&] {
      if (failure) throw *failure;
    });
  }

  Rows load() {
    const double start = now();
    const Heartbeat::Within loading(group_->heartbeat(), Phase::data);
    ReadOptions options;
    group_->agree("",
                  [&] { options = training_read_options(settings_, run_.choice, group_->size()); });
    Shard shard = load_rows(settings_, options, *group_);
    run_.screen.fact("data", describe(shard, *group_, now() - start));
    LabelMap labels = run_.choice.labels(*group_, shard);
    labels.apply(*group_, shard);
    Folds folds(*group_, shard, folds_, !takes_numbers(labels.loss),
                static_cast<std::uint64_t>(settings_.integer("seed")));
    const double weights = sum_of_weights(*group_, shard, reduction_of(settings_));
    Rows rows{std::move(shard), std::move(labels), std::move(folds), weights};
    group_->agree("", [&] { check(rows); });
    return rows;
  }

  /// What the options and the rows make of each other, and says so.
  void check(const Rows& rows) {
    metrics_ = tuning_metrics(settings_, rows.labels.loss);
    for (const Metric& metric : metrics_) names_.push_back(metric.name());
    io::ModelRecord record = run_.choice.record(rows.labels, rows.shard.info());
    record.layout = layout_ = make_predictor(record)->layout();
    const Settings strongest = grid_.settings_at(settings_, 0);
    record.l1 = penalties_of(strongest, rows.shard.info().rows, rows.weights).l1;
    Needs needs = training_needs(strongest, group_->size(), rows.shard, record);
    needs.add("the rows by fold", rows.shard.bytes());
    needs.add("models of the path", 2 * points_ * layout_.size() * 8);
    const Index whole = rows.shard.bytes();
    const Index limit =
        settings_.has("max_memory") ? settings_.size("max_memory") : default_max_memory();
    const auto size = [](Index bytes) { return format_count(static_cast<double>(bytes)) + "B"; };
    if (whole + needs.bytes() > limit)
      throw LimitError(fmt::format(
          "a fold needs {} on a rank, the limit is {}; use more ranks, fewer --groups or "
          "--max-memory",
          size(whole + needs.bytes()), size(limit)));
    Screen& screen = run_.screen;
    screen.fact("folds",
                fmt::format("{} of {} rows{} · seed {} · {} group{} of {} rank{}", folds_,
                            grouped(rows.folds.held_out(0)),
                            takes_numbers(rows.labels.loss) ? "" : ", classes in proportion",
                            settings_.text("seed"), groups_, groups_ == 1 ? "" : "s",
                            group_->size(), group_->size() == 1 ? "" : "s"));
    screen.fact("grid",
                fmt::format("{} point{}, {} to {}, chosen by {}", points_, points_ == 1 ? "" : "s",
                            grid_.text(0), grid_.text(points_ - 1), names_.front()));
    if (!settings_.flag("dry_run")) return;
    std::string uses;
    for (const auto& use : needs.memory)
      uses += fmt::format("{}{} {}", uses.empty() ? "" : ", ", size(use.bytes), use.what);
    screen.fact("memory", fmt::format("{} of rows and {} for training on a rank", size(whole),
                                      size(needs.bytes())));
    screen.fact("needs", uses);
    screen.fact("cost",
                fmt::format("{} trainings on {} rows each, then one on all", folds_ * points_,
                            grouped(rows.shard.info().rows - rows.folds.held_out(0))));
  }

  std::string identity(const Rows& rows) const {
    const DataInfo& info = rows.shard.info();
    std::string text =
        fmt::format("data={} rows x {} columns, fingerprint {:016x}\nmodel={}\n", info.rows,
                    info.columns, info.fingerprint, loss_name(rows.labels.loss));
    text += fmt::format("folds={}\ngrid=", folds_);
    for (Index p = 0; p < points_; ++p) text += (p == 0 ? "" : "; ") + grid_.text(p);
    text += "\nmetrics=";
    for (const std::string& name : names_) text += name + " ";
    text += '\n';
    for (const char* name :
         {"l2", "C", "l1", "intercept", "positive", "epochs", "passes", "tol_grad", "tol_gap"})
      text += fmt::format("{}={}\n", name, settings_.text(name));
    return text + path_identity(settings_);
  }

  void follow_path(const Rows& rows, Index fold) {
    auto [train, held_out] = rows.folds.split(*group_, rows.shard, fold);
    QuietTraining training(run_.choice, *group_,
                           make_problem(grid_.settings_at(settings_, 0), run_.choice, *group_,
                                        rows.labels, std::move(train), std::move(held_out)));
    const auto parameters = static_cast<std::size_t>(layout_.size());
    sums_.resize(static_cast<std::size_t>(points_) * parameters, 0.0);
    std::vector<Vec<double>> path;
    for (Index point = 0; point < points_; ++point) {
      const Index stronger = grid_.points()[static_cast<std::size_t>(point)].stronger;
      const Settings at = grid_.settings_at(settings_, point);
      training.set_penalty(at);
      StoredCell done;
      if (auto stored = load_cell(fold, point)) {
        done = std::move(*stored);
      } else {
        done.weights = stronger < 0 ? training.start(at) : path[static_cast<std::size_t>(stronger)];
        if (!train_cell(at, training, fold, point, done)) return;
        ++trained_;
      }
      reference_ = {fold, training.problem().record.l1, done.reference};
      if (group_->is_root())
        for (std::size_t j = 0; j < parameters; ++j)
          sums_[static_cast<std::size_t>(point) * parameters + j] +=
              done.weights[static_cast<Index>(j)];
      cells_.push_back(std::move(done.cell));
      path.push_back(std::move(done.weights));
      say_progress();
    }
    say_fold(fold);
  }

  /// Trains from the weights of `done`, and completes it. False: it was told to stop.
  bool train_cell(const Settings& at, QuietTraining& training, Index fold, Index point,
                  StoredCell& done) {
    const auto probe = [&] {
      Requests requests = SignalWatch::poll();
      requests.out_of_time = group_->is_root() && run_.deadline.is_near();
      return requests;
    };
    const io::ModelRecord& record = training.problem().record;
    // At zero the penalty's own gradient is 0: one norm serves all values of l2.
    const bool known = record.l1 == reference_.l1 && fold == reference_.fold;
    TrainResult result;
    try {
      result = training.train(at, done.weights,
                              {.probe = probe,
                               .measures = false,
                               .warm = true,
                               .reference = known ? reference_.grad_norm : 0});
    } catch (const CollectiveError& error) {
      throw CollectiveError(
          error.code(), error.rank(),
          fmt::format("fold {}, {}: {}", fold + 1, grid_.text(point), error.what()));
    }
    if (result.stop_reason == "signal" || result.stop_reason == "time") {
      stop_reason_ = result.stop_reason;
      return false;
    }
    done.reference = result.first_grad_norm;
    io::TuningCell& cell = done.cell;
    cell.fold = fold;
    cell.point = point;
    for (const auto& values = training.valid_metrics(at, done.weights, metrics_);
         const std::string& name : names_)
      cell.scores.push_back(values.at(name));
    cell.objective = result.last.objective;
    cell.grad_norm = result.last.grad_norm;
    cell.passes = result.last.passes;
    cell.seconds = result.seconds;
    cell.epochs = result.last.epoch;
    cell.nonzeros = nonzeros_of(layout_, done.weights);
    cell.converged = result.stop_reason == "tolerance" || result.stop_reason == "precision";
    group_->agree("", [&] {
      if (!group_->is_root()) return;
      io::ModelRecord model = record;
      model.config = at.to_toml();
      store_.save(done, names_, std::move(model));
    });
    return true;
  }

  /// Root of the group reads, everybody gets it. A damaged file is as none.
  std::optional<StoredCell> load_cell(Index fold, Index point) {
    if (settings_.is("resume", "no")) return {};
    std::optional<StoredCell> stored;
    const bool found = group_->agree_any("", [&] {
      if (!group_->is_root()) return false;
      try {
        stored = store_.load(fold, point, names_, layout_);
      } catch (const DataError& error) {
        run_.screen.message(LogLevel::warning, fmt::format("{}; trained again", error.what()));
      }
      return stored.has_value();
    });
    if (!found) return {};
    if (!stored) stored = StoredCell{{}, Vec<double>(layout_.size())};
    group_->broadcast(std::span(&stored->reference, 1));
    group_->broadcast(
        std::span(stored->weights.data(), static_cast<std::size_t>(stored->weights.size())));
    return stored;
  }

  double share_done() const {
    const Index mine = (folds_ - first_fold_ + groups_ - 1) / groups_ * points_;
    return static_cast<double>(cells_.size()) / static_cast<double>(mine);
  }
  std::optional<double> seconds_left() const {
    if (trained_ == 0) return {};
    const double left = (1 - share_done()) / share_done() * static_cast<double>(cells_.size());
    return (now() - started_) / static_cast<double>(trained_) * left;
  }
  void say_progress() {
    const io::TuningCell& cell = cells_.back();
    run_.screen.progress(share_done(),
                         fmt::format("fold {}  {}", cell.fold + 1, grid_.text(cell.point)),
                         seconds_left());
    if (!run_.comm.is_root()) return;
    run_.screen.event("cell", {{"fold", cell.fold},
                               {"point", cell.point},
                               {"setting", grid_.text(cell.point)},
                               {names_.front(), cell.scores.front()},
                               {"objective", cell.objective},
                               {"epochs", cell.epochs},
                               {"seconds", cell.seconds}});
  }
  void say_fold(Index fold) {
    if (!run_.comm.is_root()) return;
    const auto left = seconds_left();
    run_.screen.line(
        fmt::format("fold {} of {}: {} points in {}{}", fold + 1, folds_, points_,
                    format_seconds(now() - started_),
                    left && *left > 0 ? ", ETA " + format_seconds(*left) : std::string()));
  }

  CrossValidation conclusion(const Rows& rows) {
    const Communicator& world = run_.comm;
    const auto of_group = [&](Index value) { return group_->is_root() ? value : 0; };
    CrossValidation result;
    result.cells = folds_ * points_;
    result.trained = world.sum(of_group(trained_));
    result.unfinished = result.cells - world.sum(of_group(static_cast<Index>(cells_.size())));
    const Index reason = world.max(Index{stop_reason_ == "time"     ? 2
                                         : stop_reason_ == "signal" ? 1
                                                                    : 0});
    result.stop_reason = reason == 2 ? "time" : reason == 1 ? "signal" : "";
    if (reason != 0) return result;
    world.sum(std::span(sums_));
    for (double& sum : sums_) sum /= static_cast<double>(folds_);
    result.weights = std::move(sums_);
    result.study = study_of(rows, result.weights);
    return result;
  }

  io::TuningStudy study_of(const Rows& rows, const std::vector<double>& weights) {
    const DataInfo& info = rows.shard.info();
    io::TuningStudy study;
    study.data = info.path;
    study.command = command_line_text();
    study.kind = loss_name(rows.labels.loss);
    study.rows = info.rows;
    study.features = info.columns;
    study.seed = settings_.integer("seed");
    study.ranks = run_.comm.size();
    study.groups = groups_;
    study.stratified = !takes_numbers(rows.labels.loss);
    study.metrics = names_;
    for (Index p = 0; p < points_; ++p) {
      study.settings.push_back(grid_.text(p));
      const auto penalties = penalties_of(grid_.settings_at(settings_, p), info.rows, rows.weights);
      study.l2.push_back(penalties.l2);
      study.l1.push_back(penalties.l1);
    }
    for (Index f = 0; f < folds_; ++f) study.held_out.push_back(rows.folds.held_out(f));
    study.cells =
        gathered_cells(run_.comm, group_->is_root() ? cells_ : decltype(cells_)(), folds_, points_);
    set_weights(study, layout_, weights);
    if (settings_.flag("save_folds"))  // the first group holds every row
      study.fold_of_row = gathered_folds(run_.comm, first_fold_ == 0 ? &rows.shard : nullptr,
                                         rows.folds, info.rows);
    return study;
  }

  const RunContext& run_;
  const Settings& settings_;
  const TuningGrid& grid_;
  Index points_, folds_, groups_ = 1;
  Index first_fold_ = 0;  // of this rank's group, which takes every groups_-th from there
  std::optional<Communicator> group_;
  CellStore store_;
  ParameterLayout layout_;
  std::vector<Metric> metrics_;
  std::vector<std::string> names_;
  std::string stop_reason_;
  double started_ = 0;
  Index trained_ = 0;
  struct {
    Index fold = -1;
    double l1 = 0, grad_norm = 0;
  } reference_;                        // |∇F| at zero of the last training
  std::vector<io::TuningCell> cells_;  // of this group
  std::vector<double> sums_;  // of the weights, point after point; of the group on its root
};

}  // namespace

std::vector<Metric> tuning_metrics(const Settings& settings, Loss loss) {
  if (!settings.given("metrics") && takes_numbers(loss)) return {Metric::of("mse")};
  return chosen_metrics(settings, loss);
}

CrossValidation cross_validate(const RunContext& run, const TuningGrid& grid) {
  return Validation(run, grid).measure();
}

}  // namespace svrg::app
