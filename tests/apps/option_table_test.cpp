#include "option_table.hpp"

#include <gtest/gtest.h>

#include <set>

#include "app_test.hpp"
#include "help.hpp"
#include "text.hpp"

namespace svrg::app {
namespace {

TEST(OptionTable, has_no_flag_twice_within_a_command) {
  for (const auto& page : command_pages()) {
    std::set<std::string> seen;
    for (const Option& option : option_table()) {
      if ((option.commands & page.bit) == 0) continue;
      EXPECT_TRUE(seen.insert(std::string(option.flag)).second) << page.name << ' ' << option.flag;
      for (const auto other : {option.short_flag, option.off_flag}) {
        if (!other.empty()) {
          EXPECT_TRUE(seen.insert(std::string(other)).second) << page.name << ' ' << other;
        }
      }
    }
  }
}

TEST(OptionTable, has_no_name_or_key_twice) {
  std::set<std::string> names, keys, variables;
  for (const Option& option : option_table()) {
    EXPECT_TRUE(names.insert(name_of(option)).second) << option.flag;
    if (option.section.empty()) continue;
    EXPECT_TRUE(keys.insert(key_of(option)).second) << option.flag;
    EXPECT_TRUE(variables.insert(variable_of(option)).second) << option.flag;
  }
}

TEST(OptionTable, finds_every_option_by_all_its_names) {
  for (const Option& option : option_table()) {
    EXPECT_EQ(find_option(option.flag), &option) << option.flag;
    EXPECT_EQ(find_option(name_of(option)), &option) << option.flag;
    if (option.section.empty()) continue;
    EXPECT_EQ(find_key(option.section, key_of(option)), &option) << option.flag;
    EXPECT_EQ(find_option(std::string(option.section) + '.' + key_of(option)), &option);
  }
  EXPECT_EQ(find_option("kind"), find_option("model"));
  EXPECT_EQ(find_option("no_such_thing"), nullptr);
}

TEST(OptionTable, every_option_has_help_a_group_and_a_known_section) {
  for (const Option& option : option_table()) {
    EXPECT_FALSE(option.help.empty()) << option.flag;
    EXPECT_FALSE(option.group.empty()) << option.flag;
    EXPECT_NE(option.commands, 0u) << option.flag;
    if (!option.section.empty()) {
      EXPECT_NE(std::find(sections().begin(), sections().end(), option.section), sections().end())
          << option.flag;
    }
    if (!option.excludes.empty()) {
      EXPECT_NE(find_option(option.excludes), nullptr) << option.flag;
    }
  }
}

TEST(OptionTable, every_default_is_a_value_the_option_takes) { EXPECT_NO_THROW(Settings()); }

TEST(Help, contains_every_option_of_the_command) {
  for (const auto& page : command_pages()) {
    const std::string help = command_help(page);
    for (const Option& option : option_table()) {
      if ((option.commands & page.bit) == 0) continue;
      const std::string shown = option.section.empty() && !option.positional.empty()
                                    ? std::string(option.positional)
                                    : "--" + std::string(option.flag);
      EXPECT_NE(help.find(shown), std::string::npos) << page.name << ' ' << shown;
    }
  }
}

TEST(Help, fits_into_a_hundred_columns_and_has_examples) {
  for (const auto& page : command_pages()) {
    const std::string help = command_help(page);
    for (const auto& line : split(help, '\n')) EXPECT_LE(line.size(), 100u) << line;
    EXPECT_NE(help.find("Examples:"), std::string::npos);
    EXPECT_NE(help.find("Exit codes:"), std::string::npos);
    EXPECT_GE(std::count(page.examples.begin(), page.examples.end(), '#'), 3) << page.name;
  }
  for (const auto& line : split(general_help(), '\n')) EXPECT_LE(line.size(), 100u) << line;
}

// An example that does not parse teaches a mistake.
TEST(Help, gives_examples_that_the_program_accepts) {
  for (const auto& page : command_pages()) {
    for (const auto& line : split(page.examples, '\n')) {
      const std::string start = "svrg " + std::string(page.name);
      auto command = line.substr(0, line.find_first_of(">|"));
      if (line.starts_with('#') || command.find(start) == std::string::npos) continue;
      std::vector<std::string> words;
      for (const auto& word : split(command.substr(command.find(start) + 5), ' '))
        if (!word.empty()) words.push_back(word);
      // The file of the example is not here.
      const auto config = std::find(words.begin(), words.end(), "-c");
      if (config != words.end()) {
        words.erase(config, config + 2);
        if (page.bit == command::train) words.emplace_back("data.svm");
      }
      EXPECT_EQ(testing::error_of_line(words), "no error") << line;
    }
  }
}

TEST(Help, lists_every_command) {
  for (const auto& page : command_pages())
    EXPECT_NE(general_help().find("  " + std::string(page.name)), std::string::npos);
}

}  // namespace
}  // namespace svrg::app
