#include "report/axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/shown.hpp"

namespace svrg::app::reporting {
namespace {

constexpr int most_decades = 7;  // between labels of a logarithmic axis

/// 1, 2 or 5 times a power of ten, so that there are at most so many steps.
double round_step(double range, int steps) {
  const double rough = range / steps, power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1, 2, 5})
    if (factor * power >= rough * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

std::string power_of_ten(int exponent) {
  constexpr const char* digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  if (exponent == 0) return "1";
  if (exponent == 1) return "10";
  std::string text = exponent < 0 ? "10⁻" : "10";
  for (const char c : std::to_string(std::abs(exponent))) text += digits[c - '0'];
  return text;
}

}  // namespace

Axis Axis::linear(double low, double high, int steps) {
  if (!(high > low)) {
    const double half = low == 0 ? 1 : std::fabs(low) / 2;
    low -= low == 0 ? 0 : half;
    high += half;
  }
  Axis axis;
  const double step = round_step(high - low, steps);
  const double first = std::floor(low / step + 1e-9), last = std::ceil(high / step - 1e-9);
  axis.low_ = first * step;
  axis.high_ = last * step;
  const int decimals = std::max(0, -static_cast<int>(std::floor(std::log10(step) + 1e-9)));
  const bool plain = decimals <= 4 && std::max(std::fabs(low), std::fabs(high)) < 1e6;
  for (double i = first; i <= last; ++i) {
    const double value = i == 0 ? 0 : i * step;
    axis.ticks_.push_back(
        {value, plain ? fmt::format("{:.{}f}", value, decimals) : fmt::format("{:.3g}", value)});
  }
  return axis;
}

Axis Axis::logarithmic(double low, double high) {
  Axis axis;
  axis.log_ = true;
  const int first = static_cast<int>(std::floor(std::log10(low) + 1e-9));
  const int last = std::max(first + 1, static_cast<int>(std::ceil(std::log10(high) - 1e-9)));
  axis.low_ = std::pow(10, first);
  axis.high_ = std::pow(10, last);
  const int every = static_cast<int>(std::ceil((last - first) / double{most_decades}));
  for (int e = first; e <= last; ++e)
    if ((e - first) % every == 0) axis.ticks_.push_back({std::pow(10, e), power_of_ten(e)});
  if (last - first > 2) return axis;
  for (int e = first; e < last; ++e)
    for (const double factor : {2, 5})
      axis.ticks_.push_back({factor * std::pow(10, e), shown(factor * std::pow(10, e), 1)});
  return axis;
}

Axis Axis::at(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  Axis axis;
  axis.log_ = true;
  axis.low_ = values.front() / 1.15;
  axis.high_ = values.back() * 1.15;
  // Labels must not run into each other: on a narrow page a character is this part of the axis.
  constexpr double character = 1.0 / 55, gap = 1.0 / 40;
  double end = -1;
  for (const double value : values) {
    const std::string label = shown(value);
    const double half = character * static_cast<double>(label.size()) / 2;
    const bool room = axis.place(value) - half > end + gap;
    axis.ticks_.push_back({value, room ? label : ""});
    if (room) end = axis.place(value) + half;
  }
  return axis;
}

double Axis::place(double value) const {
  return log_ ? std::log(value / low_) / std::log(high_ / low_) : (value - low_) / (high_ - low_);
}

bool Axis::holds(double value) const {
  if (!std::isfinite(value) || (log_ && value <= 0)) return false;
  const double at = place(value);
  return at >= -1e-9 && at <= 1 + 1e-9;
}

Axis axis_of(const std::vector<double>& values, bool may_be_log, double decades) {
  double low = INFINITY, high = -INFINITY;
  for (const double value : values)
    if (std::isfinite(value)) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  if (!std::isfinite(low)) return Axis::linear(0, 1);
  if (may_be_log && low > 0 && high / low > std::pow(10, decades))
    return Axis::logarithmic(low, high);
  // An axis that almost reaches 0 does so.
  if (low > 0 && low < 0.3 * high) low = 0;
  return Axis::linear(low, high);
}

}  // namespace svrg::app::reporting
