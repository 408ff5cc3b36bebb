#pragma once
#include "settings.hpp"

namespace svrg::app {

/// Adds the settings of SVRG_* variables ("SVRG_EPOCHS=40"); warns of those that name no option.
/// @param environment  null-terminated, such as ::environ
/// @throws ConfigError "SVRG_EPOCHS: must be at least 1, got -4"
void read_environment(Settings& settings, const char* const* environment);

}  // namespace svrg::app
