#include "quantity.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace svrg::app {
namespace {

// The number at the start of `text`, which is moved past it. Digits must come first: no sign, no
// inf.
std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  if (text.empty() || text[0] < '0' || text[0] > '9') return {};
  const auto [next, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (error != std::errc{}) return {};
  text.remove_prefix(static_cast<std::size_t>(next - text.data()));
  return value;
}

}  // namespace

std::optional<Index> parse_integer(std::string_view text) {
  Index value = 0;
  const char* end = text.data() + text.size();
  const auto [next, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc{} || next != end) return {};
  return value;
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [next, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc{} || next != end || !std::isfinite(value)) return {};
  return value;
}

std::optional<double> parse_duration(std::string_view text) {
  constexpr std::string_view units = "dhms";
  constexpr double seconds_of[] = {86400, 3600, 60, 1};
  if (const auto plain = parse_number(text)) return *plain >= 0 ? plain : std::nullopt;
  double total = 0;
  std::size_t next_unit = 0;  // each unit once, the large ones first
  if (text.empty()) return {};
  while (!text.empty()) {
    const auto value = take_number(text);
    if (!value || text.empty()) return {};
    const auto unit = units.find(text[0]);
    if (unit == std::string_view::npos || unit < next_unit) return {};
    total += *value * seconds_of[unit];
    next_unit = unit + 1;
    text.remove_prefix(1);
  }
  return std::isfinite(total) ? std::optional(total) : std::nullopt;
}

std::optional<Index> parse_size(std::string_view text) {
  const auto value = take_number(text);
  if (!value) return {};
  double bytes = *value;
  if (!text.empty()) {
    const auto unit = std::string_view("KMGT").find(text[0]);
    if (unit == std::string_view::npos) {
      if (text != "B") return {};
    } else {
      if (auto tail = text.substr(1); !tail.empty() && tail != "B" && tail != "iB") return {};
      bytes = std::ldexp(bytes, 10 * (static_cast<int>(unit) + 1));
    }
  }
  if (!(bytes < 0x1p63)) return {};
  return static_cast<Index>(bytes);
}

std::optional<Scaled> parse_scaled(std::string_view text) {
  const bool per_row = text.ends_with("/n");
  if (per_row) text.remove_suffix(2);
  const auto value = parse_number(text);
  if (!value) return {};
  return Scaled{*value, per_row};
}

std::optional<Period> parse_period(std::string_view text) {
  if (const auto epochs = parse_integer(text)) return Period{.epochs = *epochs};
  if (parse_number(text)) return {};  // 2.5: neither epochs nor a time
  if (const auto seconds = parse_duration(text)) return Period{.seconds = *seconds};
  return {};
}

std::string format_seconds(double seconds) {
  if (!(seconds >= 0) || !(seconds < 1e12)) return "-";
  if (seconds < 99.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<Index>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{}h{:02}m", whole / 3600, whole / 60 % 60);
  return fmt::format("{}d{:02}h", whole / 86400, whole / 3600 % 24);
}

std::string format_count(double count) {
  if (!std::isfinite(count)) return "-";
  if (count < 999.5) return fmt::format("{:.0f}", count);
  constexpr std::string_view units = "kMGT";
  std::size_t unit = 0;
  double value = count / 1000;
  for (; value >= 999.95 && unit + 1 < units.size(); ++unit) value /= 1000;
  return fmt::format("{:.1f} {}", value, units[unit]);
}

}  // namespace svrg::app
