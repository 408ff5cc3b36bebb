#include "invocation.hpp"

#include <fmt/format.h>

#include "assignment.hpp"
#include "command_line.hpp"
#include "config_file.hpp"
#include "environment_settings.hpp"
#include "svrg/core/error.hpp"
#include "svrg/core/suggest.hpp"
#include "text.hpp"

namespace svrg::app {
namespace {

const CommandPage* command_named(const std::string& name) {
  if (const CommandPage* page = find_command(name)) return page;
  std::vector<std::string> known;
  for (const auto& page : command_pages()) known.emplace_back(page.name);
  if (name.starts_with('-'))
    throw ConfigError(
        fmt::format("the command comes first, got '{}'; one of {}", name, join(known, ", ")));
  throw ConfigError(fmt::format("unknown command '{}'{}", name, did_you_mean(name, known)));
}

// "--epochs"; of what is usually given by place, "MODEL".
std::string shown_name(const Option& option) {
  const bool by_place = option.section.empty() && !option.positional.empty();
  return by_place ? std::string(option.positional) : fmt::format("--{}", option.flag);
}

void check_required(const CommandPage& page, const Settings& settings) {
  if (page.positionals_required) {
    for (const auto& name : split(page.positionals, '|'))
      if (!settings.has(name))
        throw ConfigError(fmt::format("{} is missing; usage: svrg {}",
                                      find_option(name)->positional, page.usage));
  }
  if ((page.bit & (command::train | command::tune)) != 0 && !settings.has("train"))
    throw ConfigError("no training data; give DATA, or train = \"FILE\" in [data] of the config");
  if (page.bit == command::config && !settings.has("action"))
    throw ConfigError(fmt::format("ACTION is missing; usage: svrg {}", page.usage));
}

// What `svrg config` makes from the option table alone is had in any environment, wrong ones too.
bool needs_no_settings(const Settings& settings) {
  return settings.has("action") && !settings.is("action", "show") &&
         !settings.is("action", "check");
}

}  // namespace

Invocation read_invocation(const std::vector<std::string>& arguments,
                           const char* const* environment) {
  Invocation invocation;
  if (arguments.empty()) throw ConfigError("no command; 'svrg --help' lists them");
  const std::string& first = arguments.front();
  if (first == "-V" || first == "--version") {
    invocation.version = true;
    return invocation;
  }
  if (first == "-h" || first == "--help" || first == "help") {
    invocation.help = true;
    if (arguments.size() > 1 && first == "help") invocation.page = command_named(arguments[1]);
    return invocation;
  }
  invocation.page = command_named(first);
  const auto line = read_command_line(*invocation.page, {arguments.begin() + 1, arguments.end()});
  for (const Given& given : line) {
    if (given.option->flag == "help") invocation.help = true;
    if (given.option->flag == "version") invocation.version = true;
  }
  if (invocation.help || invocation.version) return invocation;

  // The order does not matter to the result, since Settings keeps the higher source; it decides
  // which of several errors is told: the nearest to the user's fingers.
  Settings& settings = invocation.settings;
  for (const Given& given : line) {
    if (given.option->flag == "set") {
      apply_assignment(settings, given.value);
    } else if (given.option->repeats && settings.given(name_of(*given.option))) {
      settings.set(*given.option, settings.text(name_of(*given.option)) + '\n' + given.value,
                   Source::command_line, shown_name(*given.option));
    } else {
      settings.set(*given.option, given.value, Source::command_line, shown_name(*given.option));
    }
  }
  if (needs_no_settings(settings)) return invocation;
  read_environment(settings, environment);
  if (settings.has("config")) read_config_file(settings, settings.text("config"));
  settings.settle();
  check_required(*invocation.page, settings);
  return invocation;
}

}  // namespace svrg::app
