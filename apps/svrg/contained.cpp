#include "contained.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <new>

#include "svrg/core/error.hpp"

namespace svrg::app {
namespace {

// One thread is there yet. NOLINTBEGIN(concurrency-mt-unsafe)

void bound(int resource, rlim_t value) {
  rlimit limit{};
  getrlimit(static_cast<__rlimit_resource>(resource), &limit);
  limit.rlim_cur = std::min(limit.rlim_max, value);
  setrlimit(static_cast<__rlimit_resource>(resource), &limit);
}

void bound_this_process(const Bounds& bounds) {
  bound(RLIMIT_CORE, 0);
  bound(RLIMIT_CPU, static_cast<rlim_t>(bounds.seconds));
#ifndef __SANITIZE_ADDRESS__  // which reserves more than any bound
  std::ifstream statm("/proc/self/statm");
  rlim_t pages = 0;
  if (statm >> pages)
    bound(RLIMIT_AS,
          pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + static_cast<rlim_t>(bounds.bytes));
#endif
}

}  // namespace

int contained(const std::string& path, const Bounds& bounds, const std::function<int()>& body) {
  std::fflush(nullptr);  // NOLINT(cert-err33-c): or the child would write it once more
  const pid_t child = fork();
  if (child < 0) throw LimitError(fmt::format("cannot start a process: {}", std::strerror(errno)));
  if (child == 0) {
    bound_this_process(bounds);
    try {
      return body();
    } catch (const std::bad_alloc&) {
      throw LimitError(fmt::format("{}: takes more than {} MiB to read; is it damaged?", path,
                                   bounds.bytes >> 20));
    }
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) throw Error(ExitCode::internal, std::strerror(errno));
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  const int number = WTERMSIG(status);
  if (number == SIGXCPU)
    throw DataError(fmt::format("{}: not read within {} s; it is damaged", path, bounds.seconds));
  if (number == SIGINT || number == SIGTERM || number == SIGKILL) return 128 + number;
  throw DataError(
      fmt::format("{}: HDF5 crashes on it ({}); it is damaged", path, strsignal(number)));
}

// NOLINTEND(concurrency-mt-unsafe)

}  // namespace svrg::app
