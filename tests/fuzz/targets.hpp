#pragma once
#include <cstddef>
#include <span>
#include <string_view>

namespace svrg::fuzz {

/// A reader, given bytes as a stranger's file may hold them. It may refuse them by an Error and by
/// nothing else, and what it takes must fulfil the laws that its target checks. @throws others, and
/// std::logic_error naming the law
struct Target {
  std::string_view name;
  void (*read)(std::span<const std::byte> bytes);
};

void read_svmlight(std::span<const std::byte> bytes);
void read_csv(std::span<const std::byte> bytes);
void unpack(std::span<const std::byte> bytes);
void read_idx(std::span<const std::byte> bytes);
void read_npz(std::span<const std::byte> bytes);
void read_json(std::span<const std::byte> bytes);
void read_liblinear(std::span<const std::byte> bytes);
void read_seal(std::span<const std::byte> bytes);
void read_document(std::span<const std::byte> bytes);
void read_config(std::span<const std::byte> bytes);
void read_symbol(std::span<const std::byte> bytes);
void read_params(std::span<const std::byte> bytes);

inline constexpr Target targets[] = {{"svmlight", read_svmlight},
                                     {"csv", read_csv},
                                     {"unpack", unpack},
                                     {"idx", read_idx},
                                     {"npz", read_npz},
                                     {"json", read_json},
                                     {"liblinear", read_liblinear},
                                     {"seal", read_seal},
                                     {"document", read_document},
                                     {"config", read_config},
                                     {"symbol", read_symbol},
                                     {"params", read_params}};

/// What a reader that is given bytes by path finds there.
class MemoryFile {
 public:
  explicit MemoryFile(std::span<const std::byte> bytes);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  const char* path() const { return path_; }

 private:
  char path_[32] = "/dev/shm/svrg-fuzz-XXXXXX";
};

/// @throws std::logic_error where a law does not hold
void expect(bool holds, const char* law);

}  // namespace svrg::fuzz
