// One script a shell, each from the option table alone: what stands behind an option is a set of
// words, files, folders or a value that cannot be guessed.
#include "completion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "command_page.hpp"
#include "help.hpp"
#include "text.hpp"

namespace svrg::app {
namespace {

bool has_capital(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

// Of "auto|FILE|no", auto and no.
std::string words_of(const Option& option) {
  const auto source = option.choices.empty() ? option.value_name : option.choices;
  auto words = split(source, '|');
  std::erase_if(words, has_capital);
  return join(words, " ");
}

std::string placeholder(const Option& option) {
  if (option.value_name.empty()) return option.type == Type::path ? "FILE" : "VALUE";
  return std::string(option.value_name);
}

bool is_folder(const Option& option) { return option.value_name == "DIR"; }

// Where the screen has a line for each option, its first clause must do; where that is about one of
// several words, the name must.
std::string brief(const Option& option) {
  const std::string_view clause = option.help.substr(0, option.help.find("; "));
  const auto colon = clause.find(": ");
  const auto words = split(words_of(option), ' ');
  const bool of_a_word =
      colon != std::string_view::npos &&
      std::find(words.begin(), words.end(), clause.substr(0, colon)) != words.end();
  return of_a_word ? replaced(option.flag, '-', ' ') : std::string(clause);
}

std::string quoted(std::string_view text, std::string_view quote_as) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') {
      result += quote_as;
    } else {
      result += c;
    }
  }
  return result + '\'';
}

// In the order of the help; what is given by place alone needs no flag.
std::vector<const Option*> options_of(const CommandPage& page) {
  std::vector<const Option*> options;
  for (const Option& option : option_table())
    if ((option.commands & page.bit) != 0 && !only_by_place(option)) options.push_back(&option);
  return options;
}

std::string config_keys(std::string_view ending) {
  std::vector<std::string> keys;
  for (const Option& option : option_table())
    if (!option.section.empty())
      keys.push_back(fmt::format("{}.{}{}", option.section, key_of(option), ending));
  return join(keys, " ");
}

std::string command_names() {
  std::vector<std::string> names;
  for (const auto& page : command_pages()) names.emplace_back(page.name);
  return join(names, " ");
}

// The words of what a command takes first by place; empty: files.
std::string first_words(const CommandPage& page) {
  if (page.positionals.empty()) return {};
  return words_of(*find_option(split(page.positionals, '|').front()));
}

// ---- bash

constexpr std::string_view bash_start =
    R"(# Completion of svrg in bash; `svrg config completion` prints it.
_svrg() {
  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
  local options='' words='' kind=''
  # Readline cuts at '=': --model = linear are three words.
  if [[ $current == '=' ]]; then
    current=''
  elif [[ $before == '=' ]]; then
    before=${COMP_WORDS[COMP_CWORD-2]}
    [[ $before == -* ]] || return 0
  fi
)";
constexpr std::string_view bash_end = R"(
  if [[ $kind == '' && $current == -* ]]; then
    words=$options
  elif [[ $kind == '' && $words == '' ]]; then
    kind=files
  fi
  mapfile -t COMPREPLY < <(
    compgen -W "$words" -- "$current"
    case $kind in
      files) compgen -f -- "$current" ;;
      folders) compgen -d -- "$current" ;;
    esac)
  case $kind in
    files | folders) compopt -o filenames 2>/dev/null ;;
    keys) compopt -o nospace 2>/dev/null ;;
  esac
  return 0
}
complete -F _svrg svrg
)";

std::string bash_answer(const Option& option) {
  if (option.flag == "set") return fmt::format("kind=keys words='{}'", config_keys("="));
  const std::string words = words_of(option);
  const auto kind = is_folder(option) ? "folders" : option.type == Type::path ? "files" : "value";
  return words.empty() ? fmt::format("kind={}", kind)
                       : fmt::format("kind={} words='{}'", kind, words);
}

std::string bash_command(const CommandPage& page) {
  std::string flags;
  std::vector<std::string> order;
  std::map<std::string, std::string> patterns;  // by answer
  for (const Option* option : options_of(page)) {
    flags += fmt::format(" --{}", option->flag);
    if (!option->off_flag.empty()) flags += fmt::format(" --{}", option->off_flag);
    if (option->type == Type::flag) continue;
    const std::string answer = bash_answer(*option);
    std::string& pattern = patterns[answer];
    if (pattern.empty()) order.push_back(answer);
    pattern += fmt::format("{}--{}", pattern.empty() ? "" : " | ", option->flag);
    if (!option->short_flag.empty()) pattern += fmt::format(" | -{}", option->short_flag);
  }
  std::string text = fmt::format("    {})\n      options='{}'\n", page.name, flags.substr(1));
  if (const auto words = first_words(page); !words.empty())
    text += fmt::format("      (( COMP_CWORD > 2 )) || words='{}'\n", words);
  text += "      case $before in\n";
  for (const auto& answer : order)
    text += fmt::format("        {})\n          {} ;;\n", patterns[answer], answer);
  return text + "      esac ;;\n";
}

std::string bash_script() {
  std::string text(bash_start);
  text += fmt::format(
      "  case $COMP_CWORD:${{COMP_WORDS[1]}} in\n    1:*) words='{} help' "
      "options='--help --version' ;;\n    2:help) words='{}' ;;\n  esac\n",
      command_names(), command_names());
  text += "  (( COMP_CWORD == 1 )) || case ${COMP_WORDS[1]} in\n";
  for (const auto& page : command_pages()) text += bash_command(page);
  return text + "  esac\n" + std::string(bash_end);
}

// ---- zsh

std::string zsh_quoted(std::string_view text) { return quoted(text, "'\\''"); }

std::string zsh_described(const Option& option) {
  std::string text;
  for (const char c : brief(option)) {
    if (c == '[' || c == ']') text += '\\';
    text += c;
  }
  return '[' + text + ']';
}

std::string zsh_value(const Option& option) {
  if (option.flag == "set")
    return fmt::format(":KEY=VALUE:{{compadd -S = -- {}}}", config_keys(""));
  const std::string words = words_of(option), name = placeholder(option);
  if (option.type == Type::path && !words.empty())
    return fmt::format(":{}:{{compadd -- {}; _files}}", name, words);
  if (is_folder(option)) return fmt::format(":{}:_files -/", name);
  if (option.type == Type::path) return fmt::format(":{}:_files", name);
  return fmt::format(":{}:{}", name, words.empty() ? " " : '(' + words + ')');
}

std::string zsh_option(const Option& option) {
  const bool flag = option.type == Type::flag;
  const auto described = zsh_described(option) + (flag ? "" : zsh_value(option));
  const std::string value = flag ? "" : "=";
  std::string text;
  const auto add = [&](std::string_view spec) { text += " \\\n        " + zsh_quoted(spec); };
  if (option.short_flag.empty()) {
    add(fmt::format("{}--{}{}{}", option.flag == "set" ? "*" : "", option.flag, value, described));
  } else {
    const auto both = fmt::format("(-{} --{})", option.short_flag, option.flag);
    add(fmt::format("{}-{}{}{}", both, option.short_flag, flag ? "" : "+", described));
    add(fmt::format("{}--{}{}{}", both, option.flag, value, described));
  }
  if (!option.off_flag.empty()) add(fmt::format("--{}[--{} no]", option.off_flag, option.flag));
  return text;
}

std::string zsh_script() {
  std::string text =
      "#compdef svrg\n# Completion of svrg in zsh; `svrg config completion --shell zsh` prints "
      "it.\n_svrg() {\n  local curcontext=$curcontext state line\n  typeset -A opt_args\n"
      "  _arguments -C '(-h --help)'{-h,--help}'[help]' '(-V --version)'{-V,--version}'[version]' "
      "\\\n    '1:command:->command' '*::argument:->argument' && return\n"
      "  if [[ $state == command ]]; then\n    local -a commands=(\n";
  for (const auto& page : command_pages())
    text += "      " + zsh_quoted(fmt::format("{}:{}", page.name, page.summary)) + '\n';
  text += "    )\n    _describe command commands\n    return\n  fi\n  case $words[1] in\n";
  for (const auto& page : command_pages()) {
    text += fmt::format("    {})\n      _arguments", page.name);
    for (const Option* option : options_of(page)) text += zsh_option(*option);
    if (const auto words = first_words(page); !words.empty())
      text += " \\\n        " + zsh_quoted(fmt::format("1:word:({})", words));
    text += " \\\n        '*:file:_files' ;;\n";
  }
  return text + "  esac\n}\n_svrg \"$@\"\n";
}

// ---- fish

std::string fish_quoted(std::string_view text) { return quoted(text, "\\'"); }

std::string fish_value(const Option& option) {
  if (option.type == Type::flag) return "";
  if (option.flag == "set") return " -x -a " + fish_quoted(config_keys("="));
  const std::string words = words_of(option);
  const std::string answers = words.empty() ? "" : " -a " + fish_quoted(words);
  if (is_folder(option)) return " -x -a '(__fish_complete_directories)'";
  return (option.type == Type::path ? " -r -F" : " -x") + answers;
}

std::string fish_script() {
  std::string text =
      "# Completion of svrg in fish; `svrg config completion --shell fish` prints it.\n"
      "function __svrg_is\n  set -l typed (commandline -opc)\n"
      "  test (count $typed) -gt 1; and contains -- $typed[2] $argv\nend\n"
      "function __svrg_typed\n  test (count (commandline -opc)) -eq $argv[1]\nend\n"
      "complete -c svrg -f\n"
      "complete -c svrg -n '__svrg_typed 1' -s h -l help -d help\n"
      "complete -c svrg -n '__svrg_typed 1' -s V -l version -d version\n";
  for (const auto& page : command_pages()) {
    text += fmt::format("complete -c svrg -n '__svrg_typed 1' -a {} -d {}\n", page.name,
                        fish_quoted(page.summary));
    const auto words = first_words(page);
    text += words.empty() ? fmt::format("complete -c svrg -n '__svrg_is {}' -F\n", page.name)
                          : fmt::format(
                                "complete -c svrg -n '__svrg_is {0}; and __svrg_typed 2' -a {1}\n"
                                "complete -c svrg -n '__svrg_is {0}; and not __svrg_typed 2' -F\n",
                                page.name, fish_quoted(words));
  }
  for (const Option& option : option_table()) {
    if (only_by_place(option)) continue;
    std::string commands;
    for (const auto& page : command_pages())
      if ((option.commands & page.bit) != 0) commands += fmt::format(" {}", page.name);
    const auto start = fmt::format("complete -c svrg -n '__svrg_is{}'", commands);
    text += start;
    if (!option.short_flag.empty()) text += fmt::format(" -s {}", option.short_flag);
    text += fmt::format(" -l {}{} -d {}\n", option.flag, fish_value(option),
                        fish_quoted(brief(option)));
    if (!option.off_flag.empty())
      text += fmt::format("{} -l {} -d '--{} no'\n", start, option.off_flag, option.flag);
  }
  return text;
}

}  // namespace

std::string completion_script(std::string_view shell) {
  if (shell == "zsh") return zsh_script();
  if (shell == "fish") return fish_script();
  return bash_script();
}

}  // namespace svrg::app
