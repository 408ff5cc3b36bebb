#pragma once
#include <string>
#include <vector>

#include "svrg/comm/communicator.hpp"
#include "svrg/data/shard.hpp"

namespace svrg {

/// A file of MNIST's IDX format, unpacked where it is compressed, its values as they are stored.
struct IdxFile {
  /// @param most  bytes it may take unpacked; 0: no limit
  /// @throws DataError, LimitError "PATH: …". Local.
  explicit IdxFile(const std::string& path, Index most = 0);
  float value(std::size_t at) const;

  std::vector<Index> shape;
  std::vector<std::byte> raw;
  bool is_bytes = true;  // else big-endian floats
};

/// Whether a name is one of IDX images: "…idx…" and "…-images…"; and the name of their labels, the
/// same one where it does not say "images".
bool is_idx(const std::string& path);
std::string labels_beside(const std::string& images);

/// write_data for IDX. Collective.
void write_idx(const Communicator& comm, const Shard& shard, const std::string& path);

}  // namespace svrg
