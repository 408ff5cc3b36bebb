#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "svrg/core/state.hpp"

namespace svrg::io {

inline constexpr const char* checkpoint_format = "svrg-checkpoint";

/// The whole file of a checkpoint, sealed.
std::vector<std::byte> checkpoint_file(const State& state);
/// The state in what the seal guards. @throws DataError
State state_of_payload(std::span<const std::byte> payload, const std::string& name);

}  // namespace svrg::io
