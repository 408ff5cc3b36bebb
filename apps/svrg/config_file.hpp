#pragma once
#include <string>
#include <string_view>

#include "settings.hpp"

namespace svrg::app {

/// Adds the settings of a TOML file.
/// @throws ConfigError "run.toml:7:1: unknown key 'epoch' in [train]; did you mean 'epochs'?"
void read_config_file(Settings& settings, const std::string& path);

/// The same from text, such as what Settings::to_toml() gave; `name` stands for the file in errors.
void read_config_text(Settings& settings, std::string_view toml, const std::string& name);

/// Settings from what Settings::to_toml() gave: of a checkpoint, or of rank 0.
Settings settings_from_toml(std::string_view toml, const std::string& name);

}  // namespace svrg::app
