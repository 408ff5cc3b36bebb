#include "value_check.hpp"

#include <fmt/format.h>

#include <optional>

#include "quantity.hpp"
#include "svrg/core/error.hpp"
#include "svrg/core/suggest.hpp"
#include "text.hpp"

namespace svrg::app {
namespace {

[[noreturn]] void refuse(std::string_view place, std::string_view why) {
  throw ConfigError(fmt::format("{}: {}", place, why));
}

std::string or_words(const Option& option) {
  std::string text;
  for (const auto& word : split(option.choices, '|')) text += " or '" + word + "'";
  return text;
}

[[noreturn]] void refuse_form(const Option& option, std::string_view text, std::string_view place,
                              std::string_view expected) {
  refuse(place, fmt::format("must be {}{}, got '{}'", expected, or_words(option), text));
}

void check_range(const Option& option, double value, std::string_view text,
                 std::string_view place) {
  const Range& range = option.range;
  if (range.open && value <= range.low)
    refuse(place, fmt::format("must be above {}, got {}", range.low, text));
  if (value < range.low) refuse(place, fmt::format("must be at least {}, got {}", range.low, text));
  if (value > range.high)
    refuse(place, fmt::format("must be at most {}, got {}", range.high, text));
}

std::string checked_choice(const Option& option, std::string_view text, std::string_view place) {
  if (has_word(option.choices, text)) return std::string(text);
  const auto words = split(option.choices, '|');
  refuse(place, fmt::format("must be one of {}; got '{}'{}", join(words, ", "), text,
                            did_you_mean(text, words)));
}

std::string checked_flag(std::string_view text, std::string_view place) {
  for (std::string_view yes : {"true", "yes", "on", "1"})
    if (text == yes) return "true";
  for (std::string_view no : {"false", "no", "off", "0"})
    if (text == no) return "false";
  refuse(place, fmt::format("must be true or false, got '{}'", text));
}

void check_text(const Option& option, std::string_view text, std::string_view place) {
  try {
    if (option.check) option.check(text);
  } catch (const ConfigError& error) {
    refuse(place, error.what());
  }
}

std::string checked_list(const Option& option, std::string_view text, std::string_view place) {
  auto items = split(text, ',');
  for (auto& item : items) {
    item = trimmed(item);
    if (item.empty()) refuse(place, fmt::format("has an empty item in '{}'", text));
    if (!option.choices.empty()) item = checked_choice(option, item, place);
    check_text(option, item, place);
  }
  return join(items, ",");
}

// What a quantity is recorded as, and the number that its range speaks of.
struct Quantity {
  double number;
  std::string text;
};

std::optional<Quantity> parse_quantity(Type type, std::string_view text) {
  switch (type) {
    case Type::integer:
      if (const auto v = parse_integer(text))
        return Quantity{static_cast<double>(*v), fmt::to_string(*v)};
      return {};
    case Type::number:
      if (const auto v = parse_number(text)) return Quantity{*v, fmt::to_string(*v)};
      return {};
    case Type::scaled:
      if (const auto v = parse_scaled(text))
        return Quantity{v->value, fmt::to_string(v->value) + (v->per_row ? "/n" : "")};
      return {};
    case Type::duration:
      if (const auto v = parse_duration(text)) return Quantity{*v, std::string(text)};
      return {};
    case Type::period:
      if (const auto v = parse_period(text))
        return Quantity{v->seconds > 0 ? v->seconds : static_cast<double>(v->epochs),
                        std::string(text)};
      return {};
    case Type::size:
      if (const auto v = parse_size(text))
        return Quantity{static_cast<double>(*v), std::string(text)};
      return {};
    default:
      return {};
  }
}

std::string_view form_of(Type type) {
  switch (type) {
    case Type::integer:
      return "a whole number";
    case Type::number:
      return "a number";
    case Type::scaled:
      return "a number, or one over n such as 0.1/n";
    case Type::duration:
      return "a time such as 1h50m, 20s or 90";
    case Type::period:
      return "a number of epochs or a time such as 10m";
    case Type::size:
      return "a size such as 4G or 512M";
    default:
      return "a text";
  }
}

}  // namespace

std::string checked_value(const Option& option, std::string_view text, std::string_view place) {
  if (option.type == Type::list) return checked_list(option, text, place);
  if (text.empty()) refuse(place, "needs a value");
  switch (option.type) {
    case Type::text:
      check_text(option, text, place);
      return std::string(text);
    case Type::path:
      return std::string(text);
    case Type::flag:
      return checked_flag(text, place);
    case Type::choice:
      return checked_choice(option, text, place);
    default:
      break;
  }
  if (has_word(option.choices, text)) return std::string(text);
  const auto quantity = parse_quantity(option.type, text);
  if (!quantity) refuse_form(option, text, place, form_of(option.type));
  check_range(option, quantity->number, text, place);
  return quantity->text;
}

}  // namespace svrg::app
