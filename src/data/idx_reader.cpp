#include "svrg/data/idx_reader.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <filesystem>

#include "data/decompress.hpp"
#include "data/idx_file.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/file.hpp"

namespace svrg {
namespace {

// Numbers are big-endian.
std::uint32_t number(std::span<const std::byte> bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = value << 8 | std::to_integer<std::uint32_t>(bytes[at + i]);
  return value;
}

}  // namespace

IdxFile::IdxFile(const std::string& path, Index most) {
  std::vector<std::byte> bytes = io::read_file(path);
  const auto fail = [&](const std::string& what) { throw DataError(path + ": " + what); };
  const std::string_view packed(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (is_compressed(packed)) {
    std::vector<std::byte> unpacked;
    decompress(packed, path, [&](std::string_view piece) {
      const auto values = std::as_bytes(std::span(piece));
      if (most > 0 && static_cast<Index>(unpacked.size() + values.size()) > most)
        throw LimitError(fmt::format("{}: more than {:.0f} MiB, all that --max-memory allows", path,
                                     static_cast<double>(most) / (1 << 20)));
      unpacked.insert(unpacked.end(), values.begin(), values.end());
    });
    bytes = std::move(unpacked);
  }
  // The magic: two zeros, the type, the number of axes.
  constexpr std::uint32_t byte_type = 0x08, float_type = 0x0D;
  if (bytes.size() < 4 || number(bytes, 0) >> 16 != 0)
    fail("not an IDX file: it must begin with two zero bytes");
  const std::uint32_t type = number(bytes, 0) >> 8, axes = number(bytes, 0) & 0xFF;
  if (type != byte_type && type != float_type)
    fail(fmt::format("IDX type 0x{:02X}; only bytes (0x08) and floats (0x0D) are read", type));
  const std::size_t header = 4 + 4 * std::size_t{axes};
  if (axes == 0 || bytes.size() < header) fail("the file ends inside its shape");

  const std::size_t width = type == byte_type ? 1 : 4;
  const std::size_t held = (bytes.size() - header) / width;
  std::string text;
  std::size_t size = 1;  // never above `held`
  for (std::size_t a = 0; a < axes; ++a) {
    const std::size_t extent = number(bytes, 4 + 4 * a);
    if (extent == 0) fail("holds no values");
    size = size <= held / extent ? size * extent : 0;
    shape.push_back(static_cast<Index>(extent));
    text += (text.empty() ? "" : " x ") + std::to_string(extent);
  }
  if (size != held || size == 0 || (bytes.size() - header) % width != 0)
    fail(fmt::format("the shape {} does not fit the {} bytes that follow", text,
                     bytes.size() - header));
  is_bytes = type == byte_type;
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(header));
  raw = std::move(bytes);
}

float IdxFile::value(std::size_t at) const {
  return is_bytes ? static_cast<float>(std::to_integer<std::uint8_t>(raw[at]))
                  : std::bit_cast<float>(number(raw, 4 * at));
}

bool is_idx(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename().string();
  return name.find("idx") != std::string::npos && name.find("-images") != std::string::npos;
}

std::string labels_beside(const std::string& images) {
  const std::filesystem::path path(images);
  std::string name = path.filename().string();
  for (const auto& [from, to] : {std::pair("images", "labels"), std::pair("idx3", "idx1")})
    if (const auto at = name.find(from); at != std::string::npos)
      name.replace(at, std::string_view(from).size(), to);
  return (path.parent_path() / name).string();
}

NDArray read_idx(const std::string& path) {
  const IdxFile file(path);
  std::vector<float> values(file.is_bytes ? file.raw.size() : file.raw.size() / 4);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = file.value(i);
  return {file.shape, std::move(values)};
}

}  // namespace svrg
