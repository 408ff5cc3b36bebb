#pragma once
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "svrg/core/clock.hpp"
#include "svrg/core/types.hpp"
#include "svrg/io/evaluation.hpp"

namespace svrg::io {

/// One line of a run's history: the state after an epoch. NaN where a value does not exist. Counts,
/// passes and wall_seconds are since the start of the run (resumes included), max_rss is the
/// largest so far, phase_seconds are those of this epoch alone: run.h5 labels them so.
struct EpochRecord {
  Index epoch = 0, step = 0;
  double passes = 0, wall_seconds = 0;
  double objective = 0, grad_norm = 0, duality_gap = 0, learning_rate = 0;
  bool is_snapshot = false;
  Index samples = 0, bytes_communicated = 0, messages = 0;
  std::map<std::string, double> metrics;                              // "train_acc", "valid_acc"
  std::vector<double> max_rss;                                        // bytes, by rank
  std::vector<std::array<double, phase_names.size()>> phase_seconds;  // by rank
};

/// One epoch as a line of log.jsonl, newline included, in full precision; what is not finite is
/// null. Names are those of run.h5; a metric stands under its own name.
std::string to_json_line(const EpochRecord& record);

/// The record of a run on disk: log.jsonl, appended one line an epoch, and run.h5, made anew from
/// it (whole and renamed). Local; root only.
class RunRecord {
 public:
  /// @param resume_after  keep the lines of epochs ≤ this (a resumed run), −1: start a new record.
  /// A last line that a kill tore is dropped. @throws DataError on a damaged line elsewhere.
  RunRecord(std::string folder, std::vector<std::string> hostnames, Index resume_after);
  /// Appends a line in one write. A metric may not bear the name of a field. Infinite values are
  /// written as null, as NaN is. @throws OutputError
  void append(const EpochRecord& record);
  /// Rewrites run.h5 with `config` (TOML) and `manifest` (JSON), and how the run ended once it has.
  /// @throws OutputError
  void write_hdf5(const std::string& config, const std::string& manifest,
                  const std::optional<RunEnd>& end = {}) const;
  const std::vector<EpochRecord>& epochs() const noexcept { return epochs_; }

 private:
  std::string folder_;
  std::vector<std::string> hostnames_;
  std::vector<EpochRecord> epochs_;
};

/// What a run.h5 holds.
struct RunFile {
  std::vector<EpochRecord> epochs;
  std::vector<std::string> hostnames;  // by rank
  std::string config, manifest;        // TOML and JSON
  std::optional<RunEnd> end;           // none: the run has not ended yet, or was killed
};
/// Local. @throws DataError
RunFile read_run(const std::string& path);
/// The history of a run.h5, for `svrg inspect`. @throws DataError
std::vector<EpochRecord> read_history(const std::string& path);
/// The epochs in a log.jsonl; a last line that a kill tore, or that is being written, is left out.
/// @throws DataError on a damaged line elsewhere
std::vector<EpochRecord> read_log(const std::string& path);

}  // namespace svrg::io
