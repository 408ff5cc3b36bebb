#pragma once
#include <string>
#include <string_view>

#include "option_table.hpp"

namespace svrg::app {

/// The one spelling that a value is kept and recorded in: "1e-4" and "0.0001" are the same setting.
/// @param place  who is blamed: "--epochs", "SVRG_EPOCHS", "run.toml:3:10: epochs"
/// @throws ConfigError "place: must be at least 1, got -4"
std::string checked_value(const Option& option, std::string_view text, std::string_view place);

}  // namespace svrg::app
