#pragma once
#include <string>
#include <string_view>

#include "svrg/comm/communicator.hpp"
#include "svrg/core/types.hpp"

namespace svrg::text {

/// No line may be longer: a file without line ends is no text file.
inline constexpr Index longest_line = Index{64} << 20;

/// A file mapped into memory for one sequential reading.
class TextFile {
 public:
  /// @throws DataError "cannot open PATH: reason", or if it is no text. Local.
  explicit TextFile(const std::string& path);
  ~TextFile();
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;

  bool compressed() const noexcept;
  /// This rank's share of the memory that unpack() took.
  Index unpacked_bytes() const noexcept { return unpacked_; }
  /// Puts what a compressed file holds in its place: one rank of a node unpacks it into memory that
  /// the others see. Collective over all ranks that read the file.
  /// @param most  bytes that a rank may take for its share of it; 0: no limit
  /// @throws CollectiveError (data), (limit)
  void unpack(const Communicator& comm, Index most);

  /// The whole text, without a byte order mark.
  std::string_view text() const noexcept;

 private:
  void map(int descriptor, std::size_t size, int kind);
  void unmap() noexcept;
  std::string path_;
  const char* data_ = nullptr;
  std::size_t size_ = 0, mark_ = 0;
  Index unpacked_ = 0;
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
