#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "svrg/core/types.hpp"

namespace svrg::app {

/// A penalty: `value`, or `value` over the number of training rows.
struct Scaled {
  double value = 0;
  bool per_row = false;
  double resolve(Index rows) const { return per_row ? value / static_cast<double>(rows) : value; }
};

/// Every so many epochs, or every so many seconds; the other one is 0.
struct Period {
  Index epochs = 0;
  double seconds = 0;
};

/// All of these read the whole text or return nothing; none depends on the locale.
std::optional<Index> parse_integer(std::string_view text);
std::optional<double> parse_number(std::string_view text);  // finite ones only
std::optional<double> parse_duration(
    std::string_view text);                              // "1h50m", "20s", "1.5d", "90": seconds
std::optional<Index> parse_size(std::string_view text);  // "4G", "512M", "1048576": bytes, K = 1024
std::optional<Scaled> parse_scaled(std::string_view text);  // "1e-4", "0.1/n"
std::optional<Period> parse_period(std::string_view text);  // "5", "10m"

/// "0.1 s", "2m05s", "3h07m", "2d04h".
std::string format_seconds(double seconds);
/// "950", "4.6 k", "4.6 M", "1.2 G".
std::string format_count(double count);

}  // namespace svrg::app
