#pragma once
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "svrg/data/nd_array.hpp"

namespace svrg {

/// What an MXNet .params or .nd file holds: arrays in order, with as many names ("arg:fc1_weight")
/// or none at all.
struct NDArrayList {
  std::vector<std::string> names{};
  std::vector<NDArray> arrays{};

  /// @throws DataError naming the array that is not there.
  const NDArray& at(std::string_view name) const;
};

/// Reads the layouts of MXNet 0.x to 1.9. float16, bfloat16, bytes and bools become float; double
/// and whole numbers double (those above 2^53 are rounded); CSR stays CSR; row_sparse becomes
/// dense; an array without a shape becomes an empty one. Local.
/// @throws DataError naming `source`, the array and what is wrong. Nothing is allocated that the
///         bytes do not account for, but row_sparse and empty CSR arrays of up to 2^28 values or
///         rows.
NDArrayList parse_ndarrays(std::span<const std::byte> bytes, const std::string& source);
/// The bytes that MXNet 1.9 would write for float and double arrays, dense or CSR.
/// @throws ConfigError where there are names, but not one for each array.
std::vector<std::byte> format_ndarrays(const NDArrayList& list);

/// The same with files. Local; a file is replaced whole or not at all.
/// @throws DataError if it cannot be read, OutputError if not written
NDArrayList load_ndarrays(const std::string& path);
/// Likewise to a file.
void save_ndarrays(const std::string& path, const NDArrayList& list);

/// The parameters of a checkpoint: names begin "arg:" or "aux:" in its file, not here.
struct CheckpointParams {
  std::map<std::string, NDArray> arg, aux;
};
/// PREFIX-0001.params. @throws DataError for a name of neither kind
CheckpointParams load_params(const std::string& prefix, Index epoch);
/// Likewise writes it.
void save_params(const std::string& prefix, Index epoch, const std::map<std::string, NDArray>& arg,
                 const std::map<std::string, NDArray>& aux);
/// "PREFIX-0001.params"
std::string params_path(const std::string& prefix, Index epoch);

}  // namespace svrg
