#include "help.hpp"

#include <fmt/format.h>

#include <vector>

#include "svrg/core/version.hpp"
#include "text.hpp"

namespace svrg::app {
namespace {

constexpr std::size_t width = 100, help_column = 32;
constexpr std::string_view group_names[] = {"Data",   "Model",   "Tuning",   "Solver", "Stop",
                                            "Output", "Scaling", "Parallel", "Common"};

constexpr ExitMeaning exit_lines[] = {
    {0, "done"},
    {2, "usage or config"},
    {3, "data or model unreadable"},
    {4, "diverged"},
    {5, "tolerance not reached and --require-tol given"},
    {6, "output or checkpoint could not be written"},
    {70, "internal error"},
    {71, "memory or size limit"},
    {73, "run directory in use by another job"},
    {75, "stopped by signal or time limit after a good checkpoint: resubmit"},
};

std::string left_column(const Option& option) {
  if (only_by_place(option)) return fmt::format("  {}", option.positional);
  std::string left =
      option.short_flag.empty() ? "      " : fmt::format("  -{}, ", option.short_flag);
  if (!option.positional.empty()) left = fmt::format("  {}, ", option.positional);
  left += fmt::format("--{}", option.flag);
  if (const auto name = value_name(option); !name.empty()) left += ' ' + name;
  return left;
}

std::string option_entry(const Option& option) {
  std::string right(option.help);
  if (!option.off_flag.empty()) right += fmt::format("; also --{}", option.off_flag);
  if (!option.default_text.empty() && option.type != Type::flag)
    right += fmt::format(" [{}]", option.default_text);
  std::string left = left_column(option);
  if (left.size() + 2 > help_column) {
    left += '\n' + std::string(help_column, ' ');
  } else {
    left.resize(help_column, ' ');
  }
  return left + wrapped(right, width, help_column) + '\n';
}

}  // namespace

bool only_by_place(const Option& option) {
  return has_word("MODEL|FILE|RUN|ACTION|IN|OUT", option.positional);
}

std::string value_name(const Option& option) {
  const auto with_words = [&](std::string_view name) {
    return option.choices.empty() ? std::string(name) : fmt::format("{}|{}", option.choices, name);
  };
  if (!option.value_name.empty()) return std::string(option.value_name);
  switch (option.type) {
    case Type::flag:
      return {};
    case Type::integer:
      return with_words("N");
    case Type::number:
      return with_words("X");
    case Type::scaled:
      return with_words("X|C/n");
    case Type::duration:
      return with_words("TIME");
    case Type::period:
      return with_words("N|TIME");
    case Type::size:
      return with_words("SIZE");
    case Type::choice:
      return std::string(option.choices);
    case Type::list:
      return "A,B,...";
    case Type::path:
      return "FILE";
    case Type::text:
      return "TEXT";
  }
  return {};
}

std::span<const std::string_view> option_groups() { return group_names; }
std::span<const ExitMeaning> exit_meanings() { return exit_lines; }

std::string version_line() { return "svrg " + version(); }

std::string command_help(const CommandPage& page) {
  std::string text = fmt::format("Usage: svrg {}\n\n{}\n", page.usage, wrapped(page.about, width));
  for (const auto group : group_names) {
    std::string entries;
    for (const Option& option : option_table())
      if (option.group == group && (option.commands & page.bit) != 0)
        entries += option_entry(option);
    if (!entries.empty()) text += fmt::format("\n{}:\n{}", group, entries);
  }
  text += "\nExamples:\n";
  for (const auto& line : split(page.examples, '\n')) text += "  " + line + '\n';
  text += "\nExit codes:\n";
  for (const auto& line : exit_lines) text += fmt::format("  {:>2}  {}\n", line.code, line.meaning);
  if ((page.bit & command::reads_data) != 0)
    text += '\n' +
            wrapped(
                "Options are also keys of the config file (svrg config init lists them) and "
                "environment variables, such as SVRG_BATCH_SIZE. The command line wins over the "
                "environment, the environment over the file.",
                width) +
            '\n';
  return text;
}

std::string general_help() {
  std::string text = fmt::format(
      "{} - variance-reduced training on clusters\n\nUsage: svrg COMMAND [arguments]\n       "
      "mpirun -n "
      "4 svrg COMMAND [arguments]\n\nCommands:\n",
      version_line());
  for (const auto& page : command_pages())
    text += fmt::format("  {:<10}{}\n", page.name, page.summary);
  text +=
      "\nExamples:\n"
      "  svrg train a9a.svm -o runs/a9a\n"
      "  mpirun -n 4 svrg train year.csv --label-column 1 -o runs/year\n"
      "  svrg evaluate runs/a9a/model.h5 a9a.t.svm\n"
      "\n'svrg COMMAND --help' explains a command, 'svrg --version' prints the version.\n";
  return text;
}

}  // namespace svrg::app
