#pragma once
#include <string>

namespace svrg::app {

/// JSON Schema (draft 2020-12) of the config file, for editors and checkers: keys, types, ranges,
/// words and defaults. What depends on data or on other sources only the program itself can check.
std::string config_schema();

}  // namespace svrg::app
