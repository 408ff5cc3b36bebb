// The names of options, and options by their names.
#include <algorithm>
#include <cctype>

#include "option_table.hpp"
#include "text.hpp"

namespace svrg::app {

std::string name_of(const Option& option) { return replaced(option.flag, '-', '_'); }

std::string key_of(const Option& option) {
  return option.renamed_key.empty() ? name_of(option) : std::string(option.renamed_key);
}

std::string variable_of(const Option& option) {
  std::string name = "SVRG_" + name_of(option);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return name;
}

const Option* find_key(std::string_view section, std::string_view key) {
  const auto table = option_table();
  const auto found = std::find_if(table.begin(), table.end(), [&](const Option& o) {
    return !o.section.empty() && o.section == section && key_of(o) == key;
  });
  return found == table.end() ? nullptr : &*found;
}

const Option* find_option(std::string_view name) {
  const std::string plain = replaced(name, '-', '_');
  if (const auto dot = plain.find('.'); dot != std::string::npos)
    return find_key(plain.substr(0, dot), plain.substr(dot + 1));
  const auto table = option_table();
  const auto found = std::find_if(table.begin(), table.end(), [&](const Option& o) {
    return name_of(o) == plain || (!o.renamed_key.empty() && o.renamed_key == plain);
  });
  return found == table.end() ? nullptr : &*found;
}

bool has_word(std::string_view choices, std::string_view word) {
  const auto words = split(choices, '|');
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace svrg::app
