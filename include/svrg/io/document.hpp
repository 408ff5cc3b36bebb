#pragma once
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "svrg/core/state.hpp"

namespace svrg::io {

using Attribute =
    std::variant<std::int64_t, double, std::string, std::vector<std::string>, std::vector<double>,
                 std::vector<std::int64_t>, std::vector<std::uint8_t>>;
using Attributes = std::map<std::string, Attribute>;

/// One dataset of an HDF5 file. `axes` names the dimension scale of each axis ("epoch", "feature");
/// a variable of that name in the same group or above becomes the scale itself, otherwise a netCDF
/// dimension without a variable is made ("This is a netCDF dimension but not a netCDF variable")
/// there unless one of that name and length is already above. An axis without a name, or no axes at
/// all, is named by its length: "size_7". A scalar has none.
struct Variable {
  Array data;
  std::vector<std::string> axes;
  std::string long_name, units;  // empty: the path in words, "1"
  Attributes attributes;
  /// Chunks of 256 along the first axis (fewer where rows are long), which is unlimited; shuffle,
  /// deflate, fletcher32 (not for strings, whose text lies elsewhere). Written only: readers see
  /// false.
  bool compressed = false;
  /// Only its place is made, contiguous, for others to fill (to_file): `data` has the shape and an
  /// empty vector of the type.
  bool reserved = false;
};

/// What an HDF5 file of ours holds, as a value: the only thing that is ever turned into HDF5.
struct Document {
  Attributes attributes;                      // of the root
  std::map<std::string, Attributes> groups;   // by path; groups of variables need no entry
  std::map<std::string, Variable> variables;  // by path, "history/epoch"
};

/// The root attributes every file has: format ("svrg-model"), format_version "1.0",
/// required_features, Conventions, title, creator, created, uuid.
Attributes root_attributes(const std::string& format, const std::string& title);

/// The bytes of an HDF5 file that holds `document`, built in memory (HDF5 never sees the disk).
/// @param user_block  so many zero bytes come first (0, 512, 1024, …), and the HDF5 file knows of
/// them Local. @throws OutputError
std::vector<std::byte> to_image(const Document& document, std::size_t user_block = 0);
/// Writes the HDF5 file `path` straight to the disk; where in it the values of each reserved
/// variable belong, in bytes. Little-endian, row-major. Local. @throws OutputError
std::map<std::string, Index> to_file(const Document& document, const std::string& path);
/// The document of an image, its user block taken off or not. Bare netCDF dimensions are not
/// variables. Local. @throws DataError (`name` is used in its message) on anything that is not a
/// regular HDF5 file of datasets of the types of Array (other integer and float types are widened);
/// objects of other types are refused, links other than hard ones and filters other than ours too.
/// Attributes of other types are left out. Sizes are checked before anything is allocated, but
/// HDF5 1.10 itself crashes on some damaged files (its global heap, where text lies, is read
/// unchecked): a seal (file.hpp) is to be checked first, where there is one.
Document from_image(std::span<const std::byte> image, const std::string& name);

/// Checks `format` and the major of `format_version`, and that required_features is known.
/// @throws DataError naming both versions.
void expect_format(const Document& document, const std::string& format, const std::string& name);

}  // namespace svrg::io
