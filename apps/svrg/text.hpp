#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace svrg::app {

/// "a|b" → a, b. Empty text has no pieces.
std::vector<std::string> split(std::string_view text, char separator);
/// {"a", "b"} → "a, b".
std::string join(const std::vector<std::string>& pieces, std::string_view separator);
std::string_view trimmed(std::string_view text);
std::string replaced(std::string_view text, char from, char to);

/// Breaks at blanks so that no line is wider than `width`; lines after the first start with
/// `indent` blanks. Bytes are columns: help texts are ASCII.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent = 0);
/// Columns of a terminal that UTF-8 text takes (no wide characters here).
std::size_t columns(std::string_view text);

}  // namespace svrg::app
