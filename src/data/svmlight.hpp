#pragma once
#include "data/text_parser.hpp"
#include "svrg/data/text_reader.hpp"

namespace svrg::text {

/// `label [qid:n] index:value … [# comment]`, one row a line.
class SvmlightParser final : public TextParser {
 public:
  SvmlightParser(std::string path, std::string_view text, const ReadOptions& options);
  void scan(std::string_view block, Scan& scan) const override;
  void settle(const Scan& total) override;
  Index parse(std::string_view block, Index first_line, RowBlock& rows) override;

 private:
  struct Line {
    Index number;
    const char* start;
  };
  const char* parse_row(const char* p, Line line, RowBlock& rows) const;
  const char* parse_label(const char* p, Line line, double& label) const;
  const char* skip_query(const char* p, Line line) const;
  [[noreturn]] void fail_at(Line line, const char* at, const std::string& what) const {
    fail(line.number, line.start, at, what);
  }
  [[noreturn]] void refuse_entry(Line line, const char* at) const;
  [[noreturn]] void refuse_value(Line line, const char* at, Index index) const;
  [[noreturn]] void refuse_index(Line line, const char* at, Index index, Index previous) const;
  void check_nonfinite(Line line, const char* at, double value, Index index) const;

  IndexBase index_base_;
  std::optional<Index> columns_given_;
  Index max_columns_;
  bool allow_nonfinite_, labels_required_;
  double largest_value_;       // of the storage type
  Index base_ = 1, last_ = 0;  // smallest and largest legal index, as written
};

}  // namespace svrg::text
