#include "data/shared_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "io/descriptor.hpp"
#include "io/replacement.hpp"
#include "svrg/core/error.hpp"

namespace svrg {

struct SharedFile::Impl {
  std::optional<io::Replacement> replacement;  // root's
  std::optional<io::Descriptor> fd;
};

SharedFile::SharedFile(const Communicator& comm, const std::string& path,
                       const std::function<void(const std::string&)>& make)
    : comm_(comm), path_(path), impl_(std::make_unique<Impl>()) {
  std::string temporary;
  comm_.agree("", [&] {
    if (!comm_.is_root()) return;
    impl_->replacement.emplace(path_);
    temporary = impl_->replacement->temporary();
    if (make) make(temporary);
  });
  temporary = comm_.broadcast(temporary);
  comm_.agree("", [&] {
    impl_->fd.emplace(::open(temporary.c_str(), O_WRONLY | O_CLOEXEC));
    if (*impl_->fd < 0)
      throw OutputError(fmt::format("cannot write {} on rank {}: {}; do all nodes see the folder?",
                                    path_, comm_.rank(), std::strerror(errno)));  // NOLINT
  });
}

SharedFile::~SharedFile() = default;

void SharedFile::write(Index at, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    constexpr std::size_t longest = std::size_t{1} << 30;
    const ssize_t written = ::pwrite(*impl_->fd, bytes.data(), std::min(bytes.size(), longest), at);
    if (written < 0 && errno == EINTR) continue;
    if (written == 0) errno = ENOSPC;  // else this loop would not end
    if (written <= 0)
      throw OutputError(fmt::format("cannot write {} ({} bytes at {}): {}", path_, bytes.size(), at,
                                    std::strerror(errno)));  // NOLINT(concurrency-mt-unsafe)
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    at += written;
  }
}

void SharedFile::close() {
  if (closed_) return;
  closed_ = true;
  comm_.agree("", [&] {
    if (::fsync(*impl_->fd) < 0 || impl_->fd->close() < 0)
      throw OutputError(fmt::format("cannot write {}: {}", path_, std::strerror(errno)));  // NOLINT
  });
}

void SharedFile::commit() {
  close();
  comm_.agree("", [&] {
    if (impl_->replacement) impl_->replacement->commit();
  });
}

}  // namespace svrg
