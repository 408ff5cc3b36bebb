#pragma once
#include <string_view>
#include <vector>

namespace svrg {

/// The vector instructions that the loops of linear models use: "avx512", "avx2" or "plain". The
/// best this machine has, unless told otherwise. Results agree to rounding, not to the bit. Local.
std::string_view instruction_set();
/// Those that this machine has and this build knows, best first. Local.
std::vector<std::string_view> instruction_sets();
/// From now on the one of that name; not while a model computes. Local.
/// @throws ConfigError if it is not one of instruction_sets()
void use_instruction_set(std::string_view name);

}  // namespace svrg
