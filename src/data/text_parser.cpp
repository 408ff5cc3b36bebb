#include "data/text_parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "svrg/core/error.hpp"

namespace svrg::text {

void Scan::add_row(Index row_entries) {
  ++rows;
  entries += row_entries;
  // More than that does not fit in a line of legal length: the second pass refuses the line.
  constexpr Index most = std::numeric_limits<std::int32_t>::max();
  lengths.push_back(static_cast<std::int32_t>(std::min(row_entries, most)));
}

void RowBlock::clear(std::size_t text_bytes) {
  labels.clear();
  weights.clear();
  starts.assign(1, 0);
  const std::size_t room = text_bytes / 2 + 1;  // an entry takes a byte and a separator at least
  if (values.size() < room) {
    indices.resize(room);
    values.resize(room);
  }
}

void RowBlock::end_row(Index entries_end, double label) {
  labels.push_back(label);
  starts.push_back(entries_end);
}

void TextParser::fail(Index line, const char* line_start, const char* at,
                      const std::string& what) const {
  throw DataError(fmt::format("{}:{}:{}: {}", path_, line, at - line_start + 1, what));
}

namespace {

/// Bytes of the well-formed UTF-8 character that `text` starts with; 0 where there is none.
std::size_t character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return first < 0x20 || first == 0x7f ? 0 : 1;
  const std::size_t length = first < 0xc2   ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  // Beyond the range, surrogates, and what a shorter form says.
  if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) >= 0xa0) ||
      (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) >= 0x90))
    return 0;
  return length;
}

}  // namespace

std::string shown(std::string_view text, std::size_t most) {
  std::string answer;
  while (!text.empty()) {
    const std::size_t length = std::max<std::size_t>(1, character(text));
    if (answer.size() + length > most) return answer + "...";
    if (character(text) == 0)
      answer += '?';
    else
      answer += text.substr(0, length);
    text.remove_prefix(length);
  }
  return answer;
}

}  // namespace svrg::text
