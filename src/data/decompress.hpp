#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace svrg {

/// gzip, bzip2, xz or zstd by the first bytes of a file?
bool is_compressed(std::string_view bytes);

/// "a.svm.gz" → "a.svm".
std::string without_compression_suffix(const std::string& path);

/// Unpacks a whole file, with all streams that it is made of, as gzip, bzip2, xz and zstd do;
/// `sink` takes the pieces in order. Local.
/// @param path  for messages
/// @throws DataError where the file is damaged or ends too early
void decompress(std::string_view bytes, const std::string& path,
                const std::function<void(std::string_view)>& sink);

}  // namespace svrg
