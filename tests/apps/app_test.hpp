#pragma once
#include <string>
#include <vector>

#include "config_file.hpp"
#include "invocation.hpp"
#include "svrg/core/error.hpp"

namespace svrg::app::testing {

/// What `svrg ARGUMENTS` would do, with this environment ("SVRG_EPOCHS=3", …).
inline Invocation invoke(const std::vector<std::string>& arguments,
                         const std::vector<std::string>& environment = {}) {
  std::vector<const char*> pointers;
  for (const auto& entry : environment) pointers.push_back(entry.c_str());
  pointers.push_back(nullptr);
  return read_invocation(arguments, pointers.data());
}

inline Settings settings_of(const std::vector<std::string>& arguments,
                            const std::vector<std::string>& environment = {}) {
  return invoke(arguments, environment).settings;
}

/// What stands behind "svrg: error: ", or "no error".
template <class Action>
std::string error_of(Action&& action) {
  try {
    action();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

inline std::string error_of_line(const std::vector<std::string>& arguments,
                                 const std::vector<std::string>& environment = {}) {
  return error_of([&] { invoke(arguments, environment); });
}

inline std::string error_of_file(const std::string& toml) {
  return error_of([&] { settings_from_toml(toml, "run.toml"); });
}

}  // namespace svrg::app::testing
