#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "settings.hpp"

namespace svrg::app {

/// Penalties to try, strongest first: all combinations of the values of each --grid. In the order
/// of points the last key moves fastest.
class TuningGrid {
 public:
  struct Point {
    std::vector<std::pair<std::string, std::string>> values;  // option and text, by key
    Index stronger = -1;  // the neighbour whose weights are the nearest start; −1: none
  };

  /// Of --grid, or the default. Local. @throws ConfigError
  explicit TuningGrid(const Settings& settings);
  /// Of the text of --grid, a grid a line. @throws ConfigError
  static void check(std::string_view text);

  const std::vector<Point>& points() const noexcept { return points_; }
  /// "C=0.1, l1=0.001".
  std::string text(Index point) const;
  /// The options of a training at this point.
  Settings settings_at(const Settings& settings, Index point) const;

 private:
  std::vector<Point> points_;
};

}  // namespace svrg::app
