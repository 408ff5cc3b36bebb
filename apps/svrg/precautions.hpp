#pragma once
#include <optional>
#include <string>
#include <vector>

#include "model_choice.hpp"
#include "settings.hpp"
#include "svrg/comm/communicator.hpp"
#include "svrg/data/shard.hpp"
#include "svrg/model/linear_model.hpp"
#include "svrg/train/watchdog.hpp"

namespace svrg::app {

/// Whether the solver of these settings bounds the objective's error: what --tol-gap needs.
bool has_bound(const Settings& settings, const ModelChoice& choice);

/// Every rank reads its own environment and config file: they must say the same. Collective.
/// @throws CollectiveError (usage) naming the first line that differs.
void require_same_settings(const Communicator& comm, const Settings& settings);

/// What can be said to be wrong before anything is read: results in the way, an export that will
/// not do. Local. @throws ConfigError
void check_outputs(const Settings& settings, const ModelChoice& choice);

/// For a file that is made from another one, `in`: whether it may be written. Local.
/// @throws ConfigError if it exists without --overwrite, or is `in` itself
void require_replaceable(const Settings& settings, const std::string& path, const std::string& in);

/// Options that were given and mean nothing to the chosen algorithm: "--batch-size: …".
std::vector<std::string> ignored_options(const Settings& settings, const ModelChoice& choice);

/// `keeps`: there is a run directory.
WatchdogOptions watchdog_options(const Settings& settings, bool keeps, LogSink say);

/// Says when a run must come to its end: looks at the clock once a reduction and leaves room for
/// one more stretch as long as the longest so far, and on a SLURM job's own limit for a save.
class Deadline {
 public:
  explicit Deadline(const Settings& settings);
  bool is_near();

 private:
  double end_ = 0, longest_ = 0;
  std::optional<double> last_look_;  // loading is not a stretch
};

}  // namespace svrg::app
