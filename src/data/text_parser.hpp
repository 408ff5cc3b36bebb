#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "svrg/core/types.hpp"

namespace svrg::text {

/// What a first, cheap pass knows of some lines. Never fails: a broken line is counted somehow, and
/// the second pass names it.
struct Scan {
  Index lines = 0, rows = 0;
  Index entries = 0;                  // of all rows
  Index largest_index = -1;           // as written; −1: no index
  bool zero_index = false;            // an index 0 is there
  std::vector<std::int32_t> lengths;  // entries of each row

  void add_row(Index row_entries);
};

/// Parsed rows, in the file's order. Kept from block to block, so it allocates once.
struct RowBlock {
  std::vector<double> labels, weights;  // weights: empty where the file has none
  std::vector<Index> starts;            // row i has entries [starts[i], starts[i+1])
  std::vector<std::int32_t> indices;    // from 0, ascending within a row
  std::vector<double> values;

  Index rows() const { return static_cast<Index>(labels.size()); }
  /// Forgets its rows and makes room for whatever so many bytes of text may hold.
  void clear(std::size_t text_bytes);
  void end_row(Index entries_end, double label);
};

/// One format of text, and all that a data set's options say about it.
class TextParser {
 public:
  explicit TextParser(std::string path) : path_(std::move(path)) {}
  virtual ~TextParser() = default;
  TextParser(const TextParser&) = delete;
  TextParser& operator=(const TextParser&) = delete;

  /// The lines with rows, and how many lines come before them.
  std::string_view body() const { return body_; }
  Index lines_before() const { return lines_before_; }
  bool weighted() const { return weighted_; }
  /// Number of features; svmlight: known after settle().
  Index columns() const { return columns_; }
  /// From this density on, rows are better stored dense.
  double dense_from() const { return dense_from_; }
  const std::vector<std::string>& feature_names() const { return feature_names_; }

  /// Adds what a block of lines holds. Local.
  virtual void scan(std::string_view block, Scan& scan) const = 0;
  /// Hears what the scan of the whole file found (lengths apart). Local, equal on all ranks.
  virtual void settle(const Scan& total) = 0;
  /// Appends the rows of a block, each line ending in '\n'; the number of its lines. Local.
  /// @throws DataError "PATH:LINE:COLUMN: what; remedy"
  virtual Index parse(std::string_view block, Index first_line, RowBlock& rows) = 0;

 protected:
  /// @param at    the broken byte       @param line_start  the first byte of its line
  [[noreturn]] void fail(Index line, const char* line_start, const char* at,
                         const std::string& what) const;

  std::string path_;
  std::string_view body_;
  Index lines_before_ = 0, columns_ = 0;
  bool weighted_ = false;
  double dense_from_ = 0.5;
  std::vector<std::string> feature_names_;
};

/// A piece of the user's text for a message: cut to `most` bytes, nothing that upsets a terminal.
std::string shown(std::string_view text, std::size_t most = 40);

/// The first byte of a line that is not blank, tab or carriage return.
inline const char* skip_blanks(const char* p) {
  while (*p == ' ' || *p == '\t' || *p == '\r') ++p;
  return p;
}
/// Whether nothing but a comment follows.
inline bool ends_row(const char* p) { return *p == '\n' || *p == '#'; }
/// Whether c can stand behind a label or value.
inline bool is_delimiter(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '#';
}
/// The token at p: all up to the next delimiter.
inline std::string_view token_at(const char* p) {
  const char* end = p;
  while (!is_delimiter(*end)) ++end;
  return {p, static_cast<std::size_t>(end - p)};
}

}  // namespace svrg::text
