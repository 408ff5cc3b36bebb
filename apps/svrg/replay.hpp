#pragma once
#include <string>
#include <vector>

#include "platform.hpp"
#include "svrg/core/schedule.hpp"

namespace svrg::app {

/// So many equal steps of a rank: own work, then a meeting.
struct PlannedStep {
  Index count = 0;
  Meeting meeting = Meeting::none;
  Index bytes = 0;
  double seconds = 0;  // of own work before each of the meetings
  bool operator==(const PlannedStep&) const = default;
};

/// What a rank of `ranks` does by a schedule that was written down on one of `recorded_on`: every
/// rank has an even share of the divided work, to a row. Steps with equal meetings are one step
/// with the mean of their work. Local.
std::vector<PlannedStep> plan_of(const Schedule& schedule, Index recorded_on, Index ranks);
/// Seconds of own work of a rank.
double own_seconds(const std::vector<PlannedStep>& plan);
/// Bytes that a rank hands in, and reductions.
Index bytes_of(const std::vector<PlannedStep>& plan);
Index messages_of(const std::vector<PlannedStep>& plan);

/// Seconds that a rank takes to add a byte of another's to its own, measured here. Local.
double seconds_of_adding_a_byte();

/// What a replay depends on beside plan and platform.
struct ReplayOptions {
  double adding = 0;      // seconds a byte of sums in allreduces, which SimGrid does not count
  Index rounds = 2;       // of equal steps that are simulated; the others take as long
  double seconds = 1200;  // that it may take here
};
/// Seconds from the start of a training to the end of its slowest rank, by SimGrid: allreduces by
/// recursive doubling up to 2 kB and by Rabenseifner's algorithm beyond, broadcasts by a binomial
/// tree and by scattering and gathering. Local.
/// @throws ConfigError where SimGrid is not there or refuses the platform, LimitError
double replayed_seconds(const std::vector<PlannedStep>& plan, const Platform& platform, Index ranks,
                        const ReplayOptions& options);

/// Why there is no simulation here; empty: there is. Local.
std::string missing_for_replays();

}  // namespace svrg::app
