#pragma once
#include <span>
#include <string>
#include <string_view>

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
/// "N", "auto|FILE|no": what stands behind the flag; empty if nothing does.
std::string value_name(const Option& option);
/// Headings of options, in the order of the help.
std::span<const std::string_view> option_groups();

struct ExitMeaning {
  int code;
  std::string_view meaning;
};
std::span<const ExitMeaning> exit_meanings();

}  // namespace svrg::app
