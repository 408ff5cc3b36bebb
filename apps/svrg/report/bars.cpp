#include "report/bars.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/axis.hpp"
#include "report/plot.hpp"
#include "report/shown.hpp"
#include "text.hpp"

namespace svrg::app::reporting {
namespace {

constexpr double width = 460;

struct Extent {
  double low = 0, high = 0;
};

double finite(double value) { return std::isfinite(value) ? value : 0; }

Extent extent_of(const Bars& bars) {
  Extent extent;
  for (const Bar& bar : bars.bars) {
    double sum = 0;
    for (const double value : bar.values) {
      sum += finite(value);
      extent.low = std::min(extent.low, sum);
      extent.high = std::max(extent.high, sum);
    }
  }
  return extent;
}

std::string rect(const Bars& bars, const Bar& bar, std::size_t part, double x, double y, double w,
                 double h) {
  const Part& p = bars.parts[part];
  const std::string shape = fmt::format(R"(x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}")",
                                        x, y, std::max(w, 0.0), std::max(h, 0.0));
  const std::string what =
      bars.parts.size() > 1 ? fmt::format("{}, {}", bar.label, p.name) : bar.label;
  std::string out = fmt::format(R"(<rect class="bar c{}" {}><title>{}: {}{}</title></rect>)",
                                p.style % 8, shape, escaped(what), shown(bar.values[part]),
                                escaped(bars.unit.empty() ? "" : " " + bars.unit));
  if (p.hatched) out += fmt::format(R"(<rect class="hatch" {}/>)", shape);
  return out;
}

/// At most `most` characters, the end cut off.
std::string shortened(const std::string& text, std::size_t most) {
  if (columns(text) <= most) return text;
  std::string kept;
  std::size_t count = 0;
  for (const char c : text) {
    const bool starts = (static_cast<unsigned char>(c) & 0xC0u) != 0x80u;
    if (starts && ++count == most) break;
    kept += c;
  }
  return kept + "…";
}

std::string upright(const Bars& bars, const Axis& axis) {
  constexpr double left = 52, right = 14, top = 28, bottom = 40, height = 280;
  const double base = height - bottom, tall = base - top;
  const auto y_of = [&](double value) { return base - axis.place(value) * tall; };
  std::string out = svg_start(bars.id, width, height, bars.title, bars.description);
  for (const Tick& tick : axis.ticks())
    out += fmt::format(R"(<line class="grid" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>)"
                       R"(<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>)",
                       left, width - right, y_of(tick.at), y_of(tick.at), left - 6,
                       y_of(tick.at) + 4, escaped(tick.label));
  const double step = (width - left - right) / static_cast<double>(bars.bars.size());
  const double wide = bars.touching ? step - 1 : std::min(step * 0.78, 60.0);
  std::size_t longest = 1;
  for (const Bar& bar : bars.bars) longest = std::max(longest, columns(bar.label));
  const auto every =
      static_cast<std::size_t>(std::ceil((static_cast<double>(longest) * 6.6 + 8) / step));
  for (std::size_t b = 0; b < bars.bars.size(); ++b) {
    const Bar& bar = bars.bars[b];
    const double middle = left + (static_cast<double>(b) + 0.5) * step;
    double sum = 0;
    for (std::size_t p = 0; p < bar.values.size(); ++p) {
      const double value = finite(bar.values[p]);
      if (value == 0) continue;
      const double from = y_of(sum), to = y_of(sum + value);
      out += rect(bars, bar, p, middle - wide / 2, std::min(from, to), wide, std::fabs(from - to));
      sum += value;
    }
    if (b % every == 0)
      out +=
          fmt::format(R"(<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)",
                      middle, base + 16, escaped(bar.label));
  }
  return out +
         fmt::format(R"(<line class="axis" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>)"
                     R"(<text class="label" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)"
                     R"(<text class="label" x="4" y="14">{}</text></svg>)",
                     left, width - right, y_of(0), y_of(0), (left + width - right) / 2, height - 6,
                     escaped(bars.bar_label), escaped(bars.value_label));
}

std::string lying(const Bars& bars, const Axis& axis) {
  constexpr double right = 18, top = 8, bottom = 40;
  constexpr std::size_t most = 22;
  std::size_t longest = columns(bars.bar_label);
  for (const Bar& bar : bars.bars) longest = std::max(longest, std::min(most, columns(bar.label)));
  const double left = 14 + static_cast<double>(longest) * 6.6;
  const double row = bars.bars.size() > 32 ? 10 : bars.bars.size() > 12 ? 15 : 22;
  const double height = top + bottom + row * static_cast<double>(bars.bars.size());
  const double base = height - bottom;
  const auto x_of = [&](double value) { return left + axis.place(value) * (width - left - right); };
  std::string out = svg_start(bars.id, width, height, bars.title, bars.description);
  for (const Tick& tick : axis.ticks())
    out += fmt::format(R"(<line class="grid" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>)"
                       R"(<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)",
                       x_of(tick.at), x_of(tick.at), top, base, x_of(tick.at), base + 16,
                       escaped(tick.label));
  const std::size_t every = row < 12 ? 2 : 1;
  for (std::size_t b = 0; b < bars.bars.size(); ++b) {
    const Bar& bar = bars.bars[b];
    const double y = top + static_cast<double>(b) * row;
    double sum = 0;
    for (std::size_t p = 0; p < bar.values.size(); ++p) {
      const double value = finite(bar.values[p]);
      if (value == 0) continue;
      const double from = x_of(sum), to = x_of(sum + value);
      out +=
          rect(bars, bar, p, std::min(from, to), y + row * 0.12, std::fabs(from - to), row * 0.76);
      sum += value;
    }
    if (b % every == 0)
      out += fmt::format(R"(<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>)",
                         left - 7, y + row / 2 + 4, escaped(shortened(bar.label, most)));
  }
  return out +
         fmt::format(R"(<line class="axis" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>)"
                     R"(<text class="label" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)"
                     R"(<text class="label" x="4" y="{:.1f}">{}</text></svg>)",
                     x_of(0), x_of(0), top, base, (left + width - right) / 2, height - 6,
                     escaped(bars.value_label), height - 6, escaped(bars.bar_label));
}

}  // namespace

bool has_bars(const Bars& bars) {
  const Extent extent = extent_of(bars);
  return extent.high > extent.low;
}

std::string svg(const Bars& bars) {
  const Extent extent = extent_of(bars);
  const Axis axis = Axis::linear(extent.low, extent.high, bars.lying ? 4 : 6);
  return bars.lying ? lying(bars, axis) : upright(bars, axis);
}

std::string swatch(const Part& part) {
  return fmt::format(R"(<svg class="swatch square" viewBox="0 0 12 12" aria-hidden="true">)"
                     R"(<rect class="bar c{}" width="12" height="12"/>{}</svg>)",
                     part.style % 8,
                     part.hatched ? R"(<rect class="hatch" width="12" height="12"/>)" : "");
}

std::string svg(const Matrix& matrix) {
  const std::size_t n = matrix.names.size();
  std::size_t longest = 1;
  for (const auto& name : matrix.names)
    longest = std::max(longest, std::min<std::size_t>(12, columns(name)));
  const double names = 34 + static_cast<double>(longest) * 6.6, top = 46;
  const double cell = std::min(110.0, (width - names - 8) / static_cast<double>(n));
  const double left = names + (width - names - 8 - cell * static_cast<double>(n)) / 2;
  const double height = top + cell * static_cast<double>(n) + 8;
  const double middle = cell * static_cast<double>(n) / 2;
  std::string out = svg_start(matrix.id, width, height, matrix.title, matrix.description);
  out += fmt::format(R"(<text class="label" x="{:.1f}" y="14" text-anchor="middle">{}</text>)"
                     R"(<text class="label" transform="translate({:.1f} {:.1f}) rotate(-90) ")"
                     R"( text-anchor="middle">{}</text>)",
                     left + middle, escaped(matrix.column_label), left - names + 14, top + middle,
                     escaped(matrix.row_label));
  const auto every = static_cast<std::size_t>(std::ceil(14 / cell));
  const bool wide = static_cast<double>(longest) * 6.6 + 4 <= cell * static_cast<double>(every);
  for (std::size_t a = 0; a < n; ++a) {
    double sum = 0;
    for (std::size_t b = 0; b < n; ++b) sum += matrix.values[a * n + b];
    const double y = top + static_cast<double>(a) * cell;
    const std::string name = escaped(shortened(matrix.names[a], 12));
    if (a % every == 0)
      out += fmt::format(R"(<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>)",
                         left - 6, y + cell / 2 + 4, name);
    if (a % every == 0 && wide)
      out +=
          fmt::format(R"(<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)",
                      left + (static_cast<double>(a) + 0.5) * cell, top - 8, name);
    for (std::size_t b = 0; b < n; ++b) {
      const double value = matrix.values[a * n + b], share = sum > 0 ? value / sum : 0;
      const double x = left + static_cast<double>(b) * cell;
      const std::string number = shown(value, 3);
      // Small shares must be seen, too: they are the mistakes.
      const double depth = share > 0 ? 0.06 + 0.94 * std::sqrt(share) : 0;
      out += fmt::format(
          R"(<rect class="cell {}" style="fill-opacity:{:.3f}" x="{:.2f}" y="{:.2f}" width="{:.2f}")"
          R"( height="{:.2f}"><title>{} taken for {}: {} ({} of the row)</title></rect>)",
          a == b ? "right" : "wrong", depth, x + 0.5, y + 0.5, cell - 1, cell - 1,
          escaped(matrix.names[a]), escaped(matrix.names[b]), number, escaped(shown_share(share)));
      if (static_cast<double>(number.size()) * 7 + 4 <= cell && cell >= 16)
        out += fmt::format(
            R"(<text class="number{}" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)",
            depth > 0.55 ? " strong"
            : value == 0 ? " none"
                         : "",
            x + cell / 2, y + cell / 2 + 4, number);
    }
  }
  return out + "</svg>";
}

}  // namespace svrg::app::reporting
