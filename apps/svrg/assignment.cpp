#include "assignment.hpp"

#include <fmt/format.h>

#include <string>

#include "svrg/core/error.hpp"
#include "svrg/core/suggest.hpp"
#include "text.hpp"

namespace svrg::app {
namespace {

struct Alias {
  std::string_view mxnet, ours;
};
constexpr Alias mxnet_names[] = {
    {"num_epoch", "epochs"},
    {"eval_metric", "metrics"},
    {"optimizer_params.learning_rate", "learning_rate"},
    {"begin_epoch", ""},  // known, but not there yet
};

std::vector<std::string> known_keys(bool with_section) {
  std::vector<std::string> keys;
  for (const Option& option : option_table()) {
    if (option.section.empty()) continue;
    keys.push_back((with_section ? std::string(option.section) + '.' : "") + key_of(option));
  }
  return keys;
}

}  // namespace

void apply_assignment(Settings& settings, std::string_view assignment) {
  const auto equals = assignment.find('=');
  const std::string key(trimmed(assignment.substr(0, equals)));
  if (equals == std::string_view::npos || key.empty())
    throw ConfigError(fmt::format("--set: must be key=value, got '{}'", assignment));
  std::string_view value = trimmed(assignment.substr(equals + 1));
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
    value = value.substr(1, value.size() - 2);

  std::string name = key;
  for (const Alias& alias : mxnet_names)
    if (key == alias.mxnet) name = alias.ours;
  if (key == "kvstore") {
    settings.warn(
        fmt::format("--set kvstore={}: accepted; gradients always go by Allreduce", value));
    return;
  }
  if (name.empty())
    throw ConfigError(fmt::format("--set: '{}' is not in this release; see --resume", key));
  const Option* option = find_option(name);
  if (option == nullptr || option->section.empty())
    throw ConfigError(
        fmt::format("--set: unknown key '{}'{}", key,
                    did_you_mean(key, known_keys(key.find('.') != std::string::npos))));
  settings.set(*option, value, Source::command_line, "--set " + key);
}

}  // namespace svrg::app
