#pragma once
#include <string>
#include <vector>

#include "command_page.hpp"

namespace svrg::app {

/// One use of an option, in the order of the command line.
struct Given {
  const Option* option;
  std::string value;  // "true" or "false" of a flag
};

/// Splits the arguments behind the command's name. Values are not checked yet; -h and -V end the
/// reading, whatever else is there.
/// @throws ConfigError "unknown option '--lerning-rate'; did you mean '--learning-rate'?"
std::vector<Given> read_command_line(const CommandPage& page,
                                     const std::vector<std::string>& arguments);

}  // namespace svrg::app
