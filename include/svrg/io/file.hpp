#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "svrg/core/types.hpp"

namespace svrg::io {

/// Replaces `path` by `bytes`, or leaves it as it was: temporary name in the same folder, write
/// loop, fsync, rename, fsync of the folder. Local; only root may call it for a given path.
/// @throws OutputError with errno's text; the temporary file is gone then.
void write_file(const std::string& path, std::span<const std::byte> bytes);
/// The same with text.
void write_file(const std::string& path, std::string_view text);

/// The whole file. @throws DataError if it is missing, unreadable, no regular file or above
/// `limit`.
std::vector<std::byte> read_file(const std::string& path, Index limit = Index{1} << 40);

/// Seal of reliability: a 512-byte user block ("SVRG-CHECKPOINT 1\nbytes N\nsha256 HEX\n", padded
/// with newlines) before the payload.
std::vector<std::byte> seal(std::span<const std::byte> payload);
inline constexpr std::size_t seal_size = 512;
/// Fills in the first 512 bytes, the seal of the rest: no second copy of a large file.
void write_seal(std::span<std::byte> file);
/// Whether the file begins like a sealed one.
bool is_sealed(std::span<const std::byte> file) noexcept;
/// The payload of a sealed file. @throws DataError saying what does not match.
std::span<const std::byte> unseal(std::span<const std::byte> file, const std::string& name);
/// For HDF5 files that every program must open unasked (run.h5, model.h5), which a user block would
/// hide from some: the same seal as 128 bytes of text ("SVRG-SEAL 1\n…") after the end, where HDF5
/// does not look. A program that adds to such a file overwrites it, and the file counts as not
/// sealed.
inline constexpr std::size_t trailer_size = 128;
/// Appends the seal of what is there.
void append_trailer(std::vector<std::byte>& image);
/// The file without its trailer, or all of it if there is none. @throws DataError if it is damaged.
std::span<const std::byte> check_trailer(std::span<const std::byte> file, const std::string& name);
/// 64 lower-case hex digits.
std::string sha256(std::span<const std::byte> bytes);

}  // namespace svrg::io
