#include "toml_text.hpp"

#include <fmt/format.h>

#include "quantity.hpp"
#include "text.hpp"

namespace svrg::app {

std::string toml_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (byte < 0x20 || byte == 0x7f) {
      quoted += fmt::format("\\u{:04X}", byte);
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string toml_value(const Option& option, std::string_view text) {
  switch (option.type) {
    case Type::flag:
      return std::string(text);
    case Type::list: {
      auto items = split(text, ',');
      for (auto& item : items) item = toml_string(item);
      return '[' + join(items, ", ") + ']';
    }
    case Type::integer:
    case Type::number:
    case Type::scaled:
    case Type::duration:
    case Type::period:
      // "auto", "0.1/n" and "10m" are strings, 40 and 1e-06 numbers.
      return parse_number(text) ? std::string(text) : toml_string(text);
    default:
      return toml_string(text);
  }
}

std::string commented_toml() {
  std::string toml =
      "# Settings of svrg. Lines that start with '#' show the defaults: remove the '#' to set "
      "them.\n"
      "# The command line and SVRG_* variables win over this file.\nschema = 1\n";
  for (const auto section : sections()) {
    toml += fmt::format("\n[{}]\n", section);
    for (const Option& option : option_table()) {
      if (option.section != section) continue;
      toml += "# " + join(split(wrapped(option.help, 96), '\n'), "\n# ") + '\n';
      if (!option.choices.empty()) toml += fmt::format("# {}\n", option.choices);
      toml += fmt::format(
          "#{} = {}\n", key_of(option),
          option.default_text.empty() ? "\"\"" : toml_value(option, option.default_text));
    }
  }
  return toml;
}

}  // namespace svrg::app
