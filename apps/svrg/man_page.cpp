#include "man_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "help.hpp"
#include "svrg/core/version.hpp"
#include "text.hpp"

namespace svrg::app {
namespace {

struct Entry {
  std::string_view name, meaning;
};
constexpr Entry variables[] = {
    {"SLURM_JOB_END_TIME", "the end that --time-limit auto keeps to"},
    {"NO_COLOR", "if set, no colours on a terminal"},
    {"HDF5_USE_FILE_LOCKING", "FALSE may be needed on NFS or Lustre"},
};
constexpr Entry files[] = {
    {"config.toml", "in the run directory: the complete effective config"},
    {"manifest.json", "where and with what the run was made"},
    {"log.jsonl", "the record, a line an epoch"},
    {"run.h5", "the same for h5py, pandas and xarray"},
    {"checkpoints/", "sealed states, last.h5 the newest: a run goes on from there"},
    {"model.h5", "the trained model, for svrg evaluate and predict"},
};

// Bytes beyond ASCII go by number: roff does not know how its input is coded.
char32_t take_rune(std::string_view& text) {
  const auto byte = static_cast<unsigned char>(text.front());
  const std::size_t length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
  char32_t rune = length == 1 ? byte : byte & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < std::min(length, text.size()); ++i)
    rune = rune << 6 | (static_cast<unsigned char>(text[i]) & 0x3fu);
  text.remove_prefix(std::min(length, text.size()));
  return rune;
}

// Text that roff shows as it is. A line may not start with one of roff's two control characters.
std::string shown(std::string_view text) {
  std::string roff = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
  while (!text.empty()) {
    const char32_t rune = take_rune(text);
    switch (rune) {
      case U'\\':
        roff += "\\e";
        break;
      case U'-':
        roff += "\\-";
        break;
      case U'\'':
        roff += "\\(aq";
        break;
      case U'^':
        roff += "\\(ha";
        break;
      case U'~':
        roff += "\\(ti";
        break;
      case U'`':
        roff += "\\(ga";
        break;
      default:
        if (rune < 0x80) {
          roff += static_cast<char>(rune);
        } else {
          roff += fmt::format("\\[u{:04X}]", static_cast<std::uint32_t>(rune));
        }
    }
  }
  return roff;
}

std::string bold(std::string_view text) { return "\\fB" + shown(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + shown(text) + "\\fR"; }

std::string entry(std::string_view left, std::string_view right) {
  return fmt::format(".TP\n{}\n{}\n", left, right);
}

std::string capitals(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return result;
}

std::string names_of(const Option& option) {
  if (only_by_place(option)) return italic(option.positional);
  std::string names;
  if (!option.positional.empty()) names = italic(option.positional) + ", ";
  if (!option.short_flag.empty()) names += bold(fmt::format("-{}", option.short_flag)) + ", ";
  names += bold(fmt::format("--{}", option.flag));
  if (const auto value = value_name(option); !value.empty()) names += ' ' + italic(value);
  if (!option.off_flag.empty()) names += ", " + bold(fmt::format("--{}", option.off_flag));
  return names;
}

std::string option_entry(const Option& option) {
  std::string right = shown(option.help);
  if (only_by_place(option) && !option.choices.empty())
    right += "; one of " + shown(join(split(option.choices, '|'), ", "));
  if (!option.default_text.empty() && option.type != Type::flag)
    right += " [" + shown(option.default_text) + ']';
  return entry(names_of(option), right);
}

// `config` takes all that `train` takes: what stands there is not said again.
bool told_before(const CommandPage& page, const Option& option) {
  return page.bit == command::config && (option.commands & command::train) != 0;
}

std::string options_of(const CommandPage& page) {
  std::string text;
  for (const auto group : option_groups()) {
    std::string entries;
    for (const Option& option : option_table())
      if (option.group == group && (option.commands & page.bit) != 0 && !told_before(page, option))
        entries += option_entry(option);
    if (!entries.empty()) text += fmt::format(".SS {}\n{}", group, entries);
  }
  return text;
}

std::string examples_of(const CommandPage& page) {
  std::string text = ".SS Examples\n";
  bool first = true;
  for (const auto& line : split(page.examples, '\n')) {
    if (!line.starts_with('#')) {
      text += ".RS\n.EX\n" + shown(line) + "\n.EE\n.RE\n";
      continue;
    }
    text += (first ? "" : ".PP\n") + shown(trimmed(line.substr(1))) +
            (line.ends_with('?') ? "\n" : ":\n");
    first = false;
  }
  return text;
}

std::string command_section(const CommandPage& page) {
  return fmt::format(".SH \"SVRG {}\"\n{} {}\n.PP\n{}\n", capitals(page.name), bold("svrg"),
                     shown(page.usage), shown(page.about)) +
         options_of(page) + examples_of(page);
}

std::string environment_section() {
  std::string text =
      ".SH ENVIRONMENT\nEach option that is a key of the config file is also a variable: " +
      bold("SVRG_") + " and its name in capitals with underscores, such as " +
      bold("SVRG_BATCH_SIZE") +
      ". The command line wins over the environment, the environment over the file.\n";
  for (const Entry& variable : variables)
    text += entry(bold(variable.name), shown(variable.meaning));
  return text;
}

}  // namespace

std::string man_page() {
  std::string text = fmt::format(
      ".TH SVRG 1 \"\" \"{}\" \"User Commands\"\n.SH NAME\nsvrg \\- variance\\-reduced training on "
      "clusters\n.SH SYNOPSIS\n.ad l\n.nh\n",
      shown(version_line()));
  for (const auto& page : command_pages())
    text += fmt::format("{} {}\n.br\n", bold("svrg"), shown(page.usage));
  text += fmt::format(
      "{} {}\n.ad b\n.hy\n.SH DESCRIPTION\nTrains and applies linear models, support vector "
      "machines and neural nets, on one machine or on many. Its commands:\n",
      bold("mpirun"), shown("-n 4 svrg COMMAND [arguments]"));
  for (const auto& page : command_pages()) text += entry(bold(page.name), shown(page.summary));
  for (const auto& page : command_pages()) text += command_section(page);
  text += ".SH EXIT STATUS\n";
  for (const auto& exit : exit_meanings())
    text += entry(bold(fmt::to_string(exit.code)), shown(exit.meaning));
  text += environment_section() + ".SH FILES\n";
  for (const Entry& file : files) text += entry(italic(file.name), shown(file.meaning));
  return text + ".SH SEE ALSO\n.BR mpirun (1)\n";
}

}  // namespace svrg::app
