#include "environment_settings.hpp"

#include <string>

#include "svrg/core/suggest.hpp"

namespace svrg::app {
namespace {

// Of the tests and of the batch scripts, not of the program.
bool is_reserved(std::string_view name) {
  return name == "SVRG_SHARED" || name.starts_with("SVRG_JOB_");
}

}  // namespace

void read_environment(Settings& settings, const char* const* environment) {
  std::vector<std::string> known;
  for (const Option& option : option_table())
    if (!option.section.empty()) known.push_back(variable_of(option));

  for (; *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    const std::string name(entry.substr(0, entry.find('=')));
    if (!name.starts_with("SVRG_") || is_reserved(name) || name.size() == entry.size()) continue;
    const Option* match = nullptr;
    for (const Option& option : option_table())
      if (!option.section.empty() && variable_of(option) == name) match = &option;
    if (match != nullptr) {
      settings.set(*match, entry.substr(name.size() + 1), Source::environment, name);
    } else {
      settings.warn("unknown environment variable '" + name + "'" + did_you_mean(name, known));
    }
  }
}

}  // namespace svrg::app
