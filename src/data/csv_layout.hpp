#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "svrg/data/text_reader.hpp"

namespace svrg::text {

/// What the first lines of a CSV file and the options say about all others.
struct CsvLayout {
  char separator = ',';
  bool header = false;
  Index width = 0;    // fields of a line
  Index columns = 0;  // features among them
  /// What a field is: feature 0 … columns − 1, columns: the label, columns + 1: the weight.
  std::vector<Index> target;
  bool labelled = false, weighted = false;
  std::vector<std::string> field_names;    // of the header, [width]; empty without
  std::vector<std::string> feature_names;  // in the order of features; empty without header
  Index first_line = 1;                    // the line that fixed all this
  std::size_t body = 0;                    // offset of the first line after the header
  Index lines_before = 0;                  // of the body
};

/// Local; the same on every rank that gives the same text.
/// @throws DataError "PATH:LINE:COLUMN: what; remedy"
CsvLayout find_csv_layout(const std::string& path, std::string_view text,
                          const ReadOptions& options);

/// The first lines that hold rows, at most `most`, within the first MiB.
struct HeadLine {
  std::string_view text;
  Index number;        // from 1
  std::size_t offset;  // of its first byte in the text
};
std::vector<HeadLine> head_lines(std::string_view text, std::size_t most);

}  // namespace svrg::text
