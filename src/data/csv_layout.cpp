// Separator, header and columns are read off the head of the file, which every rank has mapped: all
// come to the same layout without a word.
#include "data/csv_layout.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <unordered_map>

#include "data/csv_fields.hpp"
#include "data/text_file.hpp"
#include "data/text_parser.hpp"
#include "svrg/core/error.hpp"

namespace svrg::text {
namespace {

constexpr std::size_t head_bytes = std::size_t{1} << 20;
constexpr std::size_t lines_to_judge = 20;

constexpr std::size_t names_shown = 200;  // bytes of a list of names in a message

using NameIndex = std::unordered_map<std::string_view, Index>;

Index find_in(const NameIndex& names, const std::string& name) {
  const auto at = names.find(name);
  return at == names.end() ? -1 : at->second;
}

std::string shown_list(const std::vector<std::string>& names) {
  return shown(fmt::format("{}", fmt::join(names, ", ")), names_shown);
}

std::string lower(std::string_view text) {
  std::string answer(text);
  for (char& c : answer) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return answer;
}

std::optional<Index> whole_number(const std::string& text) {
  Index number = 0;
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  return result.ec == std::errc() && result.ptr == end ? std::optional(number) : std::nullopt;
}

// A number, or one with a decimal comma: what a field looks like under the right separator.
bool looks_numeric(const std::string& field, char separator) {
  std::string text = field;
  if (separator != ',') std::replace(text.begin(), text.end(), ',', '.');
  return is_missing(text) || number_of(text).has_value();
}

// How well a separator explains the first lines: the number of fields that look like numbers among
// the rows, counted only if all lines have the same number of fields, of two or more.
Index merit(const std::vector<HeadLine>& head, char separator) {
  std::size_t width = 0;
  Index numbers = 0, fields = 0;
  for (const HeadLine& line : head) {
    const CsvLine cut = split_csv(line.text, separator);
    if (cut.problem != nullptr) return -1;
    if (width == 0) width = cut.fields.size();
    if (cut.fields.size() != width || width < 2) return -1;
    if (&line == &head.front() && head.size() > 1) continue;  // perhaps a header
    for (const CsvField& field : cut.fields) numbers += looks_numeric(field.text, separator);
    fields += static_cast<Index>(cut.fields.size());
  }
  return fields == 0 ? -1 : 1000 * numbers / fields;
}

char find_separator(const std::vector<HeadLine>& head) {
  char best = 0;
  Index most = -1;
  for (const char separator : {',', ';', '\t', ' '})
    if (const Index m = merit(head, separator); m > most) {
      most = m;
      best = separator;
    }
  if (best != 0) return best;
  // Ragged or of one column: the separator that the first line has most of; rows will be refused.
  const std::string_view first = head.front().text;
  for (const char separator : {',', ';', '\t', ' '})
    if (std::count(first.begin(), first.end(), separator) > 0) return separator;
  return ',';
}

bool is_header(const std::vector<CsvField>& fields) {
  return std::any_of(fields.begin(), fields.end(), [](const CsvField& f) {
    return !is_missing(f.text) && !number_of(f.text).has_value();
  });
}

// Finds columns in the first line and says what is wrong with it.
class LayoutFinder {
 public:
  LayoutFinder(const std::string& path, const ReadOptions& options, CsvLayout& layout,
               const std::vector<CsvField>& fields)
      : path_(path), options_(options), layout_(layout), fields_(fields) {
    for (const std::string& name : options.feature_names)
      model_.emplace(name, static_cast<Index>(model_.size()));
  }

  void name_fields();
  void find_columns();

 private:
  [[noreturn]] void fail(Index offset, const std::string& what) const {
    throw DataError(fmt::format("{}:{}:{}: {}", path_, layout_.first_line, offset + 1, what));
  }
  Index find_name(const std::string& name) const { return find_in(header_, name); }
  std::optional<Index> column(const std::string& wanted) const;
  Index find_column(const std::string& wanted, const char* option) const;
  Index find_label(Index weight) const;
  bool of_model(const std::string& name) const { return find_in(model_, name) >= 0; }
  void match_names(const std::vector<Index>& features);
  void check_width() const;

  const std::string& path_;
  const ReadOptions& options_;
  CsvLayout& layout_;
  const std::vector<CsvField>& fields_;
  NameIndex header_, model_;  // where a name is
};

void LayoutFinder::name_fields() {
  for (const CsvField& field : fields_) {
    if (field.text.empty())
      fail(field.offset,
           "a column of the header has no name; name it, or drop the column (pandas: "
           "to_csv(index=False))");
    if (!header_.emplace(field.text, static_cast<Index>(header_.size())).second)
      fail(field.offset, fmt::format("two columns are named '{}'; rename one", shown(field.text)));
    layout_.field_names.push_back(field.text);
  }
}

// By name, else by number from 1 or, from the end, −1; nothing where there is no such column.
std::optional<Index> LayoutFinder::column(const std::string& wanted) const {
  if (const Index at = find_name(wanted); at >= 0) return at;
  const auto number = whole_number(wanted);
  if (!number || *number == 0) return std::nullopt;
  const Index at = *number > 0 ? *number - 1 : layout_.width + *number;
  return at >= 0 && at < layout_.width ? std::optional(at) : std::nullopt;
}

Index LayoutFinder::find_column(const std::string& wanted, const char* option) const {
  if (const auto at = column(wanted)) return *at;
  if (const auto number = whole_number(wanted))
    fail(0, fmt::format("{} {} is not one of {} columns; count from 1, or from -1 at the end",
                        option, *number, layout_.width));
  if (!layout_.header)
    fail(0, fmt::format("{} '{}', but the file has no header; give the column's number", option,
                        shown(wanted)));
  fail(0, fmt::format("no column '{}' for {}; the header has {}", shown(wanted), option,
                      shown_list(layout_.field_names)));
}

// The label's column or −1: as told, else by a usual name, else the first unless labels are
// optional and what is known of the model leaves no column for one.
Index LayoutFinder::find_label(Index weight) const {
  if (!options_.label_column.empty()) {
    const bool optional =
        !options_.labels_required && layout_.header && !options_.feature_names.empty();
    if (!optional) return find_column(options_.label_column, "--label-column");
    const auto at = column(options_.label_column);
    return at && !of_model(layout_.field_names[static_cast<std::size_t>(*at)]) ? *at : -1;
  }
  for (const char* usual : {"label", "target", "class", "y"})
    for (Index c = 0; c < static_cast<Index>(layout_.field_names.size()); ++c) {
      const std::string& name = layout_.field_names[static_cast<std::size_t>(c)];
      if (lower(name) == usual && c != weight && !of_model(name)) return c;
    }
  const Index first = weight == 0 ? 1 : 0;
  if (layout_.header && !options_.feature_names.empty()) {
    if (first < layout_.width && !of_model(layout_.field_names[static_cast<std::size_t>(first)]) &&
        options_.labels_required)
      return first;
    if (options_.labels_required)
      fail(0, "no column for the label besides the model's features; give --label-column");
    return -1;
  }
  const Index others = layout_.width - (weight >= 0 ? 1 : 0);
  const Index known = options_.feature_names.empty()
                          ? options_.columns.value_or(-1)
                          : static_cast<Index>(options_.feature_names.size());
  return !options_.labels_required && known == others ? -1 : first;
}

void LayoutFinder::find_columns() {
  const Index weight =
      options_.weight_column.empty() ? -1 : find_column(options_.weight_column, "--weight-column");
  const Index label = find_label(weight);
  if (label >= 0 && label == weight)
    fail(0, "--label-column and --weight-column name the same column");
  if (label >= layout_.width)
    fail(0, "one column only; is the separator none of comma, semicolon, tab and blank?");
  layout_.labelled = label >= 0;
  layout_.weighted = weight >= 0;
  std::vector<Index> features;
  for (Index c = 0; c < layout_.width; ++c)
    if (c != label && c != weight) features.push_back(c);
  if (features.empty())
    fail(0, "no feature column; is the separator none of comma, semicolon, tab and blank?");
  layout_.columns = static_cast<Index>(features.size());
  check_width();
  layout_.target.resize(static_cast<std::size_t>(layout_.width));
  if (label >= 0) layout_.target[static_cast<std::size_t>(label)] = layout_.columns;
  if (weight >= 0) layout_.target[static_cast<std::size_t>(weight)] = layout_.columns + 1;
  match_names(features);
}

// Gives each feature column its number: its place in the file or, by name, in the model.
void LayoutFinder::match_names(const std::vector<Index>& features) {
  const auto& wanted = options_.feature_names;
  for (std::size_t i = 0; i < features.size(); ++i)
    layout_.target[static_cast<std::size_t>(features[i])] = static_cast<Index>(i);
  if (!layout_.header) return;
  if (wanted.empty()) {
    for (const Index c : features)
      layout_.feature_names.push_back(layout_.field_names[static_cast<std::size_t>(c)]);
    return;
  }
  for (const Index c : features) {
    const std::string& name = layout_.field_names[static_cast<std::size_t>(c)];
    const Index at = find_in(model_, name);
    if (at < 0)
      fail(fields_[static_cast<std::size_t>(c)].offset,
           fmt::format("unknown column '{}'; the model has {}", shown(name), shown_list(wanted)));
    layout_.target[static_cast<std::size_t>(c)] = at;
  }
  for (const std::string& name : wanted)
    if (const Index at = find_name(name);
        at < 0 || layout_.target[static_cast<std::size_t>(at)] >= layout_.columns)
      fail(0, fmt::format("column '{}' of the model is missing", shown(name)));
  layout_.feature_names = wanted;
}

void LayoutFinder::check_width() const {
  const Index found = layout_.columns;
  if (found > std::min(options_.max_columns, Index{1} << 31))
    fail(0, fmt::format("{} feature columns, the limit is {}; raise --max-features", found,
                        options_.max_columns));
  if (layout_.header && !options_.feature_names.empty()) return;  // compared by name
  const Index wanted = options_.feature_names.empty()
                           ? options_.columns.value_or(found)
                           : static_cast<Index>(options_.feature_names.size());
  if (found != wanted)
    fail(0, fmt::format("{} feature column{}, the model has {}; check --label-column and "
                        "--n-features",
                        found, found == 1 ? "" : "s", wanted));
}

}  // namespace

std::vector<HeadLine> head_lines(std::string_view text, std::size_t most) {
  std::vector<HeadLine> lines;
  Index number = 1;
  for (std::size_t at = 0; at < text.size() && lines.size() < most; ++number) {
    if (at >= head_bytes && !lines.empty()) break;
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    if (static_cast<Index>(line.size()) > longest_line) break;  // will be refused
    if (holds_row(line, 0)) lines.push_back({line, number, at});
    at = end + 1;
  }
  return lines;
}

CsvLayout find_csv_layout(const std::string& path, std::string_view text,
                          const ReadOptions& options) {
  if (std::string_view("0123456789+-.eE\"\n\r#").find(options.separator) != std::string_view::npos)
    throw DataError(
        fmt::format("{}: '{}' cannot separate fields; use comma, semicolon, tab or blank", path,
                    shown({&options.separator, 1})));
  CsvLayout layout;
  const auto head = head_lines(text, lines_to_judge);
  if (head.empty()) return layout;  // no rows, or a line of excessive length
  layout.separator = options.separator != 0 ? options.separator : find_separator(head);
  const HeadLine& first = head.front();
  layout.first_line = first.number;
  const CsvLine cut = split_csv(first.text, layout.separator);
  if (cut.problem != nullptr)
    throw DataError(
        fmt::format("{}:{}:{}: {}", path, first.number, cut.problem_offset + 1, cut.problem));
  layout.width = static_cast<Index>(cut.fields.size());
  layout.header = is_header(cut.fields);
  LayoutFinder finder(path, options, layout, cut.fields);
  if (layout.header) finder.name_fields();
  finder.find_columns();
  if (layout.header) {
    layout.body = std::min(first.offset + first.text.size() + 1, text.size());
    layout.lines_before = first.number;
  }
  return layout;
}

}  // namespace svrg::text
