#pragma once
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "svrg/core/types.hpp"

namespace svrg {

/// The value of a keyword argument, as MXNet's Python interface takes them: None, a bool, a number,
/// a text, or a tuple of numbers.
class Value {
 public:
  using Tuple = std::vector<double>;
  Value() = default;  // None
  Value(bool value) : held_(value) {}
  template <std::integral T>
  requires(!std::same_as<T, bool>) Value(T value) : held_(static_cast<std::int64_t>(value)) {}
  template <std::floating_point T>
  Value(T value) : held_(static_cast<double>(value)) {}
  Value(const char* value) : held_(std::string(value)) {}
  Value(std::string value) : held_(std::move(value)) {}
  Value(Tuple values) : held_(std::move(values)) {}
  Value(const std::vector<Index>& values) : held_(Tuple(values.begin(), values.end())) {}
  template <class T>
  requires std::is_arithmetic_v<T> Value(std::initializer_list<T> values)
      : held_(Tuple(values.begin(), values.end())) {}

  bool none() const noexcept { return held_.index() == 0; }
  /// As Python's str(): "True", "0.5", "(3, 3)"; what symbol.json holds.
  std::string text() const;
  const auto& held() const noexcept { return held_; }

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Tuple> held_;
};

/// Keyword arguments by name: {{"learning_rate", 0.1}, {"momentum", 0.9}}.
using Options = std::map<std::string, Value, std::less<>>;

/// Takes typed values out of Options; a text is read as the type asked for, so that "0.9", "True"
/// and "(2, 2)" of a JSON file will do. Then done() refuses what nobody asked for.
/// All but done() throw ConfigError("<owner>: <name> …") on a value of the wrong type.
class OptionReader {
 public:
  /// `owner` opens the messages: "optimizer sgd", "operator Convolution 'conv1'". Both must outlive
  /// this.
  OptionReader(std::string owner, const Options& options);
  bool has(std::string_view name);  // given, and not None
  /// The option's value, or `otherwise` where it is not given. @throws ConfigError on another type
  bool flag(std::string_view name, bool otherwise);
  /// Likewise a whole number.
  Index integer(std::string_view name, Index otherwise);
  /// Likewise a number.
  double real(std::string_view name, double otherwise);
  /// Likewise a text.
  std::string text(std::string_view name, std::string otherwise);
  /// Whole numbers; a lone one is a tuple of one.
  std::vector<Index> tuple(std::string_view name, std::vector<Index> otherwise);
  /// One of `choices`.
  std::string choice(std::string_view name, std::string otherwise,
                     std::initializer_list<std::string_view> choices);
  /// Reads nothing, lets the name pass.
  void ignore(std::string_view name) { has(name); }
  /// @throws ConfigError where a required one is absent.
  Index required_integer(std::string_view name);
  /// Likewise whole numbers.
  std::vector<Index> required_tuple(std::string_view name);
  /// @throws ConfigError naming the first option that was never asked for, and those that exist.
  void done() const;
  /// @throws ConfigError that opens with the owner and the option's name.
  [[noreturn]] void fail(std::string_view name, const std::string& what) const;

 private:
  const Value* find(std::string_view name);
  std::string owner_;
  const Options& options_;
  std::vector<std::string> asked_;
};

}  // namespace svrg
