#pragma once
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "data/number_parse.hpp"
#include "data/text_file.hpp"
#include "svrg/core/error.hpp"

namespace svrg::text {

/// Reads one line of numbers after the other. A line ends in '\n', which no number contains, so
/// that a parser stops there by itself.
class LineReader {
 public:
  /// `line` is the number of the first line, for messages.
  LineReader(std::string path, Index line) : path_(std::move(path)), line_(line) {}

  /// Calls each() at the beginning of every line that is not blank; it reads to the end.
  template <class Each>
  void read(std::string_view lines, Each each) {
    Blocks blocks(lines);
    while (!blocks.empty()) {
      const std::string_view block = blocks.next();
      p_ = block.data();
      for (const char* end = p_ + block.size(); p_ < end; ++p_, ++line_) {
        skip_blanks();
        if (at_end()) continue;
        each();
        if (!at_end()) fail("more than was expected");
      }
    }
  }
  bool at_end() const { return *p_ == '\n'; }
  void skip_blanks() {
    while (*p_ == ' ' || *p_ == '\t' || *p_ == '\r') ++p_;
  }
  /// Takes the character, if it is the next.
  bool take(char c) {
    if (*p_ != c) return false;
    ++p_;
    return true;
  }
  double number() {
    double value = 0;
    const char* const after = parse_decimal(p_, value);
    if (after == nullptr) {
      const char* end = p_;
      while (*end != '\n' && *end != ' ' && *end != ',') ++end;
      fail(fmt::format("a number is expected at '{}'",
                       std::string_view(p_, static_cast<std::size_t>(end - p_))));
    }
    p_ = after;
    skip_blanks();
    return value;
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(fmt::format("{}:{}: {}", path_, line_, what));
  }

 private:
  std::string path_;
  Index line_;
  const char* p_ = nullptr;
};

}  // namespace svrg::text
