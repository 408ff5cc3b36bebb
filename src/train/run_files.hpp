// Root's side of a run directory: checkpoints, the record of epochs, the lock. Local.
#pragma once
#include <memory>
#include <string>

#include "svrg/core/clock.hpp"
#include "svrg/io/checkpoint.hpp"
#include "svrg/io/event_file.hpp"
#include "svrg/io/run_record.hpp"

namespace svrg {

std::string host_name();

struct RunFiles {
  /// Takes the lock. Unless they belong to the run (`keeps`), results that are there are removed
  /// (`overwrite`) or refused. @throws InUseError, ConfigError, OutputError
  RunFiles(const std::string& folder, int keep, bool keeps, bool overwrite, const LogSink& log);
  /// Writes config.toml and manifest.json.
  void describe(const std::string& config, const std::string& manifest) const;
  /// `hosts` has a line a rank. Lines of epochs after `resumed_epoch` are dropped; −1: a new
  /// record.
  void open_record(const std::string& hosts, Index resumed_epoch);
  /// Likewise TensorBoard's files, in tb/.
  void open_events(Index resumed_epoch);
  /// Appends to log.jsonl and the events; makes run.h5 anew if the last one is older than ten
  /// seconds.
  void append(const io::EpochRecord& line, const std::string& config, const std::string& manifest);
  void finish(const std::string& config, const std::string& manifest, const io::RunEnd& end);
  /// @return false if the write failed and may be tried again.
  /// @throws OutputError if it failed for the third time in a row, or was the last.
  bool save(const State& state, bool last, const LogSink& log);

  std::string folder;
  io::CheckpointStore store;
  std::unique_ptr<io::RunRecord> record;
  std::unique_ptr<io::EventFile> events;

 private:
  double written_at_ = now();
  int failures_ = 0;
};

}  // namespace svrg
