#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "svrg/core/types.hpp"

namespace svrg::text {

/// One field of a line of CSV, its quotes undone and the blanks around it cut.
struct CsvField {
  std::string text;
  Index offset = 0;  // of its first byte in the line
  bool quoted = false;
};

struct CsvLine {
  std::vector<CsvField> fields;
  const char* problem = nullptr;  // what is wrong with the quotes, and where
  Index problem_offset = 0;
};

/// Cuts a line (without its '\n') by the rules of RFC 4180. A blank as separator stands for a run
/// of blanks and tabs, and those at the ends of the line separate nothing.
CsvLine split_csv(std::string_view line, char separator);

/// The field as a number, nan and inf included; nothing if it is anything else.
std::optional<double> number_of(std::string_view field);
/// Whether the field says that a value is missing: empty, NA, null, ?, … ("nan" is a number here).
bool is_missing(std::string_view field);
/// Whether the line holds a row: not blank, no comment. A tab may be a separator, hence content.
bool holds_row(std::string_view line, char separator);

}  // namespace svrg::text
