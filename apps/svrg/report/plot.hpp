#pragma once
#include <string>
#include <vector>

#include "report/axis.hpp"

namespace svrg::app::reporting {

struct Point {
  double x = 0, y = 0;
  std::string note = {};  // shown where the pointer rests on the mark
};

enum class Stroke { solid, dashed, dotted, none };

/// A line, its marks, or both. Style 0 … 7 is a colour together with a shape of mark.
struct Series {
  std::string name;
  std::vector<Point> points;
  int style = 0;
  Stroke stroke = Stroke::solid;
  bool marks = false, hollow = false;
};
/// Shaded between two lines.
struct Band {
  int style = 0;
  std::vector<Point> low, high;
};
/// A line across at one value, with words.
struct Rule {
  bool vertical = false;
  double at = 0;
  std::string text;
};

/// A chart of lines. What lies outside the axes, or is no number, is left out.
struct Plot {
  std::string id;                  // unique on the page
  std::string title, description;  // for who does not see it
  std::string x_label, y_label;
  Axis x, y;
  std::vector<Band> bands = {};
  std::vector<Series> series = {};
  std::vector<Rule> rules = {};
  double shaded_from = 0, shaded_to = 0;  // x of shaded ground, where the first is the smaller
  bool square = false;
};

/// <svg>…</svg>; its colours are the page's.
std::string svg(const Plot& plot);
/// Whether anything of it would be seen.
bool has_points(const Plot& plot);

/// A mark of a style at a place, and a short line with a mark, for legends.
std::string mark(int style, bool hollow, double x, double y, const std::string& note = {});
std::string swatch(int style, Stroke stroke, bool marks, bool hollow);
/// "dash" classes of strokes.
std::string stroke_class(Stroke stroke);

/// Start of an <svg> of this size with title and description.
std::string svg_start(const std::string& id, double width, double height, const std::string& title,
                      const std::string& description);

/// At most `most` of the points, first and last included.
std::vector<Point> thinned(const std::vector<Point>& points, std::size_t most);

}  // namespace svrg::app::reporting
