#pragma once
#include <string>
#include <vector>

#include "command_page.hpp"
#include "settings.hpp"

namespace svrg::app {

/// What the shell asked for.
struct Invocation {
  const CommandPage* page = nullptr;  // null: the program itself
  bool help = false, version = false;
  Settings settings;  // of all sources, checked
};

/// Reads command line, config file and environment. Starts no MPI.
/// @param arguments    without the program's name
/// @param environment  null-terminated, such as ::environ
/// @throws ConfigError
Invocation read_invocation(const std::vector<std::string>& arguments,
                           const char* const* environment);

}  // namespace svrg::app
