// A line of plain numbers is parsed in one sweep. At the first thing that is no plain number the
// line is cut into fields by the rules and gone through again: to undo quotes, or to say what is
// wrong and where.
#include "data/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "data/number_parse.hpp"

namespace svrg::text {
namespace {

// Below this share of non-zeros a table is stored as CSR: it then takes less than half the room.
constexpr double csr_below = 0.25;

// A shorter field without exponent is zero only if all its digits are.
constexpr Index surely_representable = 300;

const char* line_end(const char* p, const char* end) {
  return static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)));
}

template <bool by_blanks>
const char* skip_space(const char* p, char separator) {
  if constexpr (by_blanks)
    return skip_blanks(p);
  else
    while (*p != separator && (*p == ' ' || *p == '\t' || *p == '\r')) ++p;
  return p;
}

}  // namespace

CsvParser::CsvParser(std::string path, std::string_view text, const ReadOptions& options)
    : TextParser(std::move(path)),
      layout_(find_csv_layout(path_, text, options)),
      allow_nonfinite_(options.allow_nonfinite),
      labels_required_(options.labels_required),
      largest_value_(options.dtype == Storage::f32 ? std::numeric_limits<float>::max()
                                                   : std::numeric_limits<double>::max()) {
  body_ = text.substr(layout_.body);
  lines_before_ = layout_.lines_before;
  columns_ = layout_.columns;
  weighted_ = layout_.weighted;
  dense_from_ = csr_below;
  feature_names_ = layout_.feature_names;
  surely_dense_ = begins_dense();
  row_.assign(static_cast<std::size_t>(columns_) + 2, std::numeric_limits<double>::quiet_NaN());
}

// Counting non-zeros takes longer than parsing them. A file whose first rows are half full is
// stored dense without: its size in memory is then at most a few times that of its text.
bool CsvParser::begins_dense() const {
  constexpr std::size_t rows_to_judge = 1000;
  Index nonzeros = 0, rows = 0;
  for (const HeadLine& line : head_lines(body_, rows_to_judge)) {
    const std::string ended = std::string(line.text) + '\n';  // as in a block
    nonzeros += count_nonzeros(std::string_view(ended).substr(0, line.text.size()));
    ++rows;
  }
  return 2 * nonzeros > rows * columns_;
}

void CsvParser::scan(std::string_view block, Scan& scan) const {
  for (const char *p = block.data(), *end = p + block.size(); p != end;) {
    const std::string_view line(p, static_cast<std::size_t>(line_end(p, end) - p));
    p += line.size() + 1;
    ++scan.lines;
    if (!holds_row(line, layout_.separator)) continue;
    scan.add_row(surely_dense_ ? columns_ : count_nonzeros(line));
  }
}

Index CsvParser::count_nonzeros(std::string_view line) const {
  if (line.find('"') != std::string_view::npos) return count_quoted_nonzeros(line);
  return layout_.separator == ' ' ? count_by_fields<true>(line) : count_by_fields<false>(line);
}

// A field is zero if it consists of zeros, point, sign and blanks. Any other is not, unless an
// exponent makes it so small; then only parsing tells, as it does for extremely long fields.
template <bool by_blanks>
Index CsvParser::count_by_fields(std::string_view line) const {
  const char separator = layout_.separator;
  Index count = 0;
  const char* p = line.data();
  for (Index column = 0; column < layout_.width; ++column) {
    p = skip_space<by_blanks>(p, separator);
    const char* const field = p;
    bool zero = true, doubtful = false;
    for (; *p != separator && *p != '\n' && !(by_blanks && (*p == '\t' || *p == '\r')); ++p) {
      if (*p == 'e' || *p == 'E') doubtful = true;
      if (*p != '0' && *p != '.' && *p != '-' && *p != '+' && *p != ' ' && *p != '\r' && *p != '\t')
        zero = false;
    }
    if (layout_.target[static_cast<std::size_t>(column)] < columns_ && !zero) {
      if (doubtful || p - field > surely_representable)
        count += number_of({field, static_cast<std::size_t>(p - field)}).value_or(0) != 0;
      else
        ++count;
    }
    if (*p == '\n') break;
    ++p;
  }
  return count;
}

Index CsvParser::count_quoted_nonzeros(std::string_view line) const {
  const CsvLine cut = split_csv(line, layout_.separator);
  Index count = 0;
  for (std::size_t c = 0; c < std::min(cut.fields.size(), layout_.target.size()); ++c)
    if (layout_.target[c] < columns_) count += number_of(cut.fields[c].text).value_or(0) != 0;
  return count;
}

Index CsvParser::parse(std::string_view block, Index first_line, RowBlock& rows) {
  const char* p = block.data();
  const char* const end = p + block.size();
  const bool by_blanks = layout_.separator == ' ';
  Index lines = 0;
  for (; p != end; ++lines) {
    const char* after = by_blanks ? parse_numbers<true>(p) : parse_numbers<false>(p);
    if (after == nullptr) {
      after = line_end(p, end);
      const std::string_view line(p, static_cast<std::size_t>(after - p));
      p = after + 1;
      if (!holds_row(line, layout_.separator)) continue;
      parse_fields(line, first_line + lines);
    }
    p = after + 1;
    end_row(rows);
  }
  return lines;
}

// The '\n' of a line of plain numbers, after filling row_ from it; null if the line is not that.
template <bool by_blanks>
const char* CsvParser::parse_numbers(const char* p) {
  const char separator = layout_.separator;
  const Index* target = layout_.target.data();
  if (layout_.width == 0) return nullptr;
  for (Index left = layout_.width; left > 0; --left, ++target) {
    p = skip_space<by_blanks>(p, separator);
    double value = 0;
    p = parse_decimal(p, value);
    if (p == nullptr || !(std::abs(value) <= largest_value_)) return nullptr;
    const char* const number_end = p;
    p = skip_space<by_blanks>(p, separator);
    row_[static_cast<std::size_t>(*target)] = value;
    if (left == 1) break;
    if constexpr (by_blanks) {
      if (p == number_end) return nullptr;
    } else if (*p++ != separator) {
      return nullptr;
    }
  }
  const bool weight_fits = !weighted_ || row_.back() >= 0;
  return *p == '\n' && weight_fits ? p : nullptr;
}

void CsvParser::parse_fields(std::string_view line, Index number) {
  const char* const start = line.data();
  const CsvLine cut = split_csv(line, layout_.separator);
  if (cut.problem != nullptr) fail(number, start, start + cut.problem_offset, cut.problem);
  const auto found = static_cast<Index>(cut.fields.size());
  for (Index c = 0; c < std::min(found, layout_.width); ++c)
    row_[static_cast<std::size_t>(layout_.target[static_cast<std::size_t>(c)])] =
        parse_field(line, number, cut.fields[static_cast<std::size_t>(c)], c);
  if (found == layout_.width) return;
  const Index extra = found > layout_.width
                          ? cut.fields[static_cast<std::size_t>(layout_.width)].offset
                          : static_cast<Index>(line.size() - (line.ends_with('\r') ? 1 : 0));
  fail(number, start, start + extra,
       fmt::format("{} field{}, but line {} has {}", found, found == 1 ? "" : "s",
                   layout_.first_line, layout_.width));
}

double CsvParser::parse_field(std::string_view line, Index number, const CsvField& field,
                              Index column) const {
  const auto refuse = [&](const std::string& what) {
    fail(number, line.data(), line.data() + field.offset, what);
  };
  const Index target = layout_.target[static_cast<std::size_t>(column)];
  const bool is_label = target == columns_, is_weight = target == columns_ + 1;
  const std::string text = shown(field.text), name = column_name(column);
  if (is_missing(field.text)) {
    if (is_label && !labels_required_) return std::numeric_limits<double>::quiet_NaN();
    refuse(fmt::format("{} in {}; missing values are not supported: fill them or drop the row",
                       text.empty() ? "empty field" : fmt::format("missing value '{}'", text),
                       name));
  }
  const auto value = number_of(field.text);
  if (!value) {
    if (is_label)
      refuse(fmt::format("label '{}' is not a number; map the classes to numbers", text));
    if (field.text.find(',') != std::string::npos)
      refuse(fmt::format("'{}' in {} has a comma; write decimals with a point", text, name));
    refuse(fmt::format("'{}' in {} is not a number; encode text as numbers or drop the column",
                       text, name));
  }
  const double x = *value;
  if (is_weight && !(x >= 0 && std::isfinite(x)))
    refuse(fmt::format("weight {} is not a finite number of at least 0", text));
  const bool digits = field.text.find_first_of("0123456789") != std::string::npos;
  if (std::abs(x) > largest_value_ && digits)
    refuse(fmt::format("{} in {} overflows a {}", text, name,
                       std::isfinite(x) ? "float; use --dtype f64" : "double; scale the column"));
  const bool may_be_nonfinite = is_label ? !labels_required_ : allow_nonfinite_;
  if (!std::isfinite(x) && !may_be_nonfinite)
    refuse(fmt::format("'{}' in {} is not finite; fill or drop such rows{}", text, name,
                       is_label ? "" : ", or give --allow-nonfinite"));
  return x;
}

void CsvParser::end_row(RowBlock& rows) const {
  auto at = static_cast<std::size_t>(rows.starts.back());
  const auto columns = static_cast<std::size_t>(columns_);
  for (std::size_t c = 0; c < columns; ++c) {
    rows.indices[at] = static_cast<std::int32_t>(c);
    rows.values[at] = row_[c];
    at += row_[c] != 0;
  }
  rows.end_row(static_cast<Index>(at), row_[columns]);
  if (weighted_) rows.weights.push_back(row_[columns + 1]);
}

std::string CsvParser::column_name(Index column) const {
  return layout_.header ? fmt::format("column '{}'",
                                      shown(layout_.field_names[static_cast<std::size_t>(column)]))
                        : fmt::format("column {}", column + 1);
}

}  // namespace svrg::text
