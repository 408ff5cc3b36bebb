// Values come from C++ literals, from JSON and from symbol.json's texts: one reader for all three.
#include "svrg/core/options.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "svrg/core/error.hpp"

namespace svrg {
namespace {

std::string number_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  std::string text(buffer, end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

bool whole(double value) { return std::nearbyint(value) == value && std::abs(value) < 1e15; }

std::optional<double> number_of(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == 'L')) text.remove_suffix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

std::optional<Value::Tuple> tuple_of(std::string_view text) {
  const auto bracket = [](char c) { return c == '(' || c == ')' || c == '[' || c == ']'; };
  std::string inner(text);
  std::erase_if(inner, bracket);
  Value::Tuple values;
  for (std::size_t at = 0; at < inner.size();) {
    const std::size_t comma = std::min(inner.find(',', at), inner.size());
    const std::string_view item = std::string_view(inner).substr(at, comma - at);
    if (item.find_first_not_of(' ') != std::string_view::npos) {
      const auto value = number_of(item);
      if (!value) return {};
      values.push_back(*value);
    }
    at = comma + 1;
  }
  return values;
}

std::optional<double> number_in(const Value& value) {
  if (const auto* i = std::get_if<std::int64_t>(&value.held())) return static_cast<double>(*i);
  if (const auto* d = std::get_if<double>(&value.held())) return *d;
  if (const auto* b = std::get_if<bool>(&value.held())) return *b ? 1 : 0;
  if (const auto* s = std::get_if<std::string>(&value.held())) return number_of(*s);
  return {};
}

}  // namespace

std::string Value::text() const {
  struct Writer {
    std::string operator()(std::monostate) const { return "None"; }
    std::string operator()(bool value) const { return value ? "True" : "False"; }
    std::string operator()(std::int64_t value) const { return std::to_string(value); }
    std::string operator()(double value) const { return number_text(value); }
    std::string operator()(const std::string& value) const { return value; }
    std::string operator()(const Tuple& values) const {
      std::string text = "(";
      for (const double v : values) {
        if (text.size() > 1) text += ", ";
        text += whole(v) ? std::to_string(static_cast<std::int64_t>(v)) : number_text(v);
      }
      return text + (values.size() == 1 ? ",)" : ")");
    }
  };
  return std::visit(Writer{}, held_);
}

OptionReader::OptionReader(std::string owner, const Options& options)
    : owner_(std::move(owner)), options_(options) {}

const Value* OptionReader::find(std::string_view name) {
  asked_.emplace_back(name);
  const auto at = options_.find(name);
  if (at == options_.end() || at->second.none()) return nullptr;
  const auto* text = std::get_if<std::string>(&at->second.held());
  return text && *text == "None" ? nullptr : &at->second;
}

void OptionReader::fail(std::string_view name, const std::string& what) const {
  throw ConfigError(owner_ + ": " + std::string(name) + " " + what);
}

bool OptionReader::has(std::string_view name) { return find(name) != nullptr; }

bool OptionReader::flag(std::string_view name, bool otherwise) {
  const Value* value = find(name);
  if (!value) return otherwise;
  if (const auto* text = std::get_if<std::string>(&value->held())) {
    if (*text == "True" || *text == "true") return true;
    if (*text == "False" || *text == "false") return false;
  }
  const auto number = number_in(*value);
  if (!number) fail(name, "must be true or false, got " + value->text());
  return *number != 0;
}

double OptionReader::real(std::string_view name, double otherwise) {
  const Value* value = find(name);
  if (!value) return otherwise;
  const auto number = number_in(*value);
  if (!number) fail(name, "must be a number, got " + value->text());
  return *number;
}

Index OptionReader::integer(std::string_view name, Index otherwise) {
  const Value* value = find(name);
  if (!value) return otherwise;
  const auto number = number_in(*value);
  if (!number || !whole(*number)) fail(name, "must be a whole number, got " + value->text());
  return static_cast<Index>(*number);
}

std::string OptionReader::text(std::string_view name, std::string otherwise) {
  const Value* value = find(name);
  return value ? value->text() : std::move(otherwise);
}

std::vector<Index> OptionReader::tuple(std::string_view name, std::vector<Index> otherwise) {
  const Value* value = find(name);
  if (!value) return otherwise;
  std::optional<Value::Tuple> numbers;
  if (const auto* given = std::get_if<Value::Tuple>(&value->held())) {
    numbers = *given;
  } else if (const auto* written = std::get_if<std::string>(&value->held())) {
    numbers = tuple_of(*written);
  } else if (const auto number = number_in(*value)) {
    numbers = Value::Tuple{*number};
  }
  if (!numbers || !std::all_of(numbers->begin(), numbers->end(), whole))
    fail(name, "must be a tuple of whole numbers, got " + value->text());
  return {numbers->begin(), numbers->end()};
}

std::string OptionReader::choice(std::string_view name, std::string otherwise,
                                 std::initializer_list<std::string_view> choices) {
  std::string chosen = text(name, std::move(otherwise));
  if (std::find(choices.begin(), choices.end(), chosen) != choices.end()) return chosen;
  std::string all;
  for (const std::string_view c : choices) all += (all.empty() ? "" : ", ") + std::string(c);
  fail(name, "must be one of " + all + ", got " + chosen);
}

Index OptionReader::required_integer(std::string_view name) {
  if (!find(name)) fail(name, "is required");
  return integer(name, 0);
}

std::vector<Index> OptionReader::required_tuple(std::string_view name) {
  if (!find(name)) fail(name, "is required");
  return tuple(name, {});
}

void OptionReader::done() const {
  for (const auto& [name, value] : options_) {
    if (std::find(asked_.begin(), asked_.end(), name) != asked_.end()) continue;
    std::vector<std::string> known = asked_;
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    std::string all;
    for (const std::string& k : known) all += (all.empty() ? "" : ", ") + k;
    fail(name, "is not known; there " + (all.empty() ? "are no options" : "are " + all));
  }
}

}  // namespace svrg
