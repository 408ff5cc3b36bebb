#pragma once
#include <optional>
#include <string>

#include "model_choice.hpp"
#include "placement.hpp"
#include "precautions.hpp"
#include "result_line.hpp"
#include "screen.hpp"
#include "settings.hpp"

namespace svrg::app {

/// What a training that is watched and kept runs in.
struct RunContext {
  const Settings& settings;
  const ModelChoice& choice;
  const Communicator& comm;
  Screen& screen;
  Deadline& deadline;
  Placement placement;
  std::string manifest;     // of the job
  double started = now();   // it, for the seconds in all
  bool own_folder = false;  // what the run directory holds belongs to this run
};

/// How it ended.
struct RunEnding {
  int code = 0;     // exit code
  Results results;  // for the last line; null after a dry run
};

/// Loads the rows, trains, keeps what there is to keep and says how it went: all of svrg train but
/// its last line. `start`: weights to start from in place of those of the options, which are good
/// enough not to count for --tol-grad. Collective. @throws CollectiveError
RunEnding run_training(const RunContext& run, const std::optional<Vec<double>>& start = {});

/// A sentence for options that were given and mean nothing, each a warning; advice on the
/// placement of ranks. Collective. @throws CollectiveError (usage)
void warn_of_options(const RunContext& run);

}  // namespace svrg::app
