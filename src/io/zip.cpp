// As little of zip as .npz needs. The directory at the end is what readers go by, numpy's included:
// numpy's local headers leave their sizes to a zip64 field even in small archives.
#include "io/zip.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <set>

#include "svrg/core/error.hpp"

namespace svrg::io {
namespace {

constexpr std::uint32_t local_mark = 0x04034b50, central_mark = 0x02014b50, end_mark = 0x06054b50,
                        zip64_mark = 0x07064b50;
constexpr std::size_t local_size = 30, central_size = 46, end_size = 22, zip64_size = 20,
                      longest_comment = 0xffff, deflate_ratio = 1032,
                      always_unpacked = std::size_t{1} << 30;
constexpr unsigned stored = 0, deflated = 8;
// Deflate's level, sizes behind the data, names in UTF-8: flags that change nothing here.
constexpr unsigned known_flags = 0x0002 | 0x0004 | 0x0008 | 0x0800;
constexpr unsigned first_day = 1 << 5 | 1;  // 1980-01-01: no time makes the file another

std::uint32_t checksum(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

class Writer {
 public:
  explicit Writer(std::vector<std::byte>& out) : out_(out) {}
  Writer& u16(std::size_t value) { return put(value, 2); }
  Writer& u32(std::size_t value) { return put(value, 4); }
  void text(const std::string& text) {
    const auto bytes = std::as_bytes(std::span(text));
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }

 private:
  Writer& put(std::size_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out_.push_back(std::byte(value >> (8 * i) & 0xff));
    return *this;
  }
  std::vector<std::byte>& out_;
};

struct Entry {
  std::string name;
  unsigned method = stored;
  std::uint32_t crc = 0;
  std::size_t packed = 0, size = 0, local = 0, begin = 0;  // begin: of the packed bytes
};

class Reader {
 public:
  Reader(std::span<const std::byte> file, const std::string& name) : file_(file), name_(name) {}

  std::vector<ZipEntry> read() {
    const std::vector<Entry> entries = directory();
    std::vector<ZipEntry> result;
    result.reserve(entries.size());
    for (const Entry& entry : entries) result.push_back({entry.name, unpacked(entry)});
    return result;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(name_ + ": a damaged or unknown zip archive: " + what);
  }
  std::size_t number(std::size_t at, std::size_t bytes) const {
    std::size_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i)
      value |= std::to_integer<std::size_t>(file_[at + i]) << (8 * i);
    return value;
  }
  std::size_t u16(std::size_t at) const { return number(at, 2); }
  std::size_t u32(std::size_t at) const { return number(at, 4); }
  std::string text(std::size_t at, std::size_t length) const {
    return {reinterpret_cast<const char*>(file_.data()) + at, length};
  }

  std::size_t find_end() const {
    if (file_.size() < end_size) fail("it ends too early");
    const std::size_t last = file_.size() - end_size;
    for (std::size_t back = 0; back <= std::min(last, longest_comment); ++back)
      if (u32(last - back) == end_mark && u16(last - back + end_size - 2) == back)
        return last - back;
    fail("it has no directory at its end; it may be cut off");
  }

  std::vector<Entry> directory() {
    const std::size_t end = find_end();
    const std::size_t count = u16(end + 10), size = u32(end + 12), begin = u32(end + 16);
    if ((end >= zip64_size && u32(end - zip64_size) == zip64_mark) || count == 0xffff ||
        size == 0xffffffff || begin == 0xffffffff)
      throw DataError(name_ + ": zip64 archives (above 4 GiB) are not read; use .h5");
    if (u16(end + 4) != 0 || u16(end + 6) != 0 || u16(end + 8) != count)
      fail("it is a part of a set");
    if (begin > end || size != end - begin) fail("its directory is not where it should be");
    std::vector<Entry> entries;
    std::size_t at = begin;
    for (std::size_t i = 0; i < count; ++i) {
      if (end - at < central_size || u32(at) != central_mark) fail("its directory is broken");
      const std::size_t length = u16(at + 28),
                        all = central_size + length + u16(at + 30) + u16(at + 32);
      if (end - at < all) fail("its directory is broken");
      entries.push_back(entry_at(at, length, begin));
      at += all;
    }
    if (at != end) fail("its directory is longer than its entries");
    check_together(entries);
    return entries;
  }

  Entry entry_at(std::size_t at, std::size_t length, std::size_t limit) const {
    Entry entry;
    entry.name = text(at + central_size, length);
    const auto refuse = [&](const std::string& why) {
      fail(fmt::format("{}: {}", entry.name, why));
    };
    if ((u16(at + 8) & ~known_flags) != 0) refuse("encrypted, or of a kind that is not known");
    entry.method = static_cast<unsigned>(u16(at + 10));
    entry.crc = static_cast<std::uint32_t>(u32(at + 16));
    entry.packed = u32(at + 20);
    entry.size = u32(at + 24);
    entry.local = u32(at + 42);
    if (entry.packed == 0xffffffff || entry.size == 0xffffffff || entry.local == 0xffffffff)
      throw DataError(name_ + ": zip64 archives (above 4 GiB) are not read; use .h5");
    if (entry.method != stored && entry.method != deflated)
      refuse(
          fmt::format("compression method {} is not known; stored and deflated are", entry.method));
    if (u16(at + 34) != 0 || entry.local > limit || limit - entry.local < local_size ||
        u32(entry.local) != local_mark)
      refuse("it is not where the directory says");
    const std::size_t own_length = u16(entry.local + 26);
    entry.begin = entry.local + local_size + own_length + u16(entry.local + 28);
    if (entry.begin > limit || limit - entry.begin < entry.packed) refuse("it is cut off");
    // No checksum guards the names: that there are two of each does.
    if (text(entry.local + local_size, own_length) != entry.name ||
        u16(entry.local + 8) != entry.method)
      refuse("the directory says otherwise than the entry itself");
    if (entry.method == stored ? entry.size != entry.packed
                               : entry.size / deflate_ratio > entry.packed)
      refuse("its sizes cannot be");
    return entry;
  }

  void check_together(const std::vector<Entry>& entries) const {
    std::vector<std::pair<std::size_t, std::size_t>> places;
    std::set<std::string> names;
    std::size_t total = 0;
    for (const Entry& entry : entries) {
      if (!names.insert(entry.name).second) fail(entry.name + " is there twice");
      places.emplace_back(entry.local, entry.begin + entry.packed);
      total += entry.size;
    }
    std::ranges::sort(places);
    for (std::size_t i = 1; i < places.size(); ++i)
      if (places[i].first < places[i - 1].second) fail("its entries overlap");
    if (total > std::max(always_unpacked, 16 * file_.size()))
      throw DataError(
          fmt::format("{}: {} bytes would unpack to {}; use .h5", name_, file_.size(), total));
  }

  std::vector<std::byte> unpacked(const Entry& entry) const {
    const auto packed = file_.subspan(entry.begin, entry.packed);
    std::vector<std::byte> bytes = entry.method == stored
                                       ? std::vector<std::byte>(packed.begin(), packed.end())
                                       : inflated(entry, packed);
    if (bytes.size() != entry.size || checksum(bytes) != entry.crc)
      fail(entry.name + ": its checksum does not match");
    return bytes;
  }

  // Memory grows with what comes out, not with what the directory promises.
  std::vector<std::byte> inflated(const Entry& entry, std::span<const std::byte> packed) const {
    z_stream stream = {};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
      throw LimitError(name_ + ": no memory to unpack");
    const struct End {
      z_stream* stream;
      ~End() { inflateEnd(stream); }
    } end{&stream};
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data()));  // NOLINT
    stream.avail_in = static_cast<uInt>(packed.size());
    std::vector<std::byte> bytes;
    for (int status = Z_OK; status != Z_STREAM_END;) {
      const std::size_t done = bytes.size();
      // One byte more than promised: a longer stream shows.
      const std::size_t room = std::min(entry.size + 1 - done, std::max<std::size_t>(4096, done));
      if (room == 0) fail(entry.name + ": it is longer than the directory says");
      bytes.resize(done + room);
      stream.next_out = reinterpret_cast<Bytef*>(bytes.data() + done);
      stream.avail_out = static_cast<uInt>(room);
      status = inflate(&stream, Z_NO_FLUSH);
      bytes.resize(done + room - stream.avail_out);
      if (status != Z_STREAM_END && (status != Z_OK || stream.avail_out != 0))
        fail(entry.name + ": what is packed is damaged");
    }
    return bytes;
  }

  std::span<const std::byte> file_;
  const std::string& name_;
};

}  // namespace

std::vector<std::byte> to_zip(std::span<const ZipEntry> entries) {
  std::size_t total = end_size;
  for (const ZipEntry& entry : entries)
    total += entry.bytes.size() + 2 * entry.name.size() + local_size + central_size;
  if (total >= std::numeric_limits<std::uint32_t>::max() || entries.size() >= 0xffff)
    throw OutputError("too large for a zip archive (4 GiB, 65534 entries); use .h5");
  std::vector<std::byte> out, directory;
  out.reserve(total);
  const auto describe = [](Writer& to, const ZipEntry& entry) {
    to.u16(20).u16(0x0800).u16(stored).u16(0).u16(first_day).u32(checksum(entry.bytes));
    to.u32(entry.bytes.size()).u32(entry.bytes.size()).u16(entry.name.size()).u16(0);
  };
  for (const ZipEntry& entry : entries) {
    if (entry.name.size() > 0xffff) throw OutputError("a name is too long for a zip archive");
    Writer head(directory);
    head.u32(central_mark).u16(20);
    describe(head, entry);
    head.u16(0).u16(0).u16(0).u32(0).u32(out.size()).text(entry.name);
    Writer local(out);
    local.u32(local_mark);
    describe(local, entry);
    local.text(entry.name);
    out.insert(out.end(), entry.bytes.begin(), entry.bytes.end());
  }
  const std::size_t begin = out.size();
  out.insert(out.end(), directory.begin(), directory.end());
  Writer(out)
      .u32(end_mark)
      .u16(0)
      .u16(0)
      .u16(entries.size())
      .u16(entries.size())
      .u32(directory.size())
      .u32(begin)
      .u16(0);
  return out;
}

std::vector<ZipEntry> from_zip(std::span<const std::byte> file, const std::string& name) {
  return Reader(file, name).read();
}

}  // namespace svrg::io
