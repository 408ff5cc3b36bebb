#pragma once
#include <string>
#include <vector>

#include "platform.hpp"
#include "screen.hpp"
#include "settings.hpp"
#include "svrg/comm/communicator.hpp"
#include "svrg/io/scaling_file.hpp"

namespace svrg::app {

/// --simulate, checked with all that it depends on but the data. Local.
/// @throws ConfigError
std::vector<Platform> platforms_asked_for(const Settings& settings,
                                          const std::vector<Index>& ranks);

/// Trains on root as each of these numbers of ranks would, replays that on each platform, and adds
/// what comes out to the study, with the fit of its measured part and what that says of each
/// platform. Numbers beyond what rows or SimGrid allow are left out, which is said on the screen.
/// Collective. @throws CollectiveError
void simulate(const Settings& settings, const Communicator& world,
              const std::vector<Platform>& platforms, const std::vector<Index>& ranks,
              io::ScalingStudy& study, Screen& screen);

/// Where more ranks stop paying on one platform.
struct Payoff {
  std::string platform;
  Index fastest = 0;           // the ranks that train in the fewest seconds
  Index efficient = 0;         // the most ranks with half of an ideal speed-up
  bool all_efficient = false;  // the most that were simulated are
};
/// In the order of the platforms. Local.
std::vector<Payoff> payoffs_of(const io::ScalingStudy& study);
/// Speed-up over one rank of the same study, over the ranks. Local.
double efficiency_of(const io::ScalingStudy& study, const io::SimulatedRun& run);

}  // namespace svrg::app
