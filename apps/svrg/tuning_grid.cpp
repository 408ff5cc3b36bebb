#include "tuning_grid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "quantity.hpp"
#include "svrg/core/error.hpp"
#include "svrg/core/suggest.hpp"
#include "text.hpp"

namespace svrg::app {
namespace {

constexpr std::string_view default_grid = "C=1e-4:1e4:10";  // scikit-learn's LogisticRegressionCV
constexpr Index most_values = 10000;

/// "l2" and its values, strongest first.
struct Axis {
  std::string key;
  std::vector<Scaled> values;
};

Scaled value_of(std::string_view key, const std::string& text) {
  const auto value = parse_scaled(text);
  if (!value || value->value < 0 || (key == "C" && (value->per_row || value->value == 0)))
    throw ConfigError(fmt::format("'{}' is no value of {}", text, key));
  return *value;
}

/// N values from A to B at equal ratios.
std::vector<Scaled> range_of(std::string_view key, const std::vector<std::string>& ends) {
  const Scaled a = value_of(key, ends[0]), b = value_of(key, ends[1]);
  const auto count = parse_integer(ends[2]);
  if (!count || *count < 2 || *count > most_values || a.value == 0 || b.value == 0 ||
      a.per_row != b.per_row)
    throw ConfigError(fmt::format(
        "{}={} must be A:B:N such as 1e-6:1:10, with A and B above 0 and N from 2 to {}", key,
        join(ends, ":"), most_values));
  std::vector<Scaled> values;
  for (Index i = 0; i < *count; ++i) {
    const double t = static_cast<double>(i) / static_cast<double>(*count - 1);
    // The ends as they are given; six digits of the others are enough, and can be typed.
    const double value = std::pow(10, (1 - t) * std::log10(a.value) + t * std::log10(b.value));
    values.push_back({i == 0            ? a.value
                      : i + 1 == *count ? b.value
                                        : *parse_number(fmt::format("{:.6g}", value)),
                      a.per_row});
  }
  return values;
}

Axis axis_of(std::string_view text) {
  const auto equals = text.find('=');
  Axis axis{std::string(text.substr(0, equals)), {}};
  const std::vector<std::string> keys = {"C", "l2", "l1"};
  if (std::ranges::find(keys, axis.key) == keys.end() || equals == std::string_view::npos)
    throw ConfigError(
        fmt::format("must be C, l2 or l1 = A:B:N or A,B,C, such as l2=1e-6:1:10, got '{}'{}", text,
                    did_you_mean(axis.key, keys)));
  const std::string_view values = text.substr(equals + 1);
  if (const auto ends = split(values, ':'); ends.size() == 3) {
    axis.values = range_of(axis.key, ends);
  } else {
    for (const std::string& item : split(values, ','))
      axis.values.push_back(value_of(axis.key, std::string(trimmed(item))));
  }
  const auto over_n = std::ranges::count_if(axis.values, [](Scaled v) { return v.per_row; });
  if (over_n != 0 && over_n != static_cast<Index>(axis.values.size()))
    throw ConfigError(fmt::format("{}: give all values over n, or none", text));
  const bool rises = axis.key == "C";
  std::ranges::stable_sort(axis.values, [&](Scaled a, Scaled b) {
    return rises ? a.value < b.value : a.value > b.value;
  });
  const auto same = [](Scaled a, Scaled b) { return a.value == b.value; };
  axis.values.erase(std::unique(axis.values.begin(), axis.values.end(), same), axis.values.end());
  return axis;
}

std::vector<Axis> axes_of(std::string_view text) {
  std::vector<Axis> axes;
  for (const std::string& line : split(text, '\n')) {
    axes.push_back(axis_of(line));
    const std::string& key = axes.back().key;
    for (std::size_t i = 0; i + 1 < axes.size(); ++i)
      if (axes[i].key == key || (axes[i].key != "l1" && key != "l1"))
        throw ConfigError(axes[i].key == key ? key + " is given twice"
                                             : axes[i].key + " and " + key + " say the same thing");
  }
  return axes;
}

std::string text_of(Scaled value) {
  return fmt::format("{}{}", value.value, value.per_row ? "/n" : "");
}

}  // namespace

void TuningGrid::check(std::string_view text) { axes_of(text); }

TuningGrid::TuningGrid(const Settings& settings) {
  const auto axes = axes_of(settings.has("grid") ? settings.text("grid") : default_grid);
  for (const Axis& axis : axes) {
    // C and l2 are two names of one penalty.
    for (const std::string& name :
         axis.key == "l1" ? std::vector<std::string>{"l1"} : std::vector<std::string>{"C", "l2"})
      if (settings.source(name) == Source::command_line)
        throw ConfigError(fmt::format(
            "{}: svrg tune tries values of {}{}; leave it out, or name what to try by --grid",
            settings.place(name), axis.key, settings.has("grid") ? "" : " unless --grid says l1"));
  }
  points_.emplace_back();
  for (const Axis& axis : axes) {
    std::vector<Point> finer;
    for (const Point& point : points_)
      for (const Scaled value : axis.values) {
        finer.push_back(point);
        finer.back().values.emplace_back(axis.key, text_of(value));
      }
    points_ = std::move(finer);
  }
  // The neighbour along the last axis, at its start along the one before.
  const auto last = static_cast<Index>(axes.back().values.size());
  for (Index i = 1; i < static_cast<Index>(points_.size()); ++i)
    points_[static_cast<std::size_t>(i)].stronger = i % last > 0 ? i - 1 : i - last;
}

std::string TuningGrid::text(Index point) const {
  std::string text;
  for (const auto& [key, value] : points_.at(static_cast<std::size_t>(point)).values)
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", key, value);
  return text;
}

Settings TuningGrid::settings_at(const Settings& settings, Index point) const {
  Settings at = settings;
  for (const auto& [key, value] : points_.at(static_cast<std::size_t>(point)).values)
    at.set(*find_option(key), value, Source::command_line, "--grid");
  at.settle();
  return at;
}

}  // namespace svrg::app
