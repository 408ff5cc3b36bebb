// Everything here that decides is made from reduced numbers or broadcast by root, so that all ranks
// take the same branch; every touch of a file is root's, inside agree().
#include "svrg/train/trainer.hpp"

#include <algorithm>
#include <cmath>

#include "svrg/core/memory.hpp"
#include "train/run_files.hpp"

namespace svrg {
namespace {

PhaseTimes difference(const PhaseTimes& a, const PhaseTimes& b) {
  PhaseTimes d;
  for (std::size_t i = 0; i < phase_names.size(); ++i)
    d[static_cast<Phase>(i)] = a[static_cast<Phase>(i)] - b[static_cast<Phase>(i)];
  return d;
}

}  // namespace

Trainer::Trainer(const Communicator& comm, Solver<double>& solver, io::ModelRecord model,
                 Index rows, TrainerOptions options, LogSink log)
    : comm_(comm),
      solver_(solver),
      model_(std::move(model)),
      options_(std::move(options)),
      log_(std::move(log)),
      best_(options_.monitor),
      rows_(rows) {}

Trainer::~Trainer() = default;

void Trainer::note(const Outcome& at) const {
  if (log_ && comm_.is_root() && !at.note.empty()) log_(LogLevel::info, at.note);
}

State Trainer::state_at(ConstVecRef<double> w) const {
  State state;
  solver_.save(state);
  state.values["first_grad_norm"] = result_.first_grad_norm;
  state.values["wall_seconds"] = seconds_before_ + now() - started_;
  state.values["bytes_communicated"] = bytes_before_ + comm_.traffic().bytes;
  state.values["allreduces"] = allreduces_before_ + comm_.traffic().allreduces;
  state.values["world_size"] = std::int64_t{comm_.size()};
  state.values["rng_algorithm"] = std::string("philox4x32-10");
  state.values["identity"] = options_.identity;
  if (!options_.monitor.name.empty()) best_.save(state);
  // Beside the link: a resume needs them whatever has become of that file.
  if (options_.save_best && result_.best_weights.size() > 0)
    state.arrays["best/weights"] = Array::vector<double>(result_.best_weights);
  io::ModelRecord model = model_;
  model.weights = w;
  model.config = options_.config;
  model.manifest = options_.manifest;
  io::add_model(state, model);
  return state;
}

void Trainer::load_best(const State& state) {
  if (options_.monitor.name.empty()) return;
  const bool has_weights = state.arrays.contains("best/weights");
  if ((!options_.save_best || has_weights) && best_.load(state)) {
    result_.best = best_;
    if (options_.save_best && comm_.is_root())
      result_.best_weights = state.vector("best/weights", model_.layout.size());
  } else if (log_ && comm_.is_root()) {
    log_(LogLevel::info, "the checkpoint's run did not " +
                             std::string(options_.save_best ? "save the best by " : "watch ") +
                             options_.monitor.name + ": the best epoch is sought from here on");
  }
  if (options_.save_best && files_) files_->store.mark_best(best_.at().step);
}

void Trainer::restore(const State& state, VecRef<double> w) {
  comm_.agree("resume", [&] {
    require_same_identity(state.text("identity"), options_.identity);
    const auto saved = io::model_from_state(state, "checkpoint");
    w = io::weights_for(saved, model_.layout);
    result_.first_grad_norm = state.real("first_grad_norm");
    seconds_before_ = state.real("wall_seconds");
    bytes_before_ = state.integer("bytes_communicated");
    allreduces_before_ = state.integer("allreduces");
    recorded_epoch_ = resumed_epoch_ = state.integer("epoch");
    load_best(state);
  });
  // The same state on every rank: if it does not fit, every rank finds out in the same place.
  try {
    solver_.load(state);
  } catch (const std::exception& error) {
    throw CollectiveError(ExitCode::data, 0, std::string("checkpoint: ") + error.what());
  }
  const auto ranks = state.integer("world_size");
  if (log_ && comm_.is_root() && ranks != comm_.size())
    log_(LogLevel::info, "resumed from a run on " + std::to_string(ranks) + " ranks");
}

// w is a view. NOLINTNEXTLINE(performance-unnecessary-value-param)
void Trainer::open_files(VecRef<double> w) {
  std::vector<std::byte> image;
  comm_.agree("", [&] {
    if (!comm_.is_root()) return;
    std::optional<State> state;
    if (!options_.run_dir.empty()) {
      const bool resumes = options_.resume_newest || !options_.resume_file.empty();
      files_ = std::make_unique<RunFiles>(options_.run_dir, options_.keep,
                                          resumes || options_.own_folder, options_.overwrite, log_);
      if (options_.resume_newest) state = files_->store.newest();
    }
    if (!options_.resume_file.empty()) state = io::read_checkpoint(options_.resume_file);
    if (state && files_) require_same_identity(state->text("identity"), options_.identity);
    if (!options_.resume_file.empty() && files_)
      files_->store.abandon_after(state->integer("step"));
    if (state) image = io::checkpoint_image(*state);
    if (!state && options_.resume_newest && log_)
      log_(LogLevel::info, "no checkpoint to resume from: a fresh start");
  });
  auto size = static_cast<std::int64_t>(image.size());
  comm_.broadcast(std::span(&size, 1));
  if (size > 0) {
    image.resize(static_cast<std::size_t>(size));
    comm_.broadcast(std::span(image));
    State state;
    comm_.agree("resume", [&] { state = io::state_of_payload(image, "checkpoint"); });
    restore(state, w);
  }
  if (options_.run_dir.empty()) return;
  // Hosts by rank, for run.h5.
  const std::string host = host_name() + '\n';
  const auto names = comm_.gather(std::as_bytes(std::span(host)));
  comm_.agree("", [&] {
    if (!files_) return;
    files_->open_record(std::string(reinterpret_cast<const char*>(names.data()), names.size()),
                        resumed_epoch_);
    if (options_.tensorboard) files_->open_events(resumed_epoch_);
    files_->describe(options_.config, options_.manifest);
  });
}

void Trainer::observe(const Outcome& at, ConstVecRef<double> w) {
  improved_ = false;
  const std::string& name = options_.monitor.name;
  if (name.empty()) return;
  double value = at.objective;
  if (name != Monitored::objective) {
    const auto found = result_.metrics.find(name);
    SVRG_EXPECT(found != result_.metrics.end(), "the monitored metric is among the metrics");
    value = found->second;
  }
  improved_ = best_.observe(at, value);
  result_.best = best_;
  if (improved_ && options_.save_best && comm_.is_root()) result_.best_weights = w;
}

void Trainer::record(const Outcome& at, ConstVecRef<double> w) {
  const Heartbeat::Within evaluation(comm_.heartbeat(), Phase::evaluate);
  if (metrics_) {
    const ScopedPhase timed(result_.times, Phase::evaluate);
    const ScheduleRecorder::Divided divided(comm_.recorder(), rows_ / comm_.size());
    result_.metrics = metrics_(w);
  }
  observe(at, w);
  recorded_epoch_ = std::max(at.epoch, resumed_epoch_);

  const PhaseTimes spent = difference(result_.times, recorded_times_);
  recorded_times_ = result_.times;
  std::vector<double> mine(spent.all().begin(), spent.all().end());
  mine.push_back(static_cast<double>(peak_memory()));
  const auto everybody = comm_.gather_at_root(mine);

  io::EpochRecord line;
  line.epoch = at.epoch;
  line.step = at.step;
  line.passes = at.passes;
  line.wall_seconds = seconds_before_ + now() - started_;
  line.objective = at.objective;
  line.grad_norm = at.grad_norm;
  line.duality_gap = at.gap;
  line.learning_rate = at.learning_rate;
  line.is_snapshot = at.measured;
  line.samples = static_cast<Index>(std::llround(at.passes * static_cast<double>(rows_)));
  line.bytes_communicated = bytes_before_ + comm_.traffic().bytes;
  line.messages = allreduces_before_ + comm_.traffic().allreduces;
  line.metrics = result_.metrics;
  for (auto rank = everybody.begin(); rank != everybody.end(); rank += phase_names.size() + 1) {
    std::copy_n(rank, phase_names.size(), line.phase_seconds.emplace_back().begin());
    line.max_rss.push_back(rank[phase_names.size()]);
  }
  save_due_ = comm_.agree_any("", [&] {
    if (!comm_.is_root()) return false;
    if (files_ && at.epoch > resumed_epoch_)
      files_->append(line, options_.config, options_.manifest);
    if (on_epoch_) on_epoch_(line, result_.first_grad_norm);
    return time_to_save(at.epoch);
  });
}

bool Trainer::time_to_save(Index epoch) const {
  if (!files_) return false;
  const double since = now() - saved_at_;
  return options_.checkpoint_epochs > 0
             ? epoch % options_.checkpoint_epochs == 0 && since >= options_.checkpoint_interval
             : since >= options_.checkpoint_seconds;
}

bool Trainer::worth_saving(const Outcome& at) const {
  if (at.requests.save || (at.measured && improved_ && options_.save_best)) return true;
  if (at.measured) return save_due_;
  std::uint8_t due = time_to_save(at.epoch) ? 1 : 0;
  comm_.broadcast(std::span(&due, 1));
  return due != 0;
}

void Trainer::save(ConstVecRef<double> w, bool last) {
  const Heartbeat::Within checkpoint(comm_.heartbeat(), Phase::checkpoint);
  const double before = now();
  if (!options_.run_dir.empty()) solver_.collect();
  comm_.agree("", [&] {
    if (!files_ || !w.allFinite()) return;
    const State state = state_at(w);
    const bool saved = files_->save(state, last, log_);
    result_.checkpoint = files_->store.current();
    if (saved && on_checkpoint_)
      on_checkpoint_(
          {result_.checkpoint, state.integer("epoch"), state.integer("step"), now() - before});
    if (options_.save_best) files_->store.mark_best(best_.at().step);
  });
  saved_at_ = now();
  result_.times[Phase::checkpoint] += saved_at_ - before;
}

/// Runs the solver and charges its time to phases.
Outcome Trainer::charged(const std::function<Outcome()>& work) {
  const Traffic before = comm_.traffic();
  const PhaseTimes known = phases_();
  const double start = now();
  Outcome outcome = work();
  const double communication = comm_.traffic().seconds - before.seconds,
               waiting = comm_.traffic().waiting - before.waiting;
  double rest = now() - start - communication;
  const PhaseTimes spent = difference(phases_(), known);
  for (std::size_t i = 0; i < phase_names.size(); ++i) {
    const auto phase = static_cast<Phase>(i);
    result_.times[phase] += spent[phase];
    rest -= spent[phase];
  }
  result_.times[rest_] += std::max(0.0, rest);
  result_.times[Phase::allreduce] += communication - waiting;
  result_.times[Phase::wait] += waiting;
  return outcome;
}

std::string Trainer::reason_to_stop(const Outcome& at) const {
  if (at.measured && options_.tol_grad > 0 && std::isfinite(at.grad_norm) &&
      at.grad_norm <= options_.tol_grad * result_.first_grad_norm)
    return "tolerance";
  if (at.measured && at.grad_norm == 0) return "tolerance";
  if (at.measured && options_.tol_gap > 0 && at.gap <= options_.tol_gap) return "tolerance";
  if (at.finished) return "precision";
  if (at.measured && options_.patience > 0 && best_.epochs_since() >= options_.patience)
    return "patience";
  if (at.requests.stop) return "signal";
  if (at.requests.out_of_time) return "time";
  if (at.epoch_ended && at.epoch >= options_.epochs) return "epochs";
  if (at.passes >= options_.passes) return "passes";
  return {};
}

io::RunEnd Trainer::end_at(const Outcome& at, ConstVecRef<double> w) {
  io::RunEnd end{result_.stop_reason, recorded_epoch_, result_.first_grad_norm, at.gap, {}};
  // Who was asked to end has no time for it, and goes on later.
  if (!evaluate_ || options_.run_dir.empty() || result_.code != ExitCode::done) return end;
  if (!options_.save_best || !result_.best || result_.best->at().epoch < 0) {
    end.evaluation = evaluate_(w, true);
    return end;
  }
  Vec<double> best = w;
  if (comm_.is_root() && result_.best_weights.size() > 0) best = result_.best_weights;
  comm_.broadcast(std::span(best.data(), static_cast<std::size_t>(best.size())));
  end.evaluation = evaluate_(best, false);
  return end;
}

// w is a view. NOLINTNEXTLINE(performance-unnecessary-value-param)
TrainResult Trainer::fit(VecRef<double> w) {
  started_ = saved_at_ = now();
  open_files(w);
  // What loading and agreeing on settings cost is not training's, and would vary with path names.
  bytes_before_ -= comm_.traffic().bytes;
  allreduces_before_ -= comm_.traffic().allreduces;
  Outcome at;
  const Heartbeat::Within start(comm_.heartbeat(), Phase::full_gradient);
  try {
    Outcome reference;
    reference.grad_norm = options_.reference;
    if (options_.reference_at_zero && options_.reference == 0 && resumed_epoch_ < 0) {
      Vec<double> zero = Vec<double>::Zero(w.size());
      reference = charged([&] { return solver_.start(zero); });
    }
    at = charged([&] { return solver_.start(w); });
    at.requests |= reference.requests;
    if (resumed_epoch_ < 0)
      result_.first_grad_norm = options_.reference_at_zero ? reference.grad_norm : at.grad_norm;
    // A finished run that is resumed has nothing to do but to show where it stands.
    const bool resumed = resumed_epoch_ >= 0;
    if (at.measured && (!resumed || !reason_to_stop(at).empty())) record(at, w);
    if (at.requests.save || (improved_ && options_.save_best)) save(w, false);
    while ((result_.stop_reason = reason_to_stop(at)).empty()) {
      comm_.heartbeat().set_epoch(at.epoch + 1);
      comm_.heartbeat().beat(Phase::inner);
      at = charged([&] { return solver_.advance(w); });
      note(at);
      if (at.measured) record(at, w);
      if (on_tick_ && comm_.is_root()) on_tick_(at, seconds_before_ + now() - started_);
      if (worth_saving(at)) save(w, false);
    }
    const bool asked_to_end = result_.stop_reason == "signal" || result_.stop_reason == "time";
    if (!w.allFinite()) throw NumericError("the weights are not finite any more");
    save(w, true);
    if (!at.measured && !asked_to_end) {
      at = charged([&] { return solver_.measure(w); });
      record(at, w);
      // The checkpoint of this step is there: one made now would have another sequel.
      comm_.agree("", [&] {
        if (files_ && improved_ && options_.save_best) files_->store.mark_best(at.step);
      });
    }
    if (asked_to_end && !options_.run_dir.empty()) result_.code = ExitCode::stopped;
  } catch (const NumericError& error) {
    // Made from reduced numbers: every rank is here, and w is the last good point or not finite.
    save(w, false);
    const io::RunEnd end{"diverged", recorded_epoch_, result_.first_grad_norm, at.gap, {}};
    comm_.agree("", [&] {
      if (files_) files_->finish(options_.config, options_.manifest, end);
    });
    throw CollectiveError(error.code(), 0, error.what());
  }
  result_.last = at;
  result_.seconds = seconds_before_ + now() - started_;
  result_.bytes_communicated = bytes_before_ + comm_.traffic().bytes;
  result_.allreduces = allreduces_before_ + comm_.traffic().allreduces;
  // What follows is not training's any more.
  const io::RunEnd end = end_at(at, w);
  comm_.agree("", [&] {
    if (files_) files_->finish(options_.config, options_.manifest, end);
  });
  return result_;
}

}  // namespace svrg
