#include "placement.hpp"

#include <fmt/format.h>

#include "svrg/core/parallel.hpp"

namespace svrg::app {

std::string Placement::text() const {
  const std::string each = threads > 1 ? fmt::format(" x {} threads", threads) : "";
  const std::string where = hosts > 1 ? fmt::format(" on {} hosts", hosts) : "";
  return fmt::format("{} rank{}{}{}", ranks, ranks == 1 ? "" : "s", each, where);
}

std::string Placement::advice() const {
  if (threads <= least_cores) return {};
  return fmt::format(
      "--threads {}: a rank is bound to {} core{}, so its threads take turns; bind it to more by "
      "mpirun --map-by slot:PE={} or srun --cpus-per-task={}, or use more ranks",
      threads, least_cores, least_cores == 1 ? "" : "s", threads, threads);
}

Placement placement_of(const Communicator& comm, int threads) {
  Placement p;
  p.ranks = comm.size();
  p.threads = threads;
  const Index cores = cores_allowed();
  p.most_cores = comm.max(cores);
  p.least_cores = -comm.max(-cores);
  p.hosts = comm.sum(Index{comm.node().is_root() ? 1 : 0});
  return p;
}

}  // namespace svrg::app
