#pragma once
#include <string>

#include "svrg/data/nd_array.hpp"

namespace svrg {

/// An IDX file (MNIST's format): bytes or floats, as floats; bytes are 0 to 255. Local.
/// @throws DataError naming the file where it is missing, compressed, of another type, or not as
///         long as its shape says
NDArray read_idx(const std::string& path);

}  // namespace svrg
