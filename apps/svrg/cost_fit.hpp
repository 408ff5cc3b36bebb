#pragma once
#include <span>
#include <vector>

#include "svrg/comm/communicator.hpp"
#include "svrg/io/scaling_file.hpp"

namespace svrg::app {

/// What a training, or anything that works and reduces, was made of and how long it took.
struct CostObservation {
  Index ranks = 1;
  double rows = 0;                 // visited, by all ranks together: rows x passes
  double messages = 0, bytes = 0;  // reductions, and bytes that a rank hands in to them
  double fixed = 0;                // seconds of work that does not depend on the ranks
  double seconds = 0;
};

/// By the formula of io::CostFit. Local.
double predicted_seconds(const io::CostFit& fit, const CostObservation& of);
/// The costs, none of them negative, with the least sum of squared relative errors. A cost that
/// these observations say nothing of is 0. Local.
io::CostFit fit_costs(std::span<const CostObservation> observations);

/// Short and long reductions on all of these ranks, the best of several times. Collective.
std::vector<CostObservation> timed_reductions(const Communicator& comm);
/// Of each number of ranks the median of its trainings. Local.
std::vector<CostObservation> observations_of(const io::ScalingStudy& study);

}  // namespace svrg::app
