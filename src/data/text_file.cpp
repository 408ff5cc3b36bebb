#include "data/text_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "data/decompress.hpp"
#include "data/number_parse.hpp"
#include "svrg/core/error.hpp"

namespace svrg::text {
namespace {

constexpr std::size_t block_bytes = std::size_t{256} << 10;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void cannot_open(const std::string& path, int error) {
  throw DataError(fmt::format("cannot open {}: {}", path, std::generic_category().message(error)));
}

// Kinds of files that are often given by mistake, by their first bytes.
void refuse_other_kinds(const std::string& path, std::string_view text) {
  using namespace std::string_view_literals;
  constexpr std::pair<std::string_view, const char*> kinds[] = {
      {"PK\x03\x04"sv, "a zip archive; unpack it first"},
      {"\x89HDF\r\n"sv, "an HDF5 file, not text"},
      {"\xff\xfe"sv, "UTF-16 text; convert it to UTF-8 (iconv)"},
      {"\xfe\xff"sv, "UTF-16 text; convert it to UTF-8 (iconv)"}};
  for (const auto& [magic, what] : kinds)
    if (text.starts_with(magic)) throw DataError(fmt::format("{}: {}", path, what));
}

void write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == ENOSPC || errno == ENOMEM))
      throw LimitError(path + ": no memory is left to unpack it; unpack it to disk");
    if (count < 0) cannot_open(path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

}  // namespace

TextFile::TextFile(const std::string& path) : path_(path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) cannot_open(path, errno);
  struct stat status {};
  if (fstat(file.get(), &status) != 0) cannot_open(path, errno);
  if (S_ISDIR(status.st_mode)) cannot_open(path, EISDIR);
  if (!S_ISREG(status.st_mode))
    throw DataError(
        fmt::format("cannot open {}: not a regular file; write it to disk first", path));
  map(file.get(), static_cast<std::size_t>(status.st_size), MAP_PRIVATE);
}

TextFile::~TextFile() { unmap(); }

void TextFile::unmap() noexcept {
  if (data_ != nullptr) munmap(const_cast<char*>(data_), size_);
  data_ = nullptr;
  size_ = mark_ = 0;
}

void TextFile::map(int descriptor, std::size_t size, int kind) {
  unmap();
  if (size == 0) return;
  void* start = mmap(nullptr, size, PROT_READ, kind, descriptor, 0);
  if (start == MAP_FAILED) cannot_open(path_, errno);
  data_ = static_cast<const char*>(start);
  size_ = size;
  madvise(start, size_, MADV_SEQUENTIAL);  // advice only: a refusal does no harm
  try {
    refuse_other_kinds(path_, {data_, size_});
  } catch (...) {
    unmap();
    throw;
  }
  if (std::string_view(data_, size_).starts_with("\xEF\xBB\xBF")) mark_ = 3;
}

bool TextFile::compressed() const noexcept { return is_compressed({data_, size_}); }

void TextFile::unpack(const Communicator& comm, Index most) {
  const Communicator node = comm.node();
  std::optional<Descriptor> memory;
  enum { process, descriptor, bytes, device, file, fields };
  std::array<Index, fields> place{};
  const auto look = [&](struct stat& status) { return fstat(memory->get(), &status) == 0; };
  const auto fill = [&](Index limit) {
    memory.emplace(memfd_create("svrg-text", MFD_CLOEXEC));
    if (memory->get() < 0) cannot_open(path_, errno);
    Index size = 0;
    decompress({data_, size_}, path_, [&](std::string_view piece) {
      size += static_cast<Index>(piece.size());
      if (limit > 0 && size > limit)
        throw LimitError(
            fmt::format("{}: it unpacks to more than the {:.0f} MiB that --max-memory leaves; "
                        "unpack it to disk",
                        path_, static_cast<double>(limit) / (1 << 20)));
      write_all(memory->get(), piece, path_);
    });
    struct stat status {};
    if (!look(status)) cannot_open(path_, errno);
    place = {Index{getpid()}, Index{memory->get()}, size, static_cast<Index>(status.st_dev),
             static_cast<Index>(status.st_ino)};
  };
  comm.agree("", [&] {
    if (node.is_root()) fill(most * node.size());
  });
  node.broadcast(std::span<Index>(place));
  comm.agree("", [&] {
    unpacked_ = place[bytes] / node.size();
    if (!node.is_root()) {
      // Ranks in containers of their own do not see each other's processes: what is found under
      // the number may be none, or somebody else's.
      const auto name = fmt::format("/proc/{}/fd/{}", place[process], place[descriptor]);
      memory.emplace(open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
      struct stat found {};
      if (memory->get() < 0 || !look(found) || static_cast<Index>(found.st_dev) != place[device] ||
          static_cast<Index>(found.st_ino) != place[file] || found.st_size != place[bytes]) {
        fill(most);
        unpacked_ = place[bytes];
      }
    }
    map(memory->get(), static_cast<std::size_t>(place[bytes]), MAP_SHARED);
    if (compressed()) throw DataError(path_ + ": compressed twice; unpack it once");
  });
}

std::string_view TextFile::text() const noexcept { return {data_ + mark_, size_ - mark_}; }

std::string_view part_of_lines(std::string_view text, int rank, int ranks) {
  const auto line_start = [&](int r) {
    const std::size_t whole = static_cast<std::size_t>(r), parts = static_cast<std::size_t>(ranks);
    const std::size_t at = text.size() / parts * whole + text.size() % parts * whole / parts;
    if (at == 0 || at >= text.size()) return std::min(at, text.size());
    const std::size_t end = text.find('\n', at - 1);
    return end == std::string_view::npos ? text.size() : end + 1;
  };
  const std::size_t begin = line_start(rank);
  return text.substr(begin, line_start(rank + 1) - begin);
}

std::string_view Blocks::next() {
  if (forgotten_ == nullptr) forgotten_ = rest_.data();
  std::size_t end = rest_.substr(0, block_bytes).rfind('\n');
  if (end == std::string_view::npos) end = rest_.find('\n');
  // The end of the lines may be that of the mapping: it is copied, with room behind it.
  if (end == std::string_view::npos || rest_.size() - (end + 1) < readable_behind) {
    last_.reserve(rest_.size() + 1 + readable_behind);
    last_ = rest_;
    if (last_.back() != '\n') last_.push_back('\n');
    const std::size_t size = last_.size();
    last_.append(readable_behind, '\n');
    rest_.remove_prefix(rest_.size());
    return std::string_view(last_).substr(0, size);
  }
  const std::string_view block = rest_.substr(0, end + 1);
  rest_.remove_prefix(end + 1);
  return block;
}

void Blocks::forget_read() {
  if (forgotten_ == nullptr) return;
  const auto up = [](const char* p) {
    const auto page = page_size();
    return p + (page - reinterpret_cast<std::uintptr_t>(p) % page) % page;
  };
  const char *from = up(forgotten_), *to = rest_.data();
  to -= reinterpret_cast<std::uintptr_t>(to) % page_size();
  if (from >= to) return;
  madvise(const_cast<char*>(from), static_cast<std::size_t>(to - from), MADV_DONTNEED);
  forgotten_ = to;
}

}  // namespace svrg::text
