#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "svrg/core/log.hpp"
#include "svrg/core/state.hpp"

namespace svrg::io {

/// The folder checkpoints/ of a run directory and its lock. Local: root alone makes one, inside
/// Communicator::agree. Files: step-000000000123.h5, sealed; `last.h5` and `best.h5` are links for
/// people and are never read.
class CheckpointStore {
 public:
  /// Makes the folder, takes LOCK (flock, retried for `patience` seconds) and removes stale
  /// temporary files. @throws InUseError naming the holder's pid and host; OutputError.
  CheckpointStore(std::string folder, int keep, LogSink log, double patience = 10);
  ~CheckpointStore();
  CheckpointStore(const CheckpointStore&) = delete;
  CheckpointStore& operator=(const CheckpointStore&) = delete;

  /// Writes one checkpoint whole, sealed and synced, renames it into place, points last.h5 at it
  /// and removes the oldest beyond `keep` (at least 1), but never the best, nor the one resumed
  /// from before a newer one is safe. @return its path. @throws OutputError; older ones stay.
  std::string save(Index step, const State& state);
  /// Points best.h5 at the checkpoint of that step; takes the link away where there is none. What
  /// it points at is not pruned. A failure is logged.
  void mark_best(Index step);
  /// The newest valid checkpoint; corrupt ones are logged and renamed to .bad. Nothing if there are
  /// none.
  /// @throws DataError if some are there (or were, and are .bad now) but none is valid, or if the
  /// newest valid one is of a version that this program does not read.
  std::optional<State> newest();
  /// Takes what was written after `step` out of the way (renamed to .old), for a run that goes back
  /// to it: newest() must not find the abandoned branch. @throws OutputError
  void abandon_after(Index step);
  /// The file that the last save() or newest() touched.
  const std::string& current() const noexcept { return current_; }

 private:
  void prune(Index saved);
  std::string folder_, current_, resumed_;
  int keep_, lock_ = -1;
  LogSink log_;
};

/// One checkpoint file, sealed. @throws DataError
State read_checkpoint(const std::string& path);
/// The image of a checkpoint before sealing. State arrays are datasets at their own paths; values
/// without a slash are attributes of /state, except `config` and `manifest` (string datasets) and
/// the model's `kind`, `intercept`, `n_features`, `l2` … (attributes of the root, as in a model
/// file); values with one ("solver/eta") are attributes of that group.
/// @throws OutputError on a name that would not come back ("state/x") or text with a NUL byte
std::vector<std::byte> checkpoint_image(const State& state);

/// And back. `name` is used in errors. @throws DataError
State state_of_payload(std::span<const std::byte> payload, const std::string& name);

}  // namespace svrg::io
