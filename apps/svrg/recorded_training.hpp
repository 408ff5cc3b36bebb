#pragma once
#include "settings.hpp"
#include "svrg/comm/communicator.hpp"
#include "svrg/core/schedule.hpp"

namespace svrg::app {

/// A training, written down.
struct RecordedTraining {
  Index ranks = 0;        // that it stands for
  Index recorded_on = 0;  // ranks that made it
  Index rows = 0, epochs = 0;
  double passes = 0;
  bool converged = false;
  Schedule schedule;
};

/// Trains by the options, on the ranks of `comm`, as `ranks` ranks would: by as many chains, or in
/// batches cut for as many. 0: as the ranks that there are. The seconds of each step are the median
/// of those of `repeats` equal trainings. Collective. @throws CollectiveError as a training does
RecordedTraining record_training(const Settings& settings, const Communicator& comm, Index ranks,
                                 Index repeats = 1);

}  // namespace svrg::app
