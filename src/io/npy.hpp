#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "svrg/core/state.hpp"

namespace svrg::io {

/// The bytes of a .npy file, version 1.0, C order, of dtype <f8, <f4, <i8, <i4, |u1 or <U{n}.
/// @throws OutputError on text that is no UTF-8 or ends with NUL, which would not come back
std::vector<std::byte> to_npy(const Array& array, const std::string& name);
/// The array of such a file; |b1 comes as |u1 does.
/// @throws DataError (`name` is used in its message) on anything else
Array from_npy(std::span<const std::byte> file, const std::string& name);

}  // namespace svrg::io
