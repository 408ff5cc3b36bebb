#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "svrg/core/state.hpp"

namespace svrg::io {

/// A state as numpy's .npz: arrays under their paths ("params/linear/weight"), values as arrays
/// without axes; beside them `format` and `format_version`, texts.
/// @throws OutputError on names or values that would not come back
std::vector<std::byte> to_npz(const State& state, const std::string& format);
/// The inverse, also of what numpy.savez wrote with the same names: there `format` may be missing.
/// @throws DataError (`name` is used in its message)
State from_npz(std::span<const std::byte> file, const std::string& format, const std::string& name);

}  // namespace svrg::io
