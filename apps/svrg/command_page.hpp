#pragma once
#include <span>
#include <string_view>

#include "option_table.hpp"

namespace svrg::app {

/// What help says of a command beside its options. Adding a command is one page here and one entry
/// in main.cpp.
struct CommandPage {
  std::string_view name;
  Commands bit;
  std::string_view summary;
  std::string_view usage;  // "train [DATA] [-c run.toml] [options]"
  std::string_view
      positionals;  // names of options that may be given by place: "model-file|data-file"
  bool positionals_required;
  std::string_view about;     // a paragraph
  std::string_view examples;  // lines, as typed
};

std::span<const CommandPage> command_pages();
const CommandPage* find_command(std::string_view name);

}  // namespace svrg::app
