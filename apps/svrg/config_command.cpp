// svrg config ACTION: what the settings are, without computing anything; and what is made from the
// option table for other programs to read.
#include <fmt/format.h>

#include <cstdio>

#include "completion.hpp"
#include "config_schema.hpp"
#include "man_page.hpp"
#include "subcommands.hpp"
#include "svrg/core/error.hpp"
#include "toml_text.hpp"

namespace svrg::app {
namespace {

std::string answer(const Settings& settings) {
  if (settings.is("action", "show")) return settings.to_toml_with_sources();
  if (settings.is("action", "init")) return commented_toml();
  if (settings.is("action", "schema")) return config_schema();
  if (settings.is("action", "completion")) return completion_script(settings.text("shell"));
  if (settings.is("action", "man")) return man_page();
  // All sources were read and checked before we came here.
  int given = 0;
  for (const Option& option : option_table())
    given += !option.section.empty() && settings.given(name_of(option)) ? 1 : 0;
  const std::string file = settings.has("config") ? settings.text("config") : "no config file";
  return fmt::format("{}: good; {} settings given\n", file, given);
}

}  // namespace

int config(const Settings& settings) {
  const std::string text = answer(settings);
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0) throw OutputError("cannot write to stdout");
  return static_cast<int>(ExitCode::done);
}

}  // namespace svrg::app
