#pragma once
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "svrg/comm/communicator.hpp"
#include "svrg/core/clock.hpp"
#include "svrg/core/error.hpp"
#include "svrg/core/log.hpp"
#include "svrg/io/checkpoint.hpp"
#include "svrg/io/model_file.hpp"
#include "svrg/io/run_record.hpp"
#include "svrg/solver/solver.hpp"
#include "svrg/train/best_epoch.hpp"

namespace svrg {

struct RunFiles;  // root's side of a run directory

struct TrainerOptions {
  // When to stop; the first that holds.
  Index epochs = 100;
  double passes = std::numeric_limits<double>::infinity();
  double tol_gap = 0;      // bound on the objective's distance to its minimum; 0 is off
  double tol_grad = 1e-6;  // of ‖∇F‖₂ over that at the initial weights; 0 is off
  Monitored monitor;       // what patience and save_best go by: the objective or one of set_metrics
  Index patience = 0;      // measured epochs in a row without a better one; 0 is off
  /// Takes |∇F| for tol_grad at w = 0 wherever training starts, which costs one measurement more: a
  /// good start must not be held to a smaller gradient than a bad one.
  bool reference_at_zero = false;
  double reference = 0;  // that norm, where it is known already; 0: it is measured
  // What to keep; nothing without a run directory.
  std::string run_dir;
  Index checkpoint_epochs = 5;
  double checkpoint_seconds = 0;   // used where checkpoint_epochs is 0
  double checkpoint_interval = 1;  // no more often than this, whatever the epochs
  int keep = 3;
  bool save_best = false;    // the best epoch by `monitor`: its weights, its checkpoint as best.h5
  bool tensorboard = false;  // the epochs' figures as event files, too, in tb/
  bool overwrite = false;    // replace the results of an earlier run, under the lock
  bool own_folder = false;   // what is there belongs to this run: it stays
  // Going on from a checkpoint: the newest in run_dir, or a file.
  bool resume_newest = false;
  std::string resume_file;
  /// Settings that a resume must share, "key=value" lines: another value is refused.
  std::string identity;
  std::string config, manifest;  // TOML and JSON, recorded in every file
};

/// @throws ConfigError where the folder holds results of an earlier run, with the remedy. Local.
void require_no_results(const std::string& run_dir);
/// Removes them; the caller has the folder's lock. Local. @throws OutputError
void remove_results(const std::string& run_dir);
/// @throws ConfigError naming the first "key=value" line in which the two differ. Local.
void require_same_identity(const std::string& saved, const std::string& asked);

/// How a run ended.
struct TrainResult {
  std::string stop_reason;  // tolerance, precision, patience, epochs, passes, signal, time
  ExitCode code = ExitCode::done;
  Outcome last;
  double first_grad_norm = 0;
  double seconds = 0;  // of training, resumed parts included
  Index bytes_communicated = 0, allreduces = 0;
  PhaseTimes times;  // of this rank, since the start or the resume
  std::map<std::string, double> metrics;
  std::optional<BestEpoch> best;  // where something was monitored
  Vec<double> best_weights;       // of save_best, on root
  std::string checkpoint;         // the last one written; empty: none
};

/// A checkpoint that was written.
struct CheckpointNote {
  std::string path;
  Index epoch = 0, step = 0;
  double seconds = 0;  // that it took
};

/// Drives a solver: watches, stops, records, checkpoints. Every rank has one; root touches the
/// files.
class Trainer {
 public:
  using Metrics = std::function<std::map<std::string, double>(ConstVecRef<double> w)>;
  /// Of these weights for the report; `current`: they are where the solver stands.
  using Evaluate = std::function<io::Evaluation(ConstVecRef<double> w, bool current)>;
  using OnTick = std::function<void(const Outcome&, double seconds)>;
  using OnCheckpoint = std::function<void(const CheckpointNote&)>;
  using OnEpoch = std::function<void(const io::EpochRecord&, double first_grad_norm)>;

  /// `model` says what the weights mean; its weights are ignored. `rows` is the size of the data
  /// set. The solver must outlive this.
  Trainer(const Communicator& comm, Solver<double>& solver, io::ModelRecord model, Index rows,
          TrainerOptions options, LogSink log);
  ~Trainer();

  /// Computed at every measured epoch, "train_acc" and the like. Collective.
  void set_metrics(Metrics metrics) { metrics_ = std::move(metrics); }
  /// Computed once, at the end of a run that is not to go on, of the weights that the model gets;
  /// for run.h5. Collective.
  void set_evaluation(Evaluate evaluate) { evaluate_ = std::move(evaluate); }
  /// Called on root after a checkpoint was written.
  void set_on_checkpoint(OnCheckpoint on_checkpoint) { on_checkpoint_ = std::move(on_checkpoint); }
  /// Called on root.
  void set_on_epoch(OnEpoch on_epoch) { on_epoch_ = std::move(on_epoch); }
  /// Called on root after every advance, measured or not: for a live line.
  void set_on_tick(OnTick on_tick) { on_tick_ = std::move(on_tick); }
  /// Seconds of the solver's work by phase so far, communication not among them; `rest` is where
  /// work belongs that it does not account for.
  void set_phase_source(std::function<PhaseTimes()> source, Phase rest) {
    phases_ = std::move(source);
    rest_ = rest;
  }

  /// Trains from w, or from the checkpoint asked for (w is then overwritten). Collective.
  /// @throws CollectiveError (diverged) after a checkpoint of the last good weights; (output),
  ///         (data), (usage), (in_use) where files or a resume go wrong.
  TrainResult fit(VecRef<double> w);

 private:
  Outcome charged(const std::function<Outcome()>& work);
  void open_files(VecRef<double> w);
  void restore(const State& state, VecRef<double> w);
  void record(const Outcome& at, ConstVecRef<double> w);
  void observe(const Outcome& at, ConstVecRef<double> w);
  void load_best(const State& state);
  bool time_to_save(Index epoch) const;  // on root
  bool worth_saving(const Outcome& at) const;
  void save(ConstVecRef<double> w, bool last);
  State state_at(ConstVecRef<double> w) const;
  io::RunEnd end_at(const Outcome& at, ConstVecRef<double> w);
  std::string reason_to_stop(const Outcome& at) const;
  void note(const Outcome& at) const;

  Communicator comm_;
  Solver<double>& solver_;
  io::ModelRecord model_;
  TrainerOptions options_;
  LogSink log_;
  Metrics metrics_;
  Evaluate evaluate_;
  OnEpoch on_epoch_;
  OnTick on_tick_;
  OnCheckpoint on_checkpoint_;
  std::function<PhaseTimes()> phases_ = [] { return PhaseTimes(); };
  Phase rest_ = Phase::inner;
  std::unique_ptr<RunFiles> files_;
  TrainResult result_;
  BestEpoch best_;
  bool improved_ = false, save_due_ = false;  // at the last measurement
  PhaseTimes recorded_times_;                 // those of result_ at the last record
  Index rows_ = 0;
  double started_ = 0, seconds_before_ = 0, saved_at_ = 0;
  Index bytes_before_ = 0, allreduces_before_ = 0, resumed_epoch_ = -1, recorded_epoch_ = -1;
};

}  // namespace svrg
