// The only source that sees toml++. The file's types are checked here, before values become text: a
// quoted "40" for a number is most likely a slip, and TOML can tell.
#include "config_file.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "svrg/core/error.hpp"
#include "svrg/core/suggest.hpp"
#include "text.hpp"

namespace svrg::app {
namespace {

class Reader {
 public:
  Reader(Settings& settings, const std::string& name) : settings_(settings), name_(name) {}

  void read(const toml::table& file) {
    for (const auto& [key, node] : file) {
      if (const auto* table = node.as_table(); table != nullptr && is_section(key.str())) {
        for (const auto& [inner, value] : *table) read_key(key.str(), inner, value);
      } else if (key.str() == "schema") {
        if (node.value<std::int64_t>() != 1)
          throw ConfigError(at(node.source()) + "schema: this version reads schema 1");
      } else {
        refuse_top_level(key, table != nullptr);
      }
    }
  }

 private:
  static bool is_section(std::string_view name) {
    return std::find(sections().begin(), sections().end(), name) != sections().end();
  }

  std::string at(const toml::source_region& region) const {
    return fmt::format("{}:{}:{}: ", name_, region.begin.line, region.begin.column);
  }

  [[noreturn]] void refuse_top_level(const toml::key& key, bool table) const {
    const std::vector<std::string> known(sections().begin(), sections().end());
    if (table) {
      const auto meant = nearest(key.str(), known);
      throw ConfigError(fmt::format("{}unknown section [{}]{}", at(key.source()), key.str(),
                                    meant ? "; did you mean [" + *meant + "]?" : ""));
    }
    const Option* option = find_option(key.str());
    const bool known_key = option != nullptr && !option->section.empty();
    throw ConfigError(
        fmt::format("{}unknown key '{}' before the first section{}", at(key.source()), key.str(),
                    known_key ? fmt::format("; it belongs to [{}]", option->section) : ""));
  }

  void read_key(std::string_view section, const toml::key& key, const toml::node& value) {
    const Option* option = find_key(section, key.str());
    if (option == nullptr) refuse_key(section, key);
    const std::string place = at(value.source()) + std::string(key.str());
    settings_.set(*option, text_of(*option, value, place), Source::file, place);
  }

  [[noreturn]] void refuse_key(std::string_view section, const toml::key& key) const {
    std::vector<std::string> known;
    std::string elsewhere;
    for (const Option& option : option_table()) {
      if (option.section.empty()) continue;
      if (option.section == section) known.push_back(key_of(option));
      if (key_of(option) == key.str())
        elsewhere = fmt::format("; it belongs to [{}]", option.section);
    }
    throw ConfigError(fmt::format("{}unknown key '{}' in [{}]{}", at(key.source()), key.str(),
                                  section,
                                  elsewhere.empty() ? did_you_mean(key.str(), known) : elsewhere));
  }

  static std::string found(const toml::node& node) {
    if (const auto text = node.value_exact<std::string>())
      return fmt::format("the string '{}'", *text);
    if (const auto number = node.value_exact<std::int64_t>()) return fmt::to_string(*number);
    if (const auto number = node.value_exact<double>()) return fmt::to_string(*number);
    if (const auto truth = node.value_exact<bool>()) return *truth ? "true" : "false";
    return node.is_array() ? "an array" : node.is_table() ? "a table" : "a date or time";
  }

  [[noreturn]] static void refuse_type(std::string_view place, std::string_view expected,
                                       const toml::node& node) {
    throw ConfigError(fmt::format("{}: must be {}, got {}", place, expected, found(node)));
  }

  static std::string text_of(const Option& option, const toml::node& node,
                             const std::string& place) {
    const auto text = node.value_exact<std::string>();
    const auto whole = node.value_exact<std::int64_t>();
    const auto real = node.value_exact<double>();
    const auto truth = node.value_exact<bool>();
    switch (option.type) {
      case Type::flag:
        if (truth) return *truth ? "true" : "false";
        refuse_type(place, "true or false", node);
      case Type::integer:
        if (whole) return fmt::to_string(*whole);
        if (text && has_word(option.choices, *text)) return *text;
        refuse_type(place, "a whole number" + words(option), node);
      case Type::number:
        if (whole) return fmt::to_string(*whole);
        if (real) return fmt::to_string(*real);
        if (text && has_word(option.choices, *text)) return *text;
        refuse_type(place, "a number" + words(option), node);
      case Type::list:
        return list_of(node, place);
      case Type::choice:
        if (truth && has_word(option.choices, *truth ? "yes" : "no")) return *truth ? "yes" : "no";
        [[fallthrough]];
      default:
        if (text) return *text;
        if (whole) return fmt::to_string(*whole);
        if (real) return fmt::to_string(*real);
        refuse_type(place, "a string", node);
    }
  }

  static std::string words(const Option& option) {
    std::string all;
    for (const auto& word : split(option.choices, '|')) all += " or \"" + word + '"';
    return all;
  }

  static std::string list_of(const toml::node& node, const std::string& place) {
    if (const auto text = node.value_exact<std::string>()) return *text;
    const auto* array = node.as_array();
    if (array == nullptr) refuse_type(place, "an array such as [\"a\", \"b\"]", node);
    std::vector<std::string> items;
    for (const auto& item : *array) {
      const auto text = item.value_exact<std::string>();
      if (item.is_array() || item.is_table()) refuse_type(place, "an array of strings", item);
      items.push_back(text ? *text : found(item));
      if (items.back().find(',') != std::string::npos)
        throw ConfigError(
            fmt::format("{}: an item may not contain a comma, got '{}'", place, items.back()));
    }
    return join(items, ",");
  }

  Settings& settings_;
  const std::string& name_;
};

std::string in_our_words(std::string_view description) {
  // "Error while parsing key-value pair: cannot redefine existing integer 'epochs'"
  if (const auto start = description.find("cannot redefine"); start != std::string_view::npos) {
    const auto quote = description.find('\'', start);
    if (quote != std::string_view::npos)
      return fmt::format("{} is here twice",
                         description.substr(quote, description.find('\'', quote + 1) - quote + 1));
  }
  if (const auto colon = description.find(": "); description.starts_with("Error while parsing"))
    return fmt::format("not TOML: {}", description.substr(colon + 2));
  return fmt::format("not TOML: {}", description);
}

}  // namespace

void read_config_text(Settings& settings, std::string_view toml, const std::string& name) {
  toml::table file;
  try {
    file = toml::parse(toml, name);
  } catch (const toml::parse_error& error) {
    const auto& where = error.source().begin;
    throw ConfigError(fmt::format("{}:{}:{}: {}", name, where.line, where.column,
                                  in_our_words(error.description())));
  }
  Reader(settings, name).read(file);
}

Settings settings_from_toml(std::string_view toml, const std::string& name) {
  Settings settings;
  read_config_text(settings, toml, name);
  settings.settle();
  return settings;
}

void read_config_file(Settings& settings, const std::string& path) {
  if (std::filesystem::is_directory(path))
    throw ConfigError(fmt::format("--config: {} is a directory", path));
  std::ifstream file(path, std::ios::binary);
  const std::string toml{std::istreambuf_iterator<char>(file), {}};
  if (!file)
    throw ConfigError(
        fmt::format("--config: cannot read {}: {}", path, std::generic_category().message(errno)));
  read_config_text(settings, toml, path);
}

}  // namespace svrg::app
