#pragma once
#include <optional>

#include "data/csv_fields.hpp"
#include "data/csv_layout.hpp"
#include "data/text_parser.hpp"

namespace svrg::text {

/// Rows of a CSV file (RFC 4180, any of four separators), one a line.
class CsvParser final : public TextParser {
 public:
  CsvParser(std::string path, std::string_view text, const ReadOptions& options);
  void scan(std::string_view block, Scan& scan) const override;
  void settle(const Scan&) override {}
  Index parse(std::string_view block, Index first_line, RowBlock& rows) override;

 private:
  template <bool by_blanks>
  const char* parse_numbers(const char* p);
  void parse_fields(std::string_view line, Index number);
  double parse_field(std::string_view line, Index number, const CsvField& field,
                     Index column) const;
  void end_row(RowBlock& rows) const;
  Index count_nonzeros(std::string_view line) const;
  bool begins_dense() const;
  template <bool by_blanks>
  Index count_by_fields(std::string_view line) const;
  Index count_quoted_nonzeros(std::string_view line) const;
  std::string column_name(Index column) const;

  CsvLayout layout_;
  bool allow_nonfinite_, labels_required_, surely_dense_ = false;
  double largest_value_;     // of the storage type
  std::vector<double> row_;  // features, then label, then weight
};

}  // namespace svrg::text
