#include "settings.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <limits>

#include "svrg/core/error.hpp"
#include "text.hpp"
#include "toml_text.hpp"
#include "value_check.hpp"

namespace svrg::app {
namespace {

[[noreturn]] void bug(std::string_view name, std::string_view what) {
  throw Error(ExitCode::internal, fmt::format("setting '{}': {}", name, what));
}

template <class T>
T value_or_bug(const std::optional<T>& value, std::string_view name, std::string_view text) {
  if (!value) bug(name, fmt::format("asked for a number, but the value is '{}'", text));
  return *value;
}

}  // namespace

Settings::Settings() : values_(option_table().size()) {
  for (const Option& option : option_table()) {
    if (option.default_text.empty()) continue;
    Value& value = at(option);
    value.present = true;
    value.text = checked_value(option, option.default_text, option.flag);
  }
}

void Settings::set(const Option& option, std::string_view text, Source source,
                   std::string_view place) {
  std::string checked = checked_value(option, text, place);
  Value& value = at(option);
  if (value.present && value.source > source) return;
  value = {std::move(checked), true, source, std::string(place)};
}

void Settings::settle() {
  for (const Option& option : option_table()) {
    if (option.excludes.empty()) continue;
    Value& mine = at(option);
    Value& other = at(*find_option(option.excludes));
    // A flag that is off says nothing.
    const auto silent = [](const Value& v) {
      return v.source == Source::fallback || v.text == "false";
    };
    if (silent(mine) || silent(other)) {
      // A penalty given as C leaves no l2 behind, not even the default.
      if (!silent(mine) && option.type != Type::flag) other = Value{};
      continue;
    }
    if (mine.source == other.source)
      throw ConfigError(fmt::format("{}: excludes {}; give one of them", mine.place, other.place));
    Value& loser = mine.source < other.source ? mine : other;
    loser = Value{};
    if (option.type == Type::flag) loser = {"false", true, Source::fallback, {}};
  }
}

const Settings::Value& Settings::at(std::string_view name) const {
  const Option* option = find_option(name);
  if (option == nullptr) bug(name, "not in the option table");
  return values_[static_cast<std::size_t>(option - option_table().data())];
}

Settings::Value& Settings::at(const Option& option) {
  return values_[static_cast<std::size_t>(&option - option_table().data())];
}

std::string Settings::place(std::string_view name) const {
  const Value& value = at(name);
  return value.place.empty() ? fmt::format("--{}", find_option(name)->flag) : value.place;
}

std::string Settings::text(std::string_view name) const { return at(name).text; }

bool Settings::flag(std::string_view name) const {
  const Option* option = find_option(name);
  if (option == nullptr || option->type != Type::flag) bug(name, "not a flag");
  return at(name).text == "true";
}

Index Settings::integer(std::string_view name) const {
  return value_or_bug(parse_integer(text(name)), name, text(name));
}
double Settings::number(std::string_view name) const {
  return value_or_bug(parse_number(text(name)), name, text(name));
}
double Settings::duration(std::string_view name) const {
  return value_or_bug(parse_duration(text(name)), name, text(name));
}
Index Settings::size(std::string_view name) const {
  return value_or_bug(parse_size(text(name)), name, text(name));
}
Scaled Settings::scaled(std::string_view name) const {
  return value_or_bug(parse_scaled(text(name)), name, text(name));
}
Period Settings::period(std::string_view name) const {
  return value_or_bug(parse_period(text(name)), name, text(name));
}
std::vector<std::string> Settings::list(std::string_view name) const {
  return split(text(name), ',');
}

std::string Settings::to_toml() const { return write_toml(false); }
std::string Settings::to_toml_with_sources() const { return write_toml(true); }

std::string Settings::write_toml(bool sources) const {
  std::string toml = "schema = 1\n";
  for (const auto section : sections()) {
    std::string body;
    for (const Option& option : option_table()) {
      const Value& value = values_[static_cast<std::size_t>(&option - option_table().data())];
      if (option.section != section || !value.present) continue;
      std::string line = key_of(option) + " = " + toml_value(option, value.text);
      if (sources && value.source != Source::fallback)
        line = fmt::format("{:<32}  # {}", line, replaced(value.place, '\n', ' '));
      body += line + '\n';
    }
    if (!body.empty()) toml += fmt::format("\n[{}]\n{}", section, body);
  }
  return toml;
}

double time_limit_seconds(const Settings& settings) {
  if (!settings.is("time_limit", "auto")) return settings.duration("time_limit");
  // Seconds since 1970; nothing sets variables while this runs.
  const char* end = std::getenv("SLURM_JOB_END_TIME");  // NOLINT(concurrency-mt-unsafe)
  const auto moment = parse_number(end != nullptr ? end : "");
  if (!moment) return std::numeric_limits<double>::infinity();
  const auto today = std::chrono::system_clock::now().time_since_epoch();
  return std::max(0.0, *moment - std::chrono::duration<double>(today).count());
}

}  // namespace svrg::app
