#include "svrg/core/memory.hpp"

#include <fstream>
#include <string>

namespace svrg {

Index peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return Index{std::stoll(line.substr(6))} * 1024;
  return 0;
}

}  // namespace svrg
