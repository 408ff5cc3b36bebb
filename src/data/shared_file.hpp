#pragma once
#include <memory>
#include <span>
#include <string>

#include "svrg/comm/communicator.hpp"

namespace svrg {

/// A file that all ranks write, each its own bytes, and that appears under its name whole or not at
/// all: root makes it under a temporary name, and renames it when all are through.
class SharedFile {
 public:
  /// Collective. `make` gets the temporary name on root, before others open it.
  /// @throws CollectiveError (output)
  SharedFile(const Communicator& comm, const std::string& path,
             const std::function<void(const std::string&)>& make = {});
  ~SharedFile();
  /// Local. @throws OutputError
  void write(Index at, std::span<const std::byte> bytes);
  template <class T>
  void write(Index at, std::span<const T> values) {
    write(at, std::as_bytes(values));
  }
  /// Ends the writing: all is on the disk then. Collective.
  void close();
  /// Closes where that is not done, and gives the file its name. Collective.
  void commit();

 private:
  struct Impl;
  Communicator comm_;
  std::string path_;
  std::unique_ptr<Impl> impl_;
  bool closed_ = false;
};

}  // namespace svrg
