// The only source that sees CLI11. It splits the line; checks, messages and precedence are ours,
// since CLI11 knows neither the other sources of a setting nor our wording.
#include "command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "svrg/core/error.hpp"
#include "svrg/core/suggest.hpp"
#include "text.hpp"

namespace svrg::app {
namespace {

struct Target {
  const Option* option;
  std::string fixed;  // of an off flag: the value it stands for
};
using Targets = std::map<const CLI::Option*, Target>;

void add_option(CLI::App& app, const Option& option, Targets& targets) {
  std::string names = fmt::format("--{}", option.flag);
  if (!option.short_flag.empty()) names = fmt::format("-{},{}", option.short_flag, names);
  if (option.type == Type::flag) {
    targets[app.add_flag(names)] = {&option, {}};
  } else {
    auto* added = app.add_option(names);
    targets[added->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)] = {&option, {}};
  }
  if (!option.off_flag.empty())
    targets[app.add_flag(fmt::format("--{}", option.off_flag))] = {&option, "no"};
}

const Option* by_flag(std::string_view flag) {
  for (const Option& option : option_table())
    if (flag == fmt::format("--{}", option.flag)) return &option;
  return nullptr;
}

[[noreturn]] void refuse_option(const CommandPage& page, const std::string& argument) {
  const std::string flag = argument.substr(0, argument.find('='));
  std::vector<std::string> known, elsewhere;
  for (const Option& option : option_table()) {
    if ((option.commands & page.bit) == 0) continue;
    known.push_back(fmt::format("--{}", option.flag));
    if (!option.off_flag.empty()) known.push_back(fmt::format("--{}", option.off_flag));
  }
  if (const Option* other = by_flag(flag)) {
    for (const auto& command : command_pages())
      if ((other->commands & command.bit & ~command::config) != 0)
        elsewhere.emplace_back(command.name);
    throw ConfigError(fmt::format("'svrg {}' has no option '{}'; it belongs to {}", page.name, flag,
                                  join(elsewhere, ", ")));
  }
  throw ConfigError(fmt::format("unknown option '{}'{}", flag, did_you_mean(flag, known)));
}

void check_remaining(const CommandPage& page, const std::vector<std::string>& remaining) {
  for (const auto& argument : remaining)
    if (argument.size() > 1 && argument[0] == '-' && argument != "--")
      refuse_option(page, argument);
  for (const auto& argument : remaining)
    if (argument != "--")
      throw ConfigError(
          fmt::format("unexpected argument '{}'; usage: svrg {}", argument, page.usage));
}

// CLI11 would take "--epochs" as the value in "--train --epochs 3".
void check_not_an_option(const Given& given) {
  const bool looks_like_one = given.value.size() > 2 && given.value.starts_with("--");
  if (looks_like_one && by_flag(given.value.substr(0, given.value.find('='))) != nullptr)
    throw ConfigError(
        fmt::format("--{}: needs a value, got '{}'", given.option->flag, given.value));
}

bool asks_for_help(const std::vector<std::string>& arguments) {
  return std::any_of(arguments.begin(), std::find(arguments.begin(), arguments.end(), "--"),
                     [](const std::string& a) { return a == "-h" || a == "--help"; });
}

}  // namespace

std::vector<Given> read_command_line(const CommandPage& page,
                                     const std::vector<std::string>& arguments) {
  if (asks_for_help(arguments)) return {{find_option("help"), "true"}};
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  Targets targets;
  for (const Option& option : option_table())
    if ((option.commands & page.bit) != 0) add_option(app, option, targets);
  for (const auto& name : split(page.positionals, '|')) {
    const Option* option = find_option(name);
    auto* added = app.add_option(fmt::format("{}-by-place", option->flag));
    if (option->repeats) added->expected(1, 1 << 20)->allow_extra_args();
    targets[added] = {option, {}};
  }

  for (const auto& argument : arguments) {
    if (argument == "--") break;
    if (argument.starts_with("--") && argument.ends_with('=') &&
        by_flag(argument.substr(0, argument.size() - 1)) != nullptr)
      throw ConfigError(fmt::format("{}: needs a value", argument.substr(0, argument.size() - 1)));
  }
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string what = error.what();  // "--epochs: 1 required TEXT missing"
    throw ConfigError(what.substr(0, what.find(':')) + ": needs a value");
  } catch (const CLI::Error& error) {
    throw ConfigError(error.what());
  }
  check_remaining(page, app.remaining());

  std::vector<Given> line;
  std::map<const CLI::Option*, std::size_t> used;
  for (const CLI::Option* parsed : app.parse_order()) {
    const Target& target = targets.at(parsed);
    const std::string& value = parsed->results().at(used[parsed]++);
    line.push_back({target.option, target.fixed.empty() ? value : target.fixed});
    if (target.option->type != Type::flag) check_not_an_option(line.back());
  }
  return line;
}

}  // namespace svrg::app
