#include "data/text_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "data/number_parse.hpp"
#include "svrg/core/error.hpp"

namespace svrg::text {
namespace {

constexpr std::size_t block_bytes = std::size_t{256} << 10;

class Descriptor {
 public:
  explicit Descriptor(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
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
  throw DataError(fmt::format("cannot open {}: {}", path, std::strerror(error)));
}

// Kinds of files that are often given by mistake, by their first bytes.
void refuse_other_kinds(const std::string& path, std::string_view text) {
  using namespace std::string_view_literals;
  constexpr std::pair<std::string_view, const char*> kinds[] = {
      {"\x1f\x8b"sv, "compressed; unpack it first (gunzip)"},
      {"BZh"sv, "compressed; unpack it first (bunzip2)"},
      {"\xfd"
       "7zXZ"sv,
       "compressed; unpack it first (unxz)"},
      {"\x28\xb5\x2f\xfd"sv, "compressed; unpack it first (unzstd)"},
      {"PK\x03\x04"sv, "a zip archive; unpack it first"},
      {"\x89HDF\r\n"sv, "an HDF5 file, not text"},
      {"\xff\xfe"sv, "UTF-16 text; convert it to UTF-8 (iconv)"},
      {"\xfe\xff"sv, "UTF-16 text; convert it to UTF-8 (iconv)"}};
  for (const auto& [magic, what] : kinds)
    if (text.starts_with(magic)) throw DataError(fmt::format("{}: {}", path, what));
}

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

}  // namespace

TextFile::TextFile(const std::string& path) {
  const Descriptor file(path);
  if (file.get() < 0) cannot_open(path, errno);
  struct stat status {};
  if (fstat(file.get(), &status) != 0) cannot_open(path, errno);
  if (S_ISDIR(status.st_mode)) cannot_open(path, EISDIR);
  if (!S_ISREG(status.st_mode))
    throw DataError(
        fmt::format("cannot open {}: not a regular file; write it to disk first", path));
  if (status.st_size == 0) return;
  size_ = static_cast<std::size_t>(status.st_size);
  void* map = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (map == MAP_FAILED) cannot_open(path, errno);
  data_ = static_cast<const char*>(map);
  madvise(map, size_, MADV_SEQUENTIAL);  // advice only: a refusal does no harm
  try {
    refuse_other_kinds(path, {data_, size_});
  } catch (...) {
    munmap(map, size_);
    throw;
  }
  if (std::string_view(data_, size_).starts_with("\xEF\xBB\xBF")) mark_ = 3;
}

TextFile::~TextFile() {
  if (data_ != nullptr) munmap(const_cast<char*>(data_), size_);
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
