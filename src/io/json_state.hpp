#pragma once
#include <string>
#include <string_view>

#include "svrg/core/state.hpp"

namespace svrg::io {

/// A state as JSON text: {"format": …, "format_version": "1.0", "values": {name: value},
/// "arrays": {path: {"shape": […], "data": […]}}}, data in row-major order. Numbers come back to
/// the bit, but their width does not: arrays come back as of doubles, 64-bit integers or texts.
/// @throws OutputError on NaN and infinity, which JSON does not have, and on text that is no UTF-8
std::string to_json(const State& state, const std::string& format);
/// The inverse. @throws DataError (`name` is used in its message)
State from_json(std::string_view text, const std::string& format, const std::string& name);

}  // namespace svrg::io
