// How fast the runs came how near to the optimum: against epochs, passes, seconds and bytes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include "report/figure.hpp"
#include "report/sections.hpp"
#include "report/shown.hpp"
#include "text.hpp"

namespace svrg::app::reporting {
namespace {

using Value = std::function<double(const RunData&, const io::EpochRecord&)>;

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

/// Runs that are repeats of each other are one curve.
struct Curve {
  std::string name;
  std::vector<const RunData*> runs;
};

std::vector<Curve> curves_of(const std::vector<RunData>& runs) {
  std::vector<Curve> curves;
  for (const RunData& run : runs) {
    const auto same = std::ranges::find_if(curves, [&](const Curve& c) {
      return !run.config.empty() && c.runs.front()->repeat_key() == run.repeat_key();
    });
    if (same == curves.end())
      curves.push_back({run.name, {&run}});
    else
      same->runs.push_back(&run);
  }
  for (Curve& curve : curves)
    if (curve.runs.size() > 1)
      curve.name += fmt::format(
          " and {} (median of {})",
          curve.runs.size() == 2 ? curve.runs.back()->name
                                 : counted(static_cast<long long>(curve.runs.size() - 1), "repeat"),
          curve.runs.size());
  return curves;
}

/// What the runs are drawn against.
struct Across {
  const char *name, *title, *label;
  double (*value)(const io::EpochRecord&);
};
constexpr Across acrosses[] = {
    {"epoch", "by epoch", "epoch", [](const io::EpochRecord& r) { return double(r.epoch); }},
    {"passes", "by pass", "passes over the data",
     [](const io::EpochRecord& r) { return r.passes; }},
    {"seconds", "by second", "time in ", [](const io::EpochRecord& r) { return r.wall_seconds; }},
    {"bytes", "by byte", "sent by a rank, in ",
     [](const io::EpochRecord& r) { return double(r.bytes_communicated); }},
};

Unit unit_of(const Across& across, const std::vector<RunData>& runs) {
  double largest = 0;
  for (const RunData& run : runs) largest = std::max(largest, across.value(run.last()));
  const std::string_view name = across.name;
  return name == "seconds" ? unit_of_seconds(largest)
         : name == "bytes" ? unit_of_bytes(largest)
                           : Unit{};
}

std::vector<Point> points_of(const RunData& run, const Across& across, const Unit& unit,
                             const Value& value, const char* what) {
  std::vector<Point> points;
  for (const io::EpochRecord& r : run.epochs) {
    const double y = value(run, r);
    points.push_back({across.value(r) / unit.factor, y,
                      fmt::format("{}: epoch {}, {} passes, {}: {} {}", run.name, r.epoch,
                                  shown(r.passes), shown_seconds(r.wall_seconds), what, shown(y))});
  }
  return points;
}

/// Those that the axis has a place for.
std::vector<Point> usable(const std::vector<Point>& points, bool log) {
  std::vector<Point> kept;
  for (const Point& p : points)
    if (std::isfinite(p.y) && (!log || p.y > 0)) kept.push_back(p);
  return kept;
}

/// Linear between points, of the logarithm where y is shown by it; a run that is over stays where
/// it ended.
double between(const std::vector<Point>& points, double x, bool log) {
  const auto after = std::ranges::lower_bound(points, x, {}, &Point::x);
  if (after == points.end()) return points.back().y;
  if (after->x == x || after == points.begin()) return after->y;
  const Point &a = *(after - 1), &b = *after;
  const double t = (x - a.x) / (b.x - a.x);
  if (log) return std::exp((1 - t) * std::log(a.y) + t * std::log(b.y));
  return (1 - t) * a.y + t * b.y;
}

/// Median line and band from least to largest of repeats, from where all of them have begun.
void add_repeats(const std::vector<std::vector<Point>>& all, const Curve& curve, int style,
                 Plot& plot) {
  std::vector<std::vector<Point>> runs;
  std::set<double> places;
  double begin = -std::numeric_limits<double>::infinity();
  for (const auto& points : all) {
    runs.push_back(thinned(usable(points, plot.y.is_log()), 200));
    if (runs.back().empty()) runs.pop_back();
  }
  for (const auto& points : runs) {
    begin = std::max(begin, points.front().x);
    for (const Point& p : points) places.insert(p.x);
  }
  Series median{curve.name, {}, style};
  Band band{style, {}, {}};
  for (const double x : places) {
    if (x < begin) continue;
    std::vector<double> values;
    for (const auto& points : runs) values.push_back(between(points, x, plot.y.is_log()));
    std::ranges::sort(values);
    const std::size_t n = values.size();
    median.points.push_back({x, 0.5 * (values[(n - 1) / 2] + values[n / 2])});
    band.low.push_back({x, values.front()});
    band.high.push_back({x, values.back()});
  }
  plot.bands.push_back(std::move(band));
  plot.series.push_back(std::move(median));
}

/// A figure of one value against all that there is, on a shared y axis.
Figure figure_of(const std::vector<RunData>& runs, const char* id, const std::string& title,
                 const std::string& y_label, const char* what, const Value& value, const Axis& y) {
  Figure figure;
  figure.id = id;
  figure.title = title;
  figure.wide = true;
  const auto curves = curves_of(runs);
  for (const Across& across : acrosses) {
    const Unit unit = unit_of(across, runs);
    std::vector<double> xs = {0};
    for (const RunData& run : runs) xs.push_back(across.value(run.last()) / unit.factor);
    if (*std::ranges::max_element(xs) <= 0) continue;  // one rank sends nothing
    Plot plot;
    plot.id = fmt::format("{}-{}", id, across.name);
    plot.title = fmt::format("{} {}", title, across.title);
    plot.description =
        fmt::format("{} of {} against {}", title,
                    counted(static_cast<long long>(runs.size()), "run"), across.name);
    plot.x_label = std::string(across.label) + unit.name;
    plot.y_label = y_label;
    plot.x = axis_of(xs, false);
    plot.y = y;
    for (std::size_t c = 0; c < curves.size(); ++c) {
      std::vector<std::vector<Point>> all;
      for (const RunData* run : curves[c].runs)
        all.push_back(points_of(*run, across, unit, value, what));
      const int style = static_cast<int>(c);
      if (all.size() == 1) {
        constexpr Stroke strokes[] = {Stroke::solid, Stroke::dashed, Stroke::dotted};
        plot.series.push_back(
            {curves[c].name, std::move(all.front()), style, strokes[(c / 8) % 3], true, false});
      } else {
        add_repeats(all, curves[c], style, plot);
      }
    }
    if (!has_points(plot)) continue;
    if (figure.pictures.empty() && (runs.size() > 1)) figure.legend = legend_of(plot);
    figure.pictures.push_back(svg(plot));
  }
  figure.data.columns = {"run", "epoch", "passes", "seconds", "bytes", what};
  for (const RunData& run : runs)
    for (const io::EpochRecord& r : run.epochs)
      figure.data.rows.push_back({run.name, std::to_string(r.epoch), cell(r.passes),
                                  cell(r.wall_seconds), std::to_string(r.bytes_communicated),
                                  cell(value(run, r))});
  return figure;
}

std::vector<double> values_of(const std::vector<RunData>& runs, const Value& value) {
  std::vector<double> values;
  for (const RunData& run : runs)
    for (const io::EpochRecord& r : run.epochs)
      if (const double v = value(run, r); std::isfinite(v)) values.push_back(v);
  return values;
}

/// The lowest objective that runs on the same problem have seen, by RunData::objective_key().
std::map<std::string, double> lowest_objectives(const std::vector<RunData>& runs) {
  std::map<std::string, double> lowest;
  for (const RunData& run : runs)
    for (const io::EpochRecord& r : run.epochs) {
      const auto at = lowest.try_emplace(run.objective_key(), r.objective).first;
      at->second = std::min(at->second, r.objective);
    }
  return lowest;
}

std::string marked_sentence(const std::vector<RunData>& runs) {
  const bool repeats = curves_of(runs).size() < runs.size();
  return std::string("Marks are snapshots, where objective and full gradient were measured") +
         (repeats
              ? "; runs that differ only in their seed are one line, their median, in a band from "
                "the least to the largest, from where all have begun; one that is over "
                "stays where it ended. "
              : ". ");
}

std::string objective_figure(const std::vector<RunData>& runs) {
  const auto lowest = lowest_objectives(runs);
  const Value distance = [&](const RunData& run, const io::EpochRecord& r) {
    const double least = lowest.at(run.objective_key());
    const double d = r.objective - least;
    return d > 4e-16 * std::fabs(least) ? d : missing;
  };
  const auto distances = values_of(runs, distance);
  // Where nothing falls far, as with nets, its distance to its last value would say nothing.
  const bool convex = std::ranges::none_of(runs, &RunData::is_net);
  if (convex && distances.size() >= 2) {
    Figure figure =
        figure_of(runs, "objective", "Objective above the lowest seen", "objective − lowest",
                  "objective_above_lowest", distance, axis_of(distances, true, 0.5));
    double gap = std::numeric_limits<double>::infinity();
    for (const RunData& run : runs)
      if (std::isfinite(run.gap())) gap = std::min(gap, run.gap());
    const double least = lowest.begin()->second;
    figure.caption =
        marked_sentence(runs) +
        (lowest.size() > 1 ? std::string("These runs have different objectives, so each is "
                                         "measured from the lowest of its own. ")
                           : fmt::format("The lowest is {}, which has no place on this axis. ",
                                         shown(least, 8))) +
        (std::isfinite(gap) && lowest.size() == 1
             ? fmt::format("By the duality gap the true minimum lies at most {} below it.",
                           shown(gap, 2))
             : "How far the true minimum lies below it is not known.");
    return html(figure);
  }
  const Value objective = [](const RunData&, const io::EpochRecord& r) { return r.objective; };
  const auto objectives = values_of(runs, objective);
  if (objectives.size() < 2 || std::ranges::max(objectives) == std::ranges::min(objectives))
    return absent("Objective: fewer than two different values are recorded, so there is no curve.");
  Figure figure = figure_of(runs, "objective", "Objective", "objective", "objective", objective,
                            axis_of(objectives, true));
  figure.caption = marked_sentence(runs) + "Mean loss over the training rows plus penalty.";
  return html(figure);
}

std::string gradient_figure(const std::vector<RunData>& runs) {
  const Value ratio = [](const RunData& run, const io::EpochRecord& r) {
    const double first = run.first_grad_norm(), value = r.grad_norm / first;
    return first > 0 && value > 0 ? value : missing;
  };
  const auto ratios = values_of(runs, ratio);
  if (ratios.size() < 2)
    return absent("Gradient norm: fewer than two values are recorded, so there is no curve.");
  Figure figure = figure_of(runs, "gradient", "Gradient norm, relative to the first", "|g| / |g₀|",
                            "gradient_norm_relative", ratio, axis_of(ratios, true, 0.5));
  figure.caption = marked_sentence(runs) +
                   "2-norm of the objective's gradient (with L1, of the proximal step) over that "
                   "at the start.";
  return html(figure);
}

/// Training and validation figures of a metric by epoch, one picture a metric.
std::string metric_figures(const std::vector<RunData>& runs) {
  std::set<std::string> names;  // without their set
  for (const RunData& run : runs)
    for (const io::EpochRecord& r : run.epochs)
      for (const auto& [name, value] : r.metrics)
        if (std::isfinite(value)) names.insert(name.substr(name.find('_') + 1));
  std::string out;
  for (const std::string& name : names) {
    Plot plot;
    plot.id = "metric-" + name;
    plot.title = "Metric " + name + " by epoch";
    plot.x_label = "epoch";
    plot.y_label = name;
    std::vector<double> xs, ys;
    Table data{{"run", "rows", "epoch", name}, {}};
    for (std::size_t i = 0; i < runs.size(); ++i)
      for (const char* set : {"train", "valid"}) {
        const bool valid = set[0] == 'v';
        Series series;
        for (const io::EpochRecord& r : runs[i].epochs) {
          const auto found = r.metrics.find(fmt::format("{}_{}", set, name));
          if (found == r.metrics.end() || !std::isfinite(found->second)) continue;
          const double x = static_cast<double>(r.epoch);
          series.points.push_back({x, found->second,
                                   fmt::format("{}, {}: epoch {}: {}", runs[i].name, set, r.epoch,
                                               shown(found->second))});
          xs.push_back(x);
          ys.push_back(found->second);
          data.rows.push_back({runs[i].name, set, std::to_string(r.epoch), cell(found->second)});
        }
        if (series.points.empty()) continue;
        series.name = (runs.size() > 1 ? runs[i].name + ", " : "") +
                      (valid ? "validation rows" : "training rows");
        series.style = static_cast<int>(runs.size() > 1 ? i : valid ? 1 : 0);
        series.stroke = valid ? Stroke::dashed : Stroke::solid;
        series.marks = true;
        series.hollow = valid;
        plot.series.push_back(std::move(series));
      }
    if (xs.size() < 2) continue;
    plot.x = axis_of(xs, false);
    plot.y = axis_of(ys, true, 2);
    plot.description = fmt::format("{} values of {}", ys.size(), name);
    out += html(Figure{plot.id, "Metric " + name, {svg(plot)}, legend_of(plot), "", data});
  }
  return out;
}

}  // namespace

std::string convergence_section(const std::vector<RunData>& runs) {
  if (runs.empty()) return {};
  const bool alone = std::ranges::all_of(
      runs, [](const RunData& run) { return run.last().bytes_communicated == 0; });
  std::string content = objective_figure(runs) + gradient_figure(runs) + metric_figures(runs);
  if (alone) content += absent("By byte: nothing was sent, since training ran on one rank.");
  return section("convergence", "Convergence",
                 "How near to the optimum, for how much work, time and communication. The axis on "
                 "the left is the same in the pictures of a row.",
                 content);
}

}  // namespace svrg::app::reporting
