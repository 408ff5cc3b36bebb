#include "placement.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

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

std::vector<std::string> hosts_of(const Communicator& comm) {
  std::array<char, 256> name{};  // ends in a zero whatever the name's length
  ::gethostname(name.data(), name.size() - 1);
  const auto all = comm.gather<std::byte>(std::as_bytes(std::span(name)));
  std::vector<std::string> hosts;
  for (std::size_t at = 0; at < all.size(); at += name.size())
    hosts.emplace_back(reinterpret_cast<const char*>(&all[at]));
  return hosts;
}

Index cores_of_node(const Communicator& comm) {
  cpu_set_t mine;
  CPU_ZERO(&mine);
  ::sched_getaffinity(0, sizeof mine, &mine);
  const auto all = comm.node().gather<std::byte>(std::as_bytes(std::span(&mine, 1)));
  cpu_set_t together;
  CPU_ZERO(&together);
  for (std::size_t at = 0; at < all.size(); at += sizeof mine) {
    std::memcpy(&mine, &all[at], sizeof mine);
    CPU_OR(&together, &together, &mine);
  }
  return std::max(1, CPU_COUNT(&together));
}

}  // namespace svrg::app
