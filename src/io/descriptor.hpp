#pragma once
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <span>
#include <utility>

namespace svrg::io {

/// A file descriptor and its end.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  operator int() const noexcept { return fd_; }
  /// Closes now, for those who must know that it worked.
  int close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

/// Writes all, through interruptions and short writes. @return 0, or errno of what went wrong
inline int write_whole(int fd, std::span<const std::byte> bytes) noexcept {
  constexpr std::size_t longest_transfer = std::size_t{1} << 30;
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), std::min(bytes.size(), longest_transfer));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    if (written == 0) return ENOSPC;  // else this loop would not end
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace svrg::io
