#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace svrg::io {

/// One file in a zip archive.
struct ZipEntry {
  std::string name;
  std::vector<std::byte> bytes;
};

/// An archive of stored (not compressed) entries; the same entries make the same bytes.
/// @throws OutputError where they do not fit the format without zip64: 4 GiB, 65,534 entries
std::vector<std::byte> to_zip(std::span<const ZipEntry> entries);
/// The entries of an archive, stored or deflated, in its order. Every offset, size and checksum is
/// compared before it is believed; what unpacks to more than 1 GiB and 16 times the file is
/// refused.
/// @throws DataError (`name` is used in its message), also on zip64, encryption and parts of a set
std::vector<ZipEntry> from_zip(std::span<const std::byte> file, const std::string& name);

}  // namespace svrg::io
