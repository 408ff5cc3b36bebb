#pragma once
#include <string>

#include "command_page.hpp"

namespace svrg::app {

/// `svrg --help`: the commands.
std::string general_help();
/// `svrg train --help`: usage, what it does, options by group with defaults, examples, exit codes.
std::string command_help(const CommandPage& page);
/// "svrg 0.1.0".
std::string version_line();

/// True if the help names it "MODEL" and not by its flag.
bool only_by_place(const Option& option);

}  // namespace svrg::app
