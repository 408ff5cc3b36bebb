#pragma once
#include <string>

namespace svrg::io {

/// The next contents of a file, under a temporary name in its folder until commit() renames it;
/// gone again where it is not committed. Local.
class Replacement {
 public:
  /// Makes the empty temporary file. @throws OutputError
  explicit Replacement(const std::string& path);
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;
  ~Replacement();
  const std::string& temporary() const noexcept { return temporary_; }
  /// Syncs what is in the temporary file, renames it, syncs the folder. @throws OutputError
  void commit();

 private:
  std::string path_, folder_, temporary_;
  bool open_ = false;
};

}  // namespace svrg::io
