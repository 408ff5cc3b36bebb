#pragma once
#include <string>
#include <string_view>

#include "svrg/core/types.hpp"

namespace svrg::text {

/// No line may be longer: a file without line ends is no text file.
inline constexpr Index longest_line = Index{64} << 20;

/// A file mapped into memory for one sequential reading.
class TextFile {
 public:
  /// @throws DataError "cannot open PATH: reason", or if it is compressed or HDF5. Local.
  explicit TextFile(const std::string& path);
  ~TextFile();
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;

  /// The whole text, without a byte order mark.
  std::string_view text() const noexcept;

 private:
  const char* data_ = nullptr;
  std::size_t size_ = 0, mark_ = 0;
};

/// Part r of P of a text: whole lines, each in exactly one part. May be empty.
std::string_view part_of_lines(std::string_view text, int rank, int ranks);

/// Cuts whole lines into blocks that end in '\n', the last one too, so that a parser needs no other
/// bound than the line end; behind each, `readable_behind` bytes may be read.
class Blocks {
 public:
  explicit Blocks(std::string_view lines) : rest_(lines) {}
  bool empty() const noexcept { return rest_.empty(); }
  /// At most about 256 KiB, which stays in the cache; more only where a single line has more.
  /// Valid until the next call.
  std::string_view next();
  /// Tells the system that what next() has returned so far will not be read again.
  void forget_read();

 private:
  std::string_view rest_;
  const char* forgotten_ = nullptr;
  std::string last_;
};

}  // namespace svrg::text
