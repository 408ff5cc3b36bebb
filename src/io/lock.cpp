// The kernel gives a flock back when its holder dies, so nothing stale is ever left.
#include "io/lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <string_view>
#include <system_error>
#include <thread>

#include "svrg/core/clock.hpp"
#include "svrg/core/error.hpp"

namespace svrg::io {
namespace {

std::string holder_text(int fd) {
  std::array<char, 256> text{};
  const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
  std::string_view line(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  line = line.substr(0, line.find('\n'));
  return line.empty() ? "another process" : std::string(line);
}

// The text is for people.
void sign(int fd, const std::string& path, const LogSink& log) {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) < 0) host[0] = '?';
  const std::string text = fmt::format("pid {} on host {}\n", ::getpid(), host.data());
  const bool done = ::ftruncate(fd, 0) == 0 && ::pwrite(fd, text.data(), text.size(), 0) >= 0;
  if (!done && log)
    log(LogLevel::warning,
        fmt::format("cannot write into {}: {}", path, std::generic_category().message(errno)));
}

}  // namespace

int take_lock(const std::string& path, const LogSink& log, double patience) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0)
    throw OutputError(
        fmt::format("cannot open {}: {}", path, std::generic_category().message(errno)));
  const double deadline = now() + patience;
  while (::flock(fd, LOCK_EX | LOCK_NB) < 0) {
    const int error = errno;
    if (error == EINTR) continue;
    if (error == EWOULDBLOCK && now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      continue;
    }
    if (error == ENOLCK || error == ENOTSUP || error == ENOSYS) {
      if (log)
        log(LogLevel::warning,
            fmt::format("{} cannot be locked ({}): see to it that no second job uses this folder",
                        path, std::generic_category().message(error)));
      return fd;
    }
    const std::string holder = holder_text(fd);
    ::close(fd);
    if (error == EWOULDBLOCK)
      throw InUseError(fmt::format("the run directory is in use: {} is held by {}", path, holder));
    throw OutputError(
        fmt::format("cannot lock {}: {}", path, std::generic_category().message(error)));
  }
  sign(fd, path, log);
  return fd;
}

}  // namespace svrg::io
