#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "svrg/core/types.hpp"

namespace svrg::io {

/// A named value of an epoch.
using Scalar = std::pair<std::string, double>;

/// Scalars as TensorBoard reads them: a file of its own in `folder`, appended to once a step and
/// never changed. Local; root only.
class EventFile {
 public:
  /// Makes the folder and a new file in it. What earlier files there hold of steps after
  /// `resume_after` is cut off, so that no step is there twice; −1: all of it. @throws OutputError
  EventFile(const std::string& folder, Index resume_after);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  /// Appends the values of one step in one write, those that are no number left out.
  /// @throws OutputError
  void add(Index step, std::span<const Scalar> scalars);
  const std::string& path() const noexcept { return path_; }

 private:
  void append(const std::string& event);

  std::string path_;
  int fd_ = -1;
};

/// CRC-32C (Castagnoli) of the bytes.
std::uint32_t crc32c(std::string_view bytes);

}  // namespace svrg::io
