#include "report/shown.hpp"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "quantity.hpp"

namespace svrg::app::reporting {
namespace {

/// Bytes of the UTF-8 sequence at the start of `text`; 0: there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xC2 ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0u) != 0x80u) return 0;
  // Overlong forms, surrogates, and what is beyond Unicode.
  if (first == 0xE0 && byte(1) < 0xA0) return 0;
  if (first == 0xED && byte(1) >= 0xA0) return 0;
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xF4 && byte(1) >= 0x90) return 0;
  return length;
}

std::string with_commas(std::string digits) {
  const std::size_t start = digits.starts_with('-') ? 1 : 0;
  for (std::size_t at = digits.size(); at > start + 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const char c = text.front();
    const std::size_t length = sequence_length(text);
    const bool control = static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t';
    if (length == 0 || control || c == 0x7F)
      out += "\uFFFD";
    else if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else
      out += text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

std::string shown(double value, int digits) {
  if (!std::isfinite(value)) return "–";
  if (value == 0) return "0";
  const double size = std::fabs(value);
  if (value == std::floor(value) && size < 1e9) return with_commas(fmt::format("{:.0f}", value));
  if (size < 1e-4 || size >= 1e9) return fmt::format("{:.{}e}", value, digits - 1);
  const int whole = static_cast<int>(std::floor(std::log10(size))) + 1;
  if (whole >= digits) return with_commas(fmt::format("{:.0f}", value));
  return fmt::format("{:.{}f}", value, digits - whole);
}

std::string shown_share(double share) {
  if (!std::isfinite(share)) return "–";
  if (share > 0 && share < 0.001) return "< 0.1 %";
  return fmt::format("{:.{}f} %", 100 * share,
                     share != 0 && (share < 0.0995 || (share > 0.99 && share < 1)) ? 1 : 0);
}

std::string shown_seconds(double seconds) {
  if (!std::isfinite(seconds)) return "–";
  if (seconds >= 99.5) return format_seconds(seconds);
  if (seconds == 0) return "0 s";
  if (seconds < 1e-3) return fmt::format("{:.3g} µs", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.3g} ms", seconds * 1e3);
  return fmt::format("{:.3g} s", seconds);
}

std::string shown_bytes(double bytes) {
  if (!std::isfinite(bytes)) return "–";
  const Unit unit = unit_of_bytes(bytes);
  return fmt::format("{:.3g} {}", bytes / unit.factor, unit.name);
}

std::string counted(long long count, std::string_view noun) {
  return fmt::format("{} {}{}", with_commas(std::to_string(count)), noun, count == 1 ? "" : "s");
}

std::string file_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

Unit unit_of_seconds(double largest) {
  if (largest >= 3 * 3600) return {3600, "h"};
  if (largest >= 300) return {60, "min"};
  if (largest >= 1) return {1, "s"};
  if (largest >= 1e-3) return {1e-3, "ms"};
  return {1e-6, "µs"};
}

Unit unit_of_bytes(double largest) {
  constexpr const char* names[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  double factor = 1;
  std::size_t at = 0;
  for (; largest >= 999.5 * factor && at + 1 < std::size(names); ++at) factor *= 1000;
  return {factor, names[at]};
}

}  // namespace svrg::app::reporting
