#include "system_memory.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>

namespace svrg::app {

Index default_max_memory() {
  std::ifstream info("/proc/meminfo");
  Index available = 0;
  for (std::string name, unit; info >> name;) {
    Index amount = 0;
    if (!(info >> amount)) break;
    std::getline(info, unit);
    if (name == "MemAvailable:") available = amount * 1024;
  }
  if (available == 0) return std::numeric_limits<Index>::max();
  Index ranks = 1;
  for (const char* variable : {"OMPI_COMM_WORLD_LOCAL_SIZE", "SLURM_NTASKS_PER_NODE"}) {
    // Nothing sets variables while this runs. NOLINTNEXTLINE(concurrency-mt-unsafe)
    if (const char* text = std::getenv(variable)) {
      std::from_chars(text, text + std::strlen(text), ranks);
      ranks = std::max<Index>(1, ranks);
      break;
    }
  }
  return available / 5 * 4 / ranks;
}

Index memory_now() {
  std::ifstream statm("/proc/self/statm");  // pages: all, resident, …
  Index all = 0, resident = 0;
  statm >> all >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

}  // namespace svrg::app
