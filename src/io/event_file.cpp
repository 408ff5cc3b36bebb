// TensorBoard's files are TFRecords of Event messages (protobuf), of which a scalar needs six
// fields: little enough to write by hand. A record is its length, that length's checksum, the
// message and its checksum; numbers are little-endian, as this machine's are.
#include "svrg/io/event_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "io/descriptor.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/file.hpp"

namespace svrg::io {
namespace {

namespace fs = std::filesystem;
static_assert(std::endian::native == std::endian::little);

constexpr std::array<std::uint32_t, 256> crc_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82F63B78U : crc >> 1;
    table[i] = crc;
  }
  return table;
}();

// So that a checksum of bytes that hold checksums is none of their own.
std::uint32_t masked(std::uint32_t crc) { return (crc >> 15 | crc << 17) + 0xA282EAD8U; }

template <class T>
void put(std::string& to, T value) {
  std::array<char, sizeof(T)> bytes{};
  std::memcpy(bytes.data(), &value, sizeof value);
  to.append(bytes.data(), bytes.size());
}

template <class T>
T take(std::string_view from) {
  T value{};
  std::memcpy(&value, from.data(), sizeof value);
  return value;
}

// Protobuf: a key is the field's number and how its value is written.
enum class Wire { varint = 0, eight_bytes = 1, text = 2, four_bytes = 5 };

void put_varint(std::string& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) to += static_cast<char>(value | 0x80);
  to += static_cast<char>(value);
}

void put_key(std::string& to, unsigned field, Wire wire) {
  put_varint(to, field << 3 | static_cast<unsigned>(wire));
}

void put_text(std::string& to, unsigned field, std::string_view text) {
  put_key(to, field, Wire::text);
  put_varint(to, text.size());
  to += text;
}

// Event: wall_time = 1, step = 2. Others follow.
std::string event_at(std::optional<Index> step) {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  std::string event;
  put_key(event, 1, Wire::eight_bytes);
  put(event, std::chrono::duration<double>(since).count());
  if (step) {
    put_key(event, 2, Wire::varint);
    put_varint(event, static_cast<std::uint64_t>(*step));
  }
  return event;
}

constexpr std::size_t head = sizeof(std::uint64_t) + sizeof(std::uint32_t);
constexpr std::size_t tail = sizeof(std::uint32_t);

// The first whole record of the bytes, without its frame.
std::optional<std::string_view> first_record(std::string_view bytes) {
  if (bytes.size() < head + tail) return std::nullopt;
  const auto length = take<std::uint64_t>(bytes);
  if (take<std::uint32_t>(bytes.substr(sizeof length)) !=
          masked(crc32c(bytes.substr(0, sizeof length))) ||
      length > bytes.size() - head - tail)
    return std::nullopt;
  const std::string_view event = bytes.substr(head, length);
  if (take<std::uint32_t>(bytes.substr(head + length)) != masked(crc32c(event)))
    return std::nullopt;
  return event;
}

// Of an event as event_at() begins it; 0 where it has none, as the first of a file.
Index step_of(std::string_view event) {
  constexpr std::size_t time = 1 + sizeof(double);
  if (event.size() <= time || event[time] != 0x10) return 0;
  std::uint64_t step = 0;
  int shift = 0;
  for (const char c : event.substr(time + 1)) {
    step |= (static_cast<std::uint64_t>(c) & 0x7F) << shift;
    shift += 7;
    if ((c & 0x80) == 0 || shift > 63) break;
  }
  return static_cast<Index>(step);
}

[[noreturn]] void fail(const std::string& path, int error) {
  throw OutputError(
      fmt::format("cannot write {}: {}", path, std::generic_category().message(error)));
}

// Steps ascend within a file, so what is too late is its end. So is a record that a kill tore.
void cut(const std::string& path, Index last_step) {
  const auto file = read_file(path);
  const std::string_view bytes(reinterpret_cast<const char*>(file.data()), file.size());
  std::size_t kept = 0;
  while (const auto event = first_record(bytes.substr(kept))) {
    if (step_of(*event) > last_step) break;
    kept += head + event->size() + tail;
  }
  if (kept < bytes.size() && ::truncate(path.c_str(), static_cast<off_t>(kept)) < 0)
    fail(path, errno);
}

std::string host() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  for (const char c : bytes)
    crc = crc >> 8 ^ crc_table[(crc ^ static_cast<unsigned char>(c)) & 255];
  return ~crc;
}

EventFile::EventFile(const std::string& folder, Index resume_after) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw OutputError(fmt::format("cannot make {}: {}", folder, error.message()));
  std::vector<fs::path> earlier;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.path().filename().string().starts_with("events.out.tfevents."))
      earlier.push_back(entry.path());
  for (const fs::path& file : earlier)
    if (resume_after >= 0)
      cut(file.string(), resume_after);
    else if (!fs::remove(file, error) && error)
      throw OutputError(fmt::format("cannot remove {}: {}", file.string(), error.message()));
  // Readers take a folder's files in the order of their names.
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::system_clock::now().time_since_epoch());
  for (int number = 0; fd_ < 0; ++number) {
    path_ = fmt::format("{}/events.out.tfevents.{:010}.{}.{}.{}", folder, seconds.count(), host(),
                        ::getpid(), number);
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
    if (fd_ < 0 && errno != EEXIST) fail(path_, errno);
  }
  std::string event = event_at(std::nullopt);
  put_text(event, 3, "brain.Event:2");  // file_version
  append(event);
}

EventFile::~EventFile() {
  if (fd_ >= 0) ::close(fd_);
}

void EventFile::add(Index step, std::span<const Scalar> scalars) {
  std::string summary;
  for (const auto& [tag, number] : scalars) {
    if (!std::isfinite(number)) continue;
    std::string value;  // Summary.Value: tag = 1, simple_value = 2
    put_text(value, 1, tag);
    put_key(value, 2, Wire::four_bytes);
    put(value, static_cast<float>(number));
    put_text(summary, 1, value);
  }
  std::string event = event_at(step);
  put_text(event, 5, summary);
  append(event);
}

// A part of a record would hide all that follows: it is taken back.
void EventFile::append(const std::string& event) {
  std::string record;
  put(record, std::uint64_t{event.size()});
  put(record, masked(crc32c(record)));
  record += event;
  put(record, masked(crc32c(event)));
  struct stat before {};
  if (::fstat(fd_, &before) < 0) fail(path_, errno);
  const int error = write_whole(fd_, std::as_bytes(std::span(record)));
  if (error == 0) return;
  if (::ftruncate(fd_, before.st_size) < 0) ::close(std::exchange(fd_, -1));
  fail(path_, error);
}

}  // namespace svrg::io
