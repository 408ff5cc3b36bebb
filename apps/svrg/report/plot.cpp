#include "report/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/shown.hpp"

namespace svrg::app::reporting {
namespace {

constexpr double left = 52, right = 14, top = 28, bottom = 40;
constexpr std::size_t most_points = 800, most_marks = 60;

/// From numbers to places in the picture.
struct Frame {
  const Plot& plot;
  double width, height;
  double x(double value) const { return left + plot.x.place(value) * (width - left - right); }
  double y(double value) const {
    return height - bottom - plot.y.place(value) * (height - top - bottom);
  }
  bool shows(const Point& p) const { return plot.x.holds(p.x) && plot.y.holds(p.y); }
};

std::string axes(const Frame& f) {
  std::string out;
  const double base = f.height - bottom;
  for (const Tick& tick : f.plot.y.ticks()) {
    const double y = f.y(tick.at);
    out += fmt::format(R"(<line class="grid" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>)"
                       R"(<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>)",
                       left, f.width - right, y, y, left - 6, y + 4, escaped(tick.label));
  }
  for (const Tick& tick : f.plot.x.ticks()) {
    const double x = f.x(tick.at);
    out += fmt::format(R"(<line class="grid" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>)"
                       R"(<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)",
                       x, x, top, base, x, base + 16, escaped(tick.label));
  }
  out += fmt::format(R"(<line class="axis" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>)"
                     R"(<text class="label" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)"
                     R"(<text class="label" x="4" y="14">{}</text>)",
                     left, f.width - right, base, base, (left + f.width - right) / 2, f.height - 6,
                     escaped(f.plot.x_label), escaped(f.plot.y_label));
  return out;
}

/// Pieces of a line between the points that are not shown.
std::string line(const Frame& f, const Series& series) {
  std::string path;
  bool drawing = false;
  for (const Point& p : thinned(series.points, most_points)) {
    if (!f.shows(p)) {
      drawing = false;
      continue;
    }
    path += fmt::format("{}{:.1f} {:.1f}", drawing ? "L" : "M", f.x(p.x), f.y(p.y));
    drawing = true;
  }
  if (path.empty()) return {};
  return fmt::format(R"(<path class="line c{} {}" d="{}"/>)", series.style % 8,
                     stroke_class(series.stroke), path);
}

std::string marks(const Frame& f, const Series& series) {
  std::string out;
  for (const Point& p : thinned(series.points, most_marks))
    if (f.shows(p)) out += mark(series.style, series.hollow, f.x(p.x), f.y(p.y), p.note);
  return out;
}

std::string band(const Frame& f, const Band& b) {
  std::string path;
  for (const Point& p : b.high)
    if (f.shows(p))
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", f.x(p.x), f.y(p.y));
  for (auto p = b.low.rbegin(); p != b.low.rend(); ++p)
    if (f.shows(*p))
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", f.x(p->x), f.y(p->y));
  return path.empty() ? path
                      : fmt::format(R"(<path class="band c{}" d="{}Z"/>)", b.style % 8, path);
}

std::string rule(const Frame& f, const Rule& r) {
  if (!(r.vertical ? f.plot.x : f.plot.y).holds(r.at)) return {};
  const double base = f.height - bottom;
  const double x = r.vertical ? f.x(r.at) : left, y = r.vertical ? top : f.y(r.at);
  const bool beyond = r.vertical && x > f.width / 2;
  return fmt::format(R"(<line class="rule" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>)"
                     R"(<text class="rule-text" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>)",
                     x, r.vertical ? x : f.width - right, y, r.vertical ? base : y,
                     r.vertical ? (beyond ? x - 5 : x + 5) : f.width - right - 4,
                     r.vertical ? top + 12 : y - 5, !r.vertical || beyond ? "end" : "start",
                     escaped(r.text));
}

}  // namespace

std::string svg_start(const std::string& id, double width, double height, const std::string& title,
                      const std::string& description) {
  return fmt::format(R"(<svg viewBox="0 0 {:.0f} {:.0f}" role="img" aria-labelledby="{}-t {}-d">)"
                     R"(<title id="{}-t">{}</title><desc id="{}-d">{}</desc>)",
                     width, height, id, id, id, escaped(title), id, escaped(description));
}

std::string stroke_class(Stroke stroke) {
  return stroke == Stroke::dashed ? "dash" : stroke == Stroke::dotted ? "dots" : "";
}

std::string mark(int style, bool hollow, double x, double y, const std::string& note) {
  // Different in shape, not only in colour: circle, square, triangle, diamond, …
  constexpr const char* shapes[] = {
      "M-3.6 0a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0 -7.2 0Z",
      "M-3.3-3.3H3.3V3.3H-3.3Z",
      "M0-4.4L4.2 3.2H-4.2Z",
      "M0-4.8L4.4 0L0 4.8L-4.4 0Z",
      "M0 4.4L4.2-3.2H-4.2Z",
      "M-1.4-4.2H1.4V-1.4H4.2V1.4H1.4V4.2H-1.4V1.4H-4.2V-1.4H-1.4Z",
      "M-2-4H2L4-2V2L2 4H-2L-4 2V-2Z",
      "M-4.2-2.4L0 0L4.2-2.4V2.4L0 0L-4.2 2.4Z",
  };
  const int s = style % 8;
  return fmt::format(
      R"(<path class="mark{} c{}" transform="translate({:.1f} {:.1f}) " d="{}">{}</path>)",
      hollow ? " hollow" : "", s, x, y, shapes[s],
      note.empty() ? "" : "<title>" + escaped(note) + "</title>");
}

std::string swatch(int style, Stroke stroke, bool marks, bool hollow) {
  std::string out = R"(<svg class="swatch" viewBox="0 0 26 12" aria-hidden="true">)";
  if (stroke != Stroke::none)
    out +=
        fmt::format(R"(<path class="line c{} {}" d="M0 6H26"/>)", style % 8, stroke_class(stroke));
  if (marks) out += mark(style, hollow, 13, 6);
  return out + "</svg>";
}

std::vector<Point> thinned(const std::vector<Point>& points, std::size_t most) {
  if (points.size() <= most) return points;
  std::vector<Point> kept;
  for (std::size_t i = 0; i < most; ++i)
    kept.push_back(points[i * (points.size() - 1) / (most - 1)]);
  return kept;
}

bool has_points(const Plot& plot) {
  for (const Series& series : plot.series)
    for (const Point& p : series.points)
      if (plot.x.holds(p.x) && plot.y.holds(p.y)) return true;
  return false;
}

std::string svg(const Plot& plot) {
  const Frame f{plot, 460, plot.square ? 420.0 : 280.0};
  std::string out = svg_start(plot.id, f.width, f.height, plot.title, plot.description);
  if (plot.shaded_from < plot.shaded_to) {
    const double from = f.x(plot.shaded_from), to = std::min(f.x(plot.shaded_to), f.width - right);
    out +=
        fmt::format(R"(<rect class="shade" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>)",
                    from, top, to - from, f.height - top - bottom);
  }
  out += axes(f);
  for (const Band& b : plot.bands) out += band(f, b);
  for (const Rule& r : plot.rules) out += rule(f, r);
  for (const Series& s : plot.series)
    if (s.stroke != Stroke::none) out += line(f, s);
  for (const Series& s : plot.series)
    if (s.marks) out += marks(f, s);
  return out + "</svg>";
}

}  // namespace svrg::app::reporting
