#pragma once
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace svrg::app {

/// A set of commands, as bits.
using Commands = unsigned;
namespace command {
inline constexpr Commands train = 1, evaluate = 2, predict = 4, inspect = 8, config = 16,
                          convert = 32, bench = 64, report = 128, tune = 256, all = 511;
inline constexpr Commands runs = train | config | bench,  // what tune has no use for
    trains = runs | tune, reads_data = trains | evaluate | predict | convert;
}  // namespace command

enum class Type {
  flag,      // true or false
  integer,   // 40
  number,    // 0.5
  scaled,    // 1e-4, or 0.1/n: over the number of training rows
  duration,  // 1h50m, 20s, 90
  period,    // 5 (epochs) or 10m
  size,      // 4G
  text,
  choice,  // one of `choices`
  list,    // a,b,c; each one of `choices` where there are any
  path
};

struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool open = false;  // low itself is outside
};
inline constexpr Range at_least_one{.low = 1}, not_negative{.low = 0},
    positive{.low = 0, .open = true};

/// One row of the table: the single source of a flag, its config key, its environment variable, its
/// help and what is recorded of it.
struct Option {
  std::string_view flag;              // "batch-size"; the name in C++ and --set is "batch_size"
  std::string_view short_flag = {};   // "b"
  std::string_view section = {};      // of the config file; empty: command line only
  std::string_view renamed_key = {};  // where the config key is not the flag with underscores
  std::string_view off_flag = {};     // "no-intercept": the value "no"
  std::string_view positional = {};   // "DATA": may be given by place
  Type type = Type::text;
  std::string_view default_text = {};  // empty: none
  std::string_view choices = {};  // "auto|f32|f64"; words that other types take beside their values
  Range range = {};
  std::string_view excludes = {};    // the name of an option that sets the same thing
  std::string_view value_name = {};  // in the help; empty: by type
  std::string_view group = {};       // heading in the help
  Commands commands = command::trains;
  bool repeats = false;  // values by place are all kept, one a line
  void (*check)(std::string_view item) =
      nullptr;  // of a text or of a list's item: throws ConfigError
  std::string_view help = {};
};

/// All options, in the order of the help.
std::span<const Option> option_table();

/// "batch_size": the name the program and --set use.
std::string name_of(const Option& option);
/// "batch_size"; "kind" for --model.
std::string key_of(const Option& option);
/// "SVRG_BATCH_SIZE".
std::string variable_of(const Option& option);

/// By flag, name or key, with or without the section ("train.batch_size"); null if there is none.
const Option* find_option(std::string_view name);
/// By section and config key; null if there is none.
const Option* find_key(std::string_view section, std::string_view key);

/// data, model, train, stop, output, parallel.
std::span<const std::string_view> sections();
/// True if `word` is one of "auto|f32|f64".
bool has_word(std::string_view choices, std::string_view word);

}  // namespace svrg::app
