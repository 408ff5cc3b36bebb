#include "data/csv_fields.hpp"

#include <algorithm>
#include <array>

#include "data/number_parse.hpp"

namespace svrg::text {
namespace {

bool is_blank(char c, char separator) {
  return c != separator && (c == ' ' || c == '\t' || c == '\r');
}

// Reads one field of `line` from `at` on; returns where the next separator (or the end) is.
std::size_t read_field(std::string_view line, std::size_t at, char separator, bool by_blanks,
                       CsvLine& out) {
  const auto ends_field = [&](char c) {
    return c == separator || (by_blanks && (c == '\t' || c == '\r'));
  };
  CsvField field;
  field.offset = static_cast<Index>(at);
  if (at < line.size() && line[at] == '"') {
    field.quoted = true;
    for (++at;; ++at) {
      if (at >= line.size()) {
        out.problem = "quote not closed; a quoted field may not contain a line break";
        out.problem_offset = field.offset;
        return line.size();
      }
      if (line[at] != '"') {
        field.text.push_back(line[at]);
      } else if (at + 1 < line.size() && line[at + 1] == '"') {
        field.text.push_back(line[++at]);
      } else {
        break;
      }
    }
    ++at;
    while (at < line.size() && is_blank(line[at], separator) && !by_blanks) ++at;
    if (at < line.size() && !ends_field(line[at])) {
      out.problem = "text after a closing quote; double a quote that belongs to the field";
      out.problem_offset = static_cast<Index>(at);
      return line.size();
    }
  } else {
    const std::size_t begin = at;
    while (at < line.size() && !ends_field(line[at])) ++at;
    std::string_view text = line.substr(begin, at - begin);
    while (!text.empty() && is_blank(text.back(), separator)) text.remove_suffix(1);
    field.text = text;
  }
  out.fields.push_back(std::move(field));
  return at;
}

}  // namespace

CsvLine split_csv(std::string_view line, char separator) {
  const bool by_blanks = separator == ' ';
  CsvLine out;
  std::size_t at = 0;
  while (true) {
    while (at < line.size() && (is_blank(line[at], separator) || (by_blanks && line[at] == ' ')))
      ++at;
    if (by_blanks && at == line.size()) return out;
    at = read_field(line, at, separator, by_blanks, out);
    if (out.problem != nullptr || at == line.size()) return out;
    ++at;
  }
}

std::optional<double> number_of(std::string_view field) {
  while (!field.empty() && (field.front() == ' ' || field.front() == '\t')) field.remove_prefix(1);
  while (!field.empty() && (field.back() == ' ' || field.back() == '\t')) field.remove_suffix(1);
  // The parser stops at a line end, and may look at what is behind.
  const std::string text = std::string(field).append(1 + readable_behind, '\n');
  double value = 0;
  if (parse_decimal(text.data(), value) != text.data() + field.size()) return std::nullopt;
  return value;
}

bool is_missing(std::string_view field) {
  constexpr std::array<std::string_view, 12> names = {"",     "NA",   "N/A",  "n/a", "na",   "NULL",
                                                      "null", "None", "none", "?",   "<NA>", "-"};
  return std::find(names.begin(), names.end(), field) != names.end();
}

bool holds_row(std::string_view line, char separator) {
  const auto first = std::find_if(line.begin(), line.end(), [&](char c) {
    return !is_blank(c, separator) && !(separator == ' ' && c == ' ');
  });
  return first != line.end() && *first != '#';
}

}  // namespace svrg::text
