#pragma once
#include <string>
#include <string_view>

#include "option_table.hpp"

namespace svrg::app {

/// A TOML basic string, quoted and escaped.
std::string toml_string(std::string_view text);
/// A checked value in the TOML type that the config file takes for this option.
std::string toml_value(const Option& option, std::string_view text);
/// A config file with every key, its help as a comment, and its default: for `svrg config init`.
std::string commented_toml();

}  // namespace svrg::app
