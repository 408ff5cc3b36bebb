// Every number of ranks is a group of its own in one job. The trainings of a repeat follow each
// other, so that what a busy machine does to one it does to the next.
#include "scaling_bench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "manifest.hpp"
#include "model_choice.hpp"
#include "placement.hpp"
#include "quiet_training.hpp"
#include "solve.hpp"
#include "svrg/core/error.hpp"

namespace svrg::app {
namespace {

/// What root knows of one training on a group of ranks.
struct Training {
  io::MeasuredRun run;
  std::string data, solver, algorithm;
  Index columns = 0, nonzeros = 0;
};

class Bench {
 public:
  Bench(const Settings& settings, const Communicator& world, Screen& screen)
      : settings_(settings), world_(world), screen_(screen) {
    world.agree("", [&] { choice_.emplace(settings); });
    if (settings.has("out")) folder_ = training_folder(settings.text("out"));
  }
  ~Bench() {
    std::error_code ignored;
    if (world_.is_root() && !folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  /// Trains on the first `ranks` of the world while the others sleep.
  Training train(Index ranks, double share, bool first) {
    const bool member = world_.rank() < ranks;
    const Communicator group = world_.split(member ? 0 : 1, world_.rank());
    Training training;
    std::optional<CollectiveError> failure;
    if (member) {
      if (first) group.tell_waits_apart();
      try {
        training = train_on(group, share, first);
      } catch (const CollectiveError& error) {  // of all members
        failure = error;
      }
    }
    world_.rest();
    world_.agree("", [&] {
      if (failure) throw *failure;
    });
    return training;
  }

 private:
  Training train_on(const Communicator& comm, double share, bool first) {
    Screen silent(silent_screen());
    Screen& screen = first && shown_ == 0 ? screen_ : silent;  // the header, once
    ++shown_;
    comm.barrier();
    double load_seconds = now();
    QuietTraining training(*choice_, comm, load_problem(settings_, *choice_, comm, screen, share));
    load_seconds = now() - load_seconds;
    Vec<double> w = training.start(settings_);
    const TrainResult result = training.train(settings_, w, {.folder = folder_});
    screen.fact("solver", training.solver());
    return summary(comm, training, result, load_seconds);
  }

  Training summary(const Communicator& comm, const QuietTraining& training,
                   const TrainResult& result, double load_seconds) {
    const DataInfo& info = training.problem().train.info();
    Training t;
    t.solver = training.solver();
    t.algorithm = algorithm_of(settings_, choice_->is_net());
    if (t.algorithm == "auto") t.algorithm = "local-svrg";
    t.data = info.path;
    t.columns = info.columns;
    t.nonzeros = info.nonzeros;
    t.run.ranks = comm.size();
    t.run.rows = info.rows;
    t.run.epochs = result.last.epoch;
    t.run.passes = result.last.passes;
    t.run.converged = result.stop_reason == "tolerance" || result.stop_reason == "precision";
    t.run.load_seconds = comm.max(load_seconds);
    t.run.train_seconds = comm.max(result.seconds);
    t.run.bytes_communicated = result.bytes_communicated;
    t.run.messages = result.allreduces;
    std::vector<double> mine(result.times.all().begin(), result.times.all().end());
    mine[static_cast<std::size_t>(Phase::data)] = load_seconds;
    const auto all = comm.gather_at_root(mine);
    for (auto rank = all.begin(); rank != all.end(); rank += phase_names.size())
      std::copy_n(rank, phase_names.size(), t.run.phase_seconds.emplace_back().begin());
    return t;
  }

  const Settings& settings_;
  Communicator world_;
  Screen& screen_;
  std::optional<ModelChoice> choice_;
  std::string folder_;  // of the training that goes on; empty: none is kept
  int shown_ = 0;
};

/// The least of these numbers of ranks that puts more of them on a node than it has cores; 0: none.
/// Collective.
Index crowded_from(const Communicator& world, const std::vector<Index>& ranks) {
  const Communicator node = world.node();
  const Index cores = cores_of_node(world);
  for (const Index p : ranks)
    if (world.max(node.sum(Index{world.rank() < p ? 1 : 0}) - cores) > 0) return p;
  return 0;
}

/// Tells waiting from communication by the shares that they have in `model`.
void divide_waits(const io::MeasuredRun& model, io::MeasuredRun& run) {
  constexpr auto allreduce = static_cast<std::size_t>(Phase::allreduce),
                 wait = static_cast<std::size_t>(Phase::wait);
  for (std::size_t r = 0; r < run.phase_seconds.size(); ++r) {
    const auto& known = model.phase_seconds[r];
    const double both = known[allreduce] + known[wait];
    auto& mine = run.phase_seconds[r];
    const double waiting = both > 0 ? mine[allreduce] * known[wait] / both : 0;
    mine[allreduce] -= waiting;
    mine[wait] = waiting;
  }
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace

std::vector<Index> ranks_asked_for(const Settings& settings, Index most) {
  std::vector<Index> ranks;
  const auto powers = [&](Index from, Index to) {
    for (Index p = from; p <= to; p *= 2) ranks.push_back(p);
  };
  if (!settings.has("ranks")) {
    powers(1, most);
    ranks.push_back(most);
  } else {
    for (const std::string& item : settings.list("ranks")) {
      const auto dots = item.find("..");
      const auto from = parse_integer(std::string_view(item).substr(0, dots));
      const auto to =
          dots == std::string::npos ? from : parse_integer(std::string_view(item).substr(dots + 2));
      if (!from || !to || *from < 1 || *to < *from || *to > (Index{1} << 30))
        throw ConfigError(fmt::format("{}: must be numbers of ranks such as 1,2,4 or 1..64, got {}",
                                      settings.place("ranks"), item));
      powers(*from, *to);
    }
  }
  std::sort(ranks.begin(), ranks.end());
  ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
  if (ranks.back() > most)
    throw ConfigError(
        fmt::format("{}: {} ranks, but the launcher started {}; mpirun -n {} svrg bench",
                    settings.place("ranks"), ranks.back(), most, ranks.back()));
  return ranks;
}

std::string training_folder(const std::string& out) { return out + ".run"; }

io::ScalingStudy measure_scaling(const Settings& settings, const Communicator& world,
                                 const std::vector<Index>& ranks, Screen& screen) {
  io::ScalingStudy study;
  study.mode = settings.text("scaling");
  study.hostnames = hosts_of(world);
  study.cores = -world.max(-cores_of_node(world));
  study.command = command_line_text();
  const bool weak = study.mode == "weak";
  const auto share = [&](Index p) {
    return weak ? static_cast<double>(p) / static_cast<double>(ranks.back()) : 1;
  };
  if (const Index crowded = crowded_from(world, ranks); crowded > 0 && world.is_root())
    screen.message(LogLevel::warning,
                   fmt::format("{} ranks are more than a node has cores ({}): they take turns, so "
                               "times from there on say nothing of scaling",
                               crowded, study.cores));
  Bench bench(settings, world, screen);
  std::vector<io::MeasuredRun> models;
  double seconds = 0;
  for (const Index p : ranks) {
    const double start = now();
    Training t = bench.train(p, share(p), true);
    seconds += now() - start;
    study.data = t.data;
    study.solver = t.solver;  // of the most ranks in the end
    study.algorithm = t.algorithm;
    study.columns = t.columns;
    study.nonzeros = t.nonzeros;
    models.push_back(std::move(t.run));
  }
  const Index repeats = settings.integer("repeats");
  screen.fact("needs", fmt::format("about {} for {} trainings on each of {} numbers of ranks",
                                   format_seconds(seconds * static_cast<double>(repeats)), repeats,
                                   ranks.size()));
  std::vector<std::vector<io::MeasuredRun>> runs(ranks.size());
  for (Index repeat = 0; repeat < repeats; ++repeat)
    for (std::size_t k = 0; k < ranks.size(); ++k) {
      const std::size_t i = repeat % 2 == 0 ? k : ranks.size() - 1 - k;
      Training t = bench.train(ranks[i], share(ranks[i]), false);
      t.run.repeat = repeat;
      if (world.is_root()) divide_waits(models[i], t.run);
      runs[i].push_back(std::move(t.run));
      if (k + 1 < ranks.size()) continue;
      std::string line = fmt::format("repeat {} of {}:", repeat + 1, repeats);
      for (std::size_t j = 0; j < ranks.size(); ++j)
        line += fmt::format("{} {:.4g} s on {}", j == 0 ? "" : ",", runs[j].back().train_seconds,
                            ranks[j]);
      screen.line(line);
    }
  for (auto& of_ranks : runs) std::ranges::move(of_ranks, std::back_inserter(study.measured));
  return study;
}

std::vector<ScalingPoint> points_of(const io::ScalingStudy& study) {
  std::vector<ScalingPoint> points;
  const auto& runs = study.measured;
  std::size_t repeats = 0;
  while (repeats < runs.size() && runs[repeats].ranks == runs[0].ranks) ++repeats;
  const auto epoch = [](const io::MeasuredRun& r) {
    return r.train_seconds / static_cast<double>(std::max<Index>(1, r.epochs));
  };
  for (std::size_t at = 0; at < runs.size(); at += repeats) {
    std::vector<double> train, epochs, rate, speedup, epoch_speedup;
    ScalingPoint point;
    for (std::size_t r = 0; r < repeats; ++r) {
      const io::MeasuredRun &run = runs[at + r], &base = runs[r];
      const double more_rows = static_cast<double>(run.rows) / static_cast<double>(base.rows);
      train.push_back(run.train_seconds);
      epochs.push_back(epoch(run));
      rate.push_back(static_cast<double>(run.rows) * run.passes / run.train_seconds);
      speedup.push_back(more_rows * base.train_seconds / run.train_seconds);
      epoch_speedup.push_back(more_rows * epoch(base) / epoch(run));
      for (const auto& rank : run.phase_seconds) {
        const double part =
            run.train_seconds * static_cast<double>(repeats * run.phase_seconds.size());
        point.communication += rank[static_cast<std::size_t>(Phase::allreduce)] / part;
        point.waiting += rank[static_cast<std::size_t>(Phase::wait)] / part;
      }
    }
    const double more_ranks =
        static_cast<double>(runs[at].ranks) / static_cast<double>(runs[0].ranks);
    point.ranks = runs[at].ranks;
    point.epochs = runs[at].epochs;
    point.train_seconds = median(train);
    point.epoch_seconds = median(epochs);
    point.rows_per_second = median(rate);
    point.spread =
        (*std::ranges::max_element(train) - *std::ranges::min_element(train)) / point.train_seconds;
    point.speedup = median(speedup);
    point.efficiency = point.speedup / more_ranks;
    point.epoch_efficiency = median(epoch_speedup) / more_ranks;
    points.push_back(point);
  }
  return points;
}

}  // namespace svrg::app
