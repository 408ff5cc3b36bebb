#pragma once
#include "svrg/comm/communicator.hpp"
#include "svrg/solver/cost_model.hpp"

namespace svrg::app {

/// What a rank does in a second while all of them do the same, measured by the loops that training
/// runs: about 10 seconds. Collective.
Rates measured_rates(const Communicator& comm);

}  // namespace svrg::app
