// A file is replaced whole or not at all: written under a temporary name, synced, renamed, and the
// folder synced, each step checked, because the last error of a full or failing disk may come at
// any of them.
#include "svrg/io/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <new>
#include <system_error>

#include "io/descriptor.hpp"
#include "io/replacement.hpp"
#include "svrg/core/error.hpp"

namespace svrg::io {
namespace {

constexpr std::size_t longest_transfer = std::size_t{1} << 30;

std::string errno_text() { return std::generic_category().message(errno); }

[[noreturn]] void fail_write(const char* step, const std::string& path, std::size_t bytes) {
  throw OutputError(
      fmt::format("cannot write {} ({} bytes): {}: {}", path, bytes, step, errno_text()));
}

void write_all(int fd, std::span<const std::byte> bytes, const std::string& path) {
  errno = write_whole(fd, bytes);
  if (errno != 0) fail_write("write", path, bytes.size());
}

// Some network file systems cannot sync a folder; they have nothing to sync then.
void sync_folder(const std::string& folder, const std::string& path, std::size_t bytes) {
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd < 0) fail_write("open its folder", path, bytes);
  if (::fsync(fd) < 0 && errno != EINVAL && errno != ENOTSUP)
    fail_write("sync its folder", path, bytes);
}

}  // namespace

Replacement::Replacement(const std::string& path) : path_(path) {
  const std::filesystem::path target(path);
  if (!target.has_filename()) throw OutputError("cannot write '" + path + "': it names no file");
  folder_ = target.has_parent_path() ? target.parent_path().string() : ".";
  temporary_ = folder_ + "/." + target.filename().string() + ".tmp";
  Descriptor fd(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (fd < 0) fail_write("open", path_, 0);
  open_ = true;
}

Replacement::~Replacement() {
  if (open_) ::unlink(temporary_.c_str());
}

void Replacement::commit() {
  struct stat status {};
  Descriptor fd(::open(temporary_.c_str(), O_WRONLY | O_CLOEXEC));
  if (fd < 0 || ::fstat(fd, &status) < 0) fail_write("open", path_, 0);
  const auto bytes = static_cast<std::size_t>(status.st_size);
  if (::fsync(fd) < 0) fail_write("sync", path_, bytes);
  if (fd.close() < 0) fail_write("close", path_, bytes);
  if (::rename(temporary_.c_str(), path_.c_str()) < 0) fail_write("rename", path_, bytes);
  open_ = false;
  sync_folder(folder_, path_, bytes);
}

void write_file(const std::string& path, std::span<const std::byte> bytes) {
  const std::filesystem::path target(path);
  std::error_code ignored;
  if (std::filesystem::exists(target, ignored) &&
      !std::filesystem::is_regular_file(target, ignored)) {
    // A pipe or device is written into: it must not become a file.
    Descriptor into(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (into < 0) fail_write("open", path, bytes.size());
    write_all(into, bytes, path);
    if (into.close() < 0) fail_write("close", path, bytes.size());
    return;
  }
  Replacement replacement(path);
  Descriptor fd(::open(replacement.temporary().c_str(), O_WRONLY | O_CLOEXEC));
  if (fd < 0) fail_write("open", path, bytes.size());
  write_all(fd, bytes, path);
  if (fd.close() < 0) fail_write("close", path, bytes.size());
  replacement.commit();
}

void write_file(const std::string& path, std::string_view text) {
  write_file(path, std::as_bytes(std::span(text)));
}

std::vector<std::byte> read_file(const std::string& path, Index limit) {
  const auto fail = [&](const std::string& why) {
    throw DataError("cannot read " + path + ": " + why);
  };
  // Without O_NONBLOCK a pipe of that name would wait for its writer.
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (fd < 0 || ::fstat(fd, &status) < 0) fail(errno_text());
  if (!S_ISREG(status.st_mode)) fail("it is no regular file");
  if (status.st_size > limit)
    fail(fmt::format("it has {} bytes, above the limit of {}", status.st_size, limit));
  std::vector<std::byte> bytes;
  try {
    bytes.resize(static_cast<std::size_t>(status.st_size));
  } catch (const std::bad_alloc&) {
    throw LimitError(
        fmt::format("cannot read {}: no memory for its {} bytes", path, status.st_size));
  }
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t got =
        ::read(fd, bytes.data() + done, std::min(bytes.size() - done, longest_transfer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(errno_text());
    if (got == 0) fail(fmt::format("it ends after {} of {} bytes", done, bytes.size()));
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace svrg::io
