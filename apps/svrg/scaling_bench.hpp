#pragma once
#include <string>
#include <vector>

#include "screen.hpp"
#include "settings.hpp"
#include "svrg/comm/communicator.hpp"
#include "svrg/io/scaling_file.hpp"

namespace svrg::app {

/// --ranks: "1,2,4", "1..64" for powers of two; by default the powers of two below `most`, and it.
/// Ascending. @throws ConfigError
std::vector<Index> ranks_asked_for(const Settings& settings, Index most);

/// The run directory that trainings have while they last, beside the study's file.
std::string training_folder(const std::string& out);

/// Trains by the options on so many of the ranks of `world`, --repeats times each, in turn; the
/// others sleep. The study is complete on root, elsewhere empty. Collective.
/// @throws CollectiveError as a training does
io::ScalingStudy measure_scaling(const Settings& settings, const Communicator& world,
                                 const std::vector<Index>& ranks, Screen& screen);

/// What the repeats on one number of ranks come to; ratios are medians over repeats of two
/// trainings next to each other, against the fewest ranks.
struct ScalingPoint {
  Index ranks = 0, epochs = 0;
  double train_seconds = 0, epoch_seconds = 0;  // medians
  double spread = 0;                            // (most − least)/median of train_seconds
  double rows_per_second = 0;
  double speedup = 1;           // of train_seconds; of weak scaling in rows a second of an epoch
  double efficiency = 1;        // speedup over the ratio of the ranks
  double epoch_efficiency = 1;  // the same of an epoch: chains that take more epochs do not count
  double communication = 0, waiting = 0;  // shares of train_seconds, of the mean rank
};
/// In the order of the study. Local.
std::vector<ScalingPoint> points_of(const io::ScalingStudy& study);

}  // namespace svrg::app
