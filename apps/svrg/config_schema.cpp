#include "config_schema.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "option_table.hpp"
#include "quantity.hpp"
#include "text.hpp"

namespace svrg::app {
namespace {

using Json = nlohmann::ordered_json;

// Texts that quantity.cpp reads; a sign that the range forbids is left out by `sign_of`.
constexpr std::string_view digits = R"((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)";
constexpr std::string_view duration_text =
    R"(^(?=\d)(\d+\.?\d*d)?(\d+\.?\d*h)?(\d+\.?\d*m)?(\d+\.?\d*s)?$)";
constexpr std::string_view size_text = R"(^\d+\.?\d*(B|[KMGT](i?B)?)?$)";
constexpr std::string_view item_text = "^[^,]+$";

// A number where the text is one, so that 40 is no string.
Json plain_value(std::string_view text) {
  if (const auto whole = parse_integer(text)) return *whole;
  if (const auto real = parse_number(text)) return *real;
  return std::string(text);
}

Json default_value(const Option& option) {
  switch (option.type) {
    case Type::flag:
      return option.default_text == "true";
    case Type::list:
      return split(option.default_text, ',');
    case Type::integer:
    case Type::number:
    case Type::scaled:
    case Type::duration:
    case Type::period:
      return plain_value(option.default_text);
    default:
      return std::string(option.default_text);
  }
}

// A file may say 1 for "1" and true for "yes".
Json words_of(const Option& option) {
  Json words = Json::array();
  for (const auto& word : split(option.choices, '|')) {
    words.push_back(word);
    if (const auto plain = plain_value(word); !plain.is_string()) words.push_back(plain);
    if (word == "yes") words.push_back(true);
    if (word == "no") words.push_back(false);
  }
  return {{"enum", words}};
}

Json bound(double value) {
  if (value == std::floor(value) && std::abs(value) < 0x1p53) return static_cast<Index>(value);
  return value;
}

Json number_of(const Option& option, std::string_view type) {
  Json number = {{"type", type}};
  const Range& range = option.range;
  if (std::isfinite(range.low))
    number[range.open ? "exclusiveMinimum" : "minimum"] = bound(range.low);
  if (std::isfinite(range.high)) number["maximum"] = bound(range.high);
  return number;
}

Json text_like(std::string_view pattern) { return {{"type", "string"}, {"pattern", pattern}}; }

// The number, the words, and the other texts that an option takes.
Json any_of(const Option& option, std::vector<Json> forms) {
  if (!option.choices.empty()) forms.push_back(words_of(option));
  if (forms.size() == 1) return forms.front();
  return {{"anyOf", forms}};
}

std::string number_text(const Option& option, std::string_view tail) {
  const std::string_view sign = option.range.low >= 0 ? "" : "-?";
  return '^' + std::string(sign) + std::string(digits) + std::string(tail) + '$';
}

Json list_of(const Option& option) {
  const Json item = option.choices.empty()
                        ? Json{{"type", {"string", "number", "boolean"}}, {"pattern", item_text}}
                        : words_of(option);
  return {{"anyOf", {{{"type", "string"}}, {{"type", "array"}, {"items", item}}}}};
}

Json form_of(const Option& option) {
  switch (option.type) {
    case Type::flag:
      return {{"type", "boolean"}};
    case Type::integer:
      return any_of(option, {number_of(option, "integer")});
    case Type::number:
      return any_of(option, {number_of(option, "number")});
    case Type::scaled:
      return any_of(option, {number_of(option, "number"), text_like(number_text(option, "(/n)?"))});
    case Type::duration:
      return any_of(option, {number_of(option, "number"), text_like(number_text(option, "")),
                             text_like(duration_text)});
    case Type::period:
      return any_of(
          option, {number_of(option, "integer"), text_like(R"(^\d+$)"), text_like(duration_text)});
    case Type::size:
      return any_of(option, {number_of(option, "number"), text_like(size_text)});
    case Type::choice:
      return words_of(option);
    case Type::list:
      return list_of(option);
    case Type::text:
    case Type::path:
      return {{"type", {"string", "number"}}, {"minLength", 1}};
  }
  return Json::object();
}

Json property(const Option& option) {
  Json value = form_of(option);
  value["description"] = option.help;
  if (!option.default_text.empty()) value["default"] = default_value(option);
  return value;
}

// Two options that say the same thing may not both be in a file; flags may, unless both are on.
Json not_both(const Option& option, const Option& other) {
  Json both = {{"required", {key_of(option), key_of(other)}}};
  if (option.type == Type::flag)
    for (const Option* one : {&option, &other})
      both["properties"][key_of(*one)] = {{"const", true}};
  return {{"not", both}};
}

Json section_schema(std::string_view section) {
  Json schema = {{"type", "object"}, {"additionalProperties", false}};
  for (const Option& option : option_table()) {
    if (option.section != section) continue;
    schema["properties"][key_of(option)] = property(option);
    if (option.excludes.empty()) continue;
    const Option& other = *find_option(option.excludes);
    if (other.section == section) schema["allOf"].push_back(not_both(option, other));
  }
  return schema;
}

}  // namespace

std::string config_schema() {
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                 {"title", "Config file of svrg"},
                 {"type", "object"},
                 {"additionalProperties", false}};
  schema["properties"]["schema"] = {{"const", 1}, {"description", "version of this layout"}};
  for (const auto section : sections())
    schema["properties"][std::string(section)] = section_schema(section);
  return schema.dump(2) + '\n';
}

}  // namespace svrg::app
