#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "option_table.hpp"
#include "quantity.hpp"

namespace svrg::app {

/// Where a value came from; a later one wins.
enum class Source { fallback, file, environment, command_line };

/// The value of every option, checked, and where it came from. Getters take the option's name with
/// underscores ("batch_size"); a name that is not in the table, or a getter that does not fit the
/// value, is a bug and ends with exit code 70.
class Settings {
 public:
  Settings();  // the defaults

  /// Sets a value unless one from a higher source is there. `place` is named in errors.
  /// @throws ConfigError
  void set(const Option& option, std::string_view text, Source source, std::string_view place);
  /// Lets the higher source win between options that say the same thing: where C is given there is
  /// no l2 afterwards, not even its default.
  /// @throws ConfigError if both come from the same source
  void settle();

  /// True if there is a value, given or default.
  bool has(std::string_view name) const { return at(name).present; }
  /// True if the value is not the table's default.
  bool given(std::string_view name) const { return at(name).source != Source::fallback; }
  Source source(std::string_view name) const { return at(name).source; }
  /// "--epochs", "SVRG_EPOCHS" or "run.toml:3:10: epochs": the start of an error about this value.
  std::string place(std::string_view name) const;
  /// True if the value is this word: is("learning_rate", "auto").
  bool is(std::string_view name, std::string_view word) const { return text(name) == word; }

  std::string text(std::string_view name) const;  // empty if there is none
  bool flag(std::string_view name) const;
  Index integer(std::string_view name) const;
  double number(std::string_view name) const;
  double duration(std::string_view name) const;  // seconds
  Index size(std::string_view name) const;       // bytes
  Scaled scaled(std::string_view name) const;
  Period period(std::string_view name) const;
  std::vector<std::string> list(std::string_view name) const;

  /// The complete effective config. Read back with config_file.hpp it gives the same settings.
  std::string to_toml() const;
  /// The same with a comment behind each value that is not a default: where it came from.
  std::string to_toml_with_sources() const;

  /// Things to tell the user that are no errors; printed once by whoever owns the screen.
  void warn(std::string message) { warnings_.push_back(std::move(message)); }
  const std::vector<std::string>& warnings() const noexcept { return warnings_; }

 private:
  struct Value {
    std::string text;
    bool present = false;
    Source source = Source::fallback;
    std::string place;
  };
  const Value& at(std::string_view name) const;
  Value& at(const Option& option);
  std::string write_toml(bool sources) const;

  std::vector<Value> values_;  // one for each row of the table
  std::vector<std::string> warnings_;
};

/// The seconds that this run may take from now on: the option, or the time until the end of the
/// SLURM job; infinite without either.
double time_limit_seconds(const Settings& settings);

}  // namespace svrg::app
