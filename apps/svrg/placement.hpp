#pragma once
#include <string>
#include <vector>

#include "svrg/comm/communicator.hpp"

namespace svrg::app {

/// Where a job runs, and on how many cores its launcher lets it.
struct Placement {
  int ranks = 1, threads = 1;  // threads of each rank
  Index hosts = 1;
  Index least_cores = 1, most_cores = 1;  // that a rank may use

  /// "4 ranks x 2 threads on 2 hosts".
  std::string text() const;
  /// What to change where threads have to share cores; else empty.
  std::string advice() const;
};

/// Collective.
Placement placement_of(const Communicator& comm, int threads);
/// The host of each rank. Collective.
std::vector<std::string> hosts_of(const Communicator& comm);
/// Cores that the ranks of this one's node may use together. Collective.
Index cores_of_node(const Communicator& comm);

}  // namespace svrg::app
