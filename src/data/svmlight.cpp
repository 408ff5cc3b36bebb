// The row loop reads each byte once: every number stops at a delimiter by itself and every line at
// its '\n', so nothing is searched for in advance. What is wrong is found out afterwards, off the
// fast path, from the place where the loop stopped.
#include "data/svmlight.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "data/number_parse.hpp"

namespace svrg::text {
namespace {

constexpr Index most_columns = Index{1} << 31;  // stored indices are 32-bit

Index count_colons(std::string_view text) {
  Index total = 0;
  while (!text.empty()) {
    // A byte-wide counter per chunk lets the compiler compare 16 bytes at a time.
    const std::string_view chunk = text.substr(0, 240);
    std::uint8_t count = 0;
    for (const char c : chunk) count = static_cast<std::uint8_t>(count + (c == ':'));
    total += count;
    text.remove_prefix(chunk.size());
  }
  return total;
}

// The whole number that ends before `colon`, or −1; saturates far above any legal index.
Index number_before(std::string_view text, std::size_t colon) {
  std::size_t begin = colon;
  while (begin > 0 && is_digit(text[begin - 1])) --begin;
  if (begin == colon) return -1;
  std::uint64_t value = 0;
  for (std::size_t i = begin; i < colon; ++i)
    value =
        std::min(value * 10 + static_cast<std::uint64_t>(text[i] - '0'), std::uint64_t{1} << 40);
  return static_cast<Index>(value);
}

bool is_query(std::string_view row, std::size_t colon) {
  return colon >= 3 && row.substr(colon - 3, 3) == "qid" &&
         (colon == 3 || is_delimiter(row[colon - 4]));
}

}  // namespace

SvmlightParser::SvmlightParser(std::string path, std::string_view text, const ReadOptions& options)
    : TextParser(std::move(path)),
      index_base_(options.index_base),
      columns_given_(options.columns),
      max_columns_(std::min(options.max_columns, most_columns)),
      allow_nonfinite_(options.allow_nonfinite),
      labels_required_(options.labels_required),
      largest_value_(options.dtype == Storage::f32 ? std::numeric_limits<float>::max()
                                                   : std::numeric_limits<double>::max()) {
  body_ = text;
}

void SvmlightParser::scan(std::string_view block, Scan& scan) const {
  for (const char *p = block.data(), *end = p + block.size(); p != end;) {
    const auto* line_end =
        static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)));
    const char* start = skip_blanks(p);
    p = line_end + 1;
    ++scan.lines;
    if (ends_row(start)) continue;
    std::string_view row(start, static_cast<std::size_t>(line_end - start));
    row = row.substr(0, row.find('#'));
    Index entries = count_colons(row);
    std::size_t first = row.find(':');
    if (entries > 0 && is_query(row, first)) {
      --entries;
      first = row.find(':', first + 1);
    }
    scan.add_row(entries);
    if (entries == 0) continue;
    scan.largest_index = std::max(scan.largest_index, number_before(row, row.rfind(':')));
    if (number_before(row, first) == 0) scan.zero_index = true;
  }
}

void SvmlightParser::settle(const Scan& total) {
  const bool from_zero =
      index_base_ == IndexBase::zero || (index_base_ == IndexBase::automatic && total.zero_index);
  base_ = from_zero ? 0 : 1;
  const Index found = std::max<Index>(total.largest_index + 1 - base_, 0);
  columns_ = columns_given_.value_or(std::min(found, max_columns_));
  last_ = std::min(columns_given_.value_or(max_columns_), max_columns_) - 1 + base_;
}

Index SvmlightParser::parse(std::string_view block, Index first_line, RowBlock& rows) {
  const char* p = block.data();
  const char* const end = p + block.size();
  Index lines = 0;
  for (; p != end; ++lines) {
    const Line line{first_line + lines, p};
    p = skip_blanks(p);
    if (!ends_row(p)) p = parse_row(p, line, rows);
    if (*p != '\n')  // a comment
      p = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)));
    ++p;
  }
  return lines;
}

const char* SvmlightParser::parse_row(const char* p, Line line, RowBlock& rows) const {
  double label = 0;
  p = parse_label(p, line, label);
  if (*p == 'q') p = skip_query(p, line);
  const auto first = static_cast<std::size_t>(rows.starts.back());
  std::int32_t* index_out = rows.indices.data() + first;
  double* value_out = rows.values.data() + first;
  const Index base = base_, last = last_;
  const double largest = largest_value_;
  Index previous = base - 1;
  while (!ends_row(p)) {
    const char* const token = p;
    std::uint64_t written = 0;
    p = parse_digits(p, written);
    if (*p != ':' || p == token || p - token > 18) refuse_entry(line, token);
    const auto index = static_cast<Index>(written);
    if (index <= previous || index > last) refuse_index(line, token, index, previous);
    previous = index;
    const char* const number = p + 1;
    double value = 0;
    p = parse_short_value(number, value);
    if (p == nullptr || !is_delimiter(*p)) p = parse_decimal(number, value);
    if (p == nullptr || !is_delimiter(*p)) refuse_value(line, number, index);
    if (!(std::abs(value) <= largest)) check_nonfinite(line, number, value, index);
    *index_out++ = static_cast<std::int32_t>(index - base);
    *value_out++ = value;
    if (*p == ' ' && is_digit(p[1]))
      ++p;  // nearly always
    else
      p = skip_blanks(p);
  }
  if (previous - base >= columns_) fail_at(line, line.start, "the file changed while it was read");
  rows.end_row(value_out - rows.values.data(), label);
  return p;
}

const char* SvmlightParser::parse_label(const char* p, Line line, double& label) const {
  // "+1" is how many write a class, and a sign that parse_decimal leaves to slower code.
  const char* end = parse_decimal(p + (*p == '+' && is_digit(p[1])), label);
  if (end == nullptr || !is_delimiter(*end)) {
    const std::string_view token = token_at(p);
    if (token.find(':') == std::string_view::npos)
      fail_at(line, p,
              fmt::format("label '{}' is not a number; map the classes to numbers", shown(token)));
    if (labels_required_)
      fail_at(line, p,
              fmt::format("no label before '{}'; a line starts with its label", shown(token)));
    label = std::numeric_limits<double>::quiet_NaN();
    return p;
  }
  if (labels_required_ && !std::isfinite(label))
    fail_at(line, p,
            fmt::format("label '{}' is not a finite number; fill or drop such rows",
                        shown(token_at(p))));
  return skip_blanks(end);
}

const char* SvmlightParser::skip_query(const char* p, Line line) const {
  if (std::strncmp(p, "qid:", 4) != 0) return p;  // the row loop refuses it
  std::uint64_t query = 0;
  const char* const end = parse_digits(p + 4, query);
  if (end == p + 4 || !is_delimiter(*end))
    fail_at(line, p,
            fmt::format("'{}' is not a query number; write qid:n with a whole number",
                        shown(token_at(p))));
  return skip_blanks(end);
}

void SvmlightParser::refuse_entry(Line line, const char* at) const {
  const std::string_view token = token_at(at);
  const std::size_t colon = token.find(':');
  if (colon == std::string_view::npos)
    fail_at(line, at, fmt::format("'{}' has no ':'; write index:value", shown(token)));
  const std::string_view index = token.substr(0, colon);
  if (index.empty())
    fail_at(line, at, "no feature index before ':'; write index:value without blanks");
  const auto all_digits = [](std::string_view s) {
    return !s.empty() && std::all_of(s.begin(), s.end(), is_digit);
  };
  if (all_digits(index))
    fail_at(line, at,
            fmt::format("feature index {} beyond the limit of {} features; raise "
                        "--max-features (2147483648 at most)",
                        shown(index), max_columns_));
  if (index.front() == '-' && all_digits(index.substr(1)))
    fail_at(line, at,
            fmt::format("feature index {} is negative; indices start at {}", shown(index), base_));
  if (index == "qid") fail_at(line, at, "qid out of place; it stands once, behind the label");
  fail_at(line, at,
          fmt::format("'{}' is not a feature index; write index:value with a whole number",
                      shown(index)));
}

void SvmlightParser::refuse_value(Line line, const char* at, Index index) const {
  const std::string_view token = token_at(at);
  if (token.empty())
    fail_at(line, at,
            fmt::format("feature {} has no value; write index:value without blanks", index));
  if (token.find(',') != std::string_view::npos)
    fail_at(line, at,
            fmt::format("value '{}' of feature {} has a comma; write decimals with a point",
                        shown(token), index));
  fail_at(line, at, fmt::format("value '{}' of feature {} is not a number", shown(token), index));
}

void SvmlightParser::refuse_index(Line line, const char* at, Index index, Index previous) const {
  if (index < base_)
    fail_at(line, at,
            "feature index 0, but indices start at 1; give --index-base 0 if they start at 0");
  if (index == previous)
    fail_at(line, at,
            fmt::format("feature index {} twice; indices must ascend within a line", index));
  if (index < previous)
    fail_at(line, at,
            fmt::format("feature index {} after {}; indices must ascend within a line", index,
                        previous));
  if (columns_given_ && index - base_ >= *columns_given_)
    fail_at(line, at,
            fmt::format("feature index {} beyond the model's {} features{}; train with a "
                        "larger --n-features",
                        index, *columns_given_, base_ == 0 ? " (from 0)" : ""));
  fail_at(line, at,
          fmt::format("feature index {} beyond the limit of {} features; raise "
                      "--max-features (2147483648 at most)",
                      index, max_columns_));
}

void SvmlightParser::check_nonfinite(Line line, const char* at, double value, Index index) const {
  const std::string_view token = token_at(at);
  const bool too_large = !std::isnan(value) && std::any_of(token.begin(), token.end(), is_digit);
  if (too_large && std::isfinite(value))
    fail_at(line, at,
            fmt::format("value {} of feature {} overflows a float; use --dtype f64", shown(token),
                        index));
  if (too_large)
    fail_at(line, at,
            fmt::format("value {} of feature {} overflows a double; scale the feature",
                        shown(token), index));
  if (!allow_nonfinite_)
    fail_at(line, at,
            fmt::format("value '{}' of feature {} is not finite; fill or drop such rows, "
                        "or give --allow-nonfinite",
                        shown(token), index));
}

}  // namespace svrg::text
