#pragma once
#include <string>
#include <string_view>

namespace svrg::app {

/// What makes the Tab key complete commands, options, their words and files; `shell` is bash, zsh
/// or fish.
std::string completion_script(std::string_view shell);

}  // namespace svrg::app
