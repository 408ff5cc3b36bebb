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

std::string shown(std::string_view text, std::size_t most) {
  std::string answer(text.substr(0, most));
  for (char& c : answer)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text.size() > most ? answer + "..." : answer;
}

}  // namespace svrg::text
