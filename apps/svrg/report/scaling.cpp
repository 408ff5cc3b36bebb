// A scaling study: what more ranks bring, and what they cost. Simulated numbers are never mixed
// with measured ones: other marks, other strokes, and words.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/figure.hpp"
#include "report/sections.hpp"
#include "report/shown.hpp"
#include "report/speed_up.hpp"

namespace svrg::app::reporting {
namespace {

Plot plot_of(const SpeedUp& s, const std::string& id, const char* title, const char* y_label) {
  Plot plot;
  plot.id = id;
  plot.title = title;
  plot.x_label = "ranks";
  plot.y_label = y_label;
  plot.x = Axis::at(s.all_ranks());
  // Up to half-way from the last number of ranks that has its cores.
  if (const double beyond = s.beyond_cores(); beyond > 0) {
    double before = beyond / 1.15;
    for (const Size& size : s.sizes())
      if (size.ranks < beyond) before = size.ranks;
    plot.shaded_from = std::sqrt(before * beyond);
    plot.shaded_to = s.sizes().back().ranks * 1.15;
  }
  return plot;
}

std::string shading_sentence(const SpeedUp& s) {
  return s.beyond_cores() > 0
             ? fmt::format(" On the shaded ground there are more ranks than a node's {} cores.",
                           s.study().cores)
             : "";
}

std::string simulation_sentence(const SpeedUp& s) {
  return s.platforms().empty()
             ? ""
             : " Hollow marks on dashed lines are <strong>simulated</strong>, not measured; each "
               "platform is compared with its own smallest number of ranks.";
}

/// A figure of times turned into something, measured and simulated.
std::string derived_figure(const SpeedUp& s, const std::string& id, const char* title,
                           const char* y_label, bool is_speed_up, const std::string& caption) {
  Plot plot = plot_of(s, id, title, y_label);
  std::vector<double> ys;
  const auto turned = [&](double efficiency, double ranks) {
    ys.push_back(is_speed_up ? efficiency * ranks : efficiency);
    return ys.back();
  };
  Series ideal{"ideal", {}, 6, Stroke::dotted};
  for (const double p : s.all_ranks()) ideal.points.push_back({p, turned(1, p)});
  plot.series.push_back(ideal);
  Series measured{"measured", {}, 0, Stroke::solid, true};
  Band band{0, {}, {}};
  Table data{{"kind", "ranks", is_speed_up ? "speed_up" : "efficiency", "least", "largest"}, {}};
  for (const Size& size : s.sizes()) {
    const double y = turned(s.efficiency(size, size.seconds.median), size.ranks);
    const double low = turned(s.efficiency(size, size.seconds.high), size.ranks);
    const double high = turned(s.efficiency(size, size.seconds.low), size.ranks);
    measured.points.push_back(
        {size.ranks, y, fmt::format("{} ranks, measured: {}", size.ranks, shown(y, 3))});
    band.low.push_back({size.ranks, low});
    band.high.push_back({size.ranks, high});
    data.rows.push_back({"measured", cell(size.ranks), cell(y), cell(low), cell(high)});
  }
  const bool repeated = s.sizes().front().repeats > 1;
  if (repeated) plot.bands.push_back(band);
  plot.series.push_back(measured);
  if (const double serial = s.serial_part(); std::isfinite(serial)) {
    Series fit{
        fmt::format("{}, serial part {}", s.weak() ? "Gustafson" : "Amdahl", shown_share(serial)),
        {},
        2,
        Stroke::dotted};
    for (const double p : s.all_ranks())
      if (p <= s.sizes().back().ranks) fit.points.push_back({p, turned(s.fitted(p) / p, p)});
    plot.series.push_back(fit);
  }
  int style = 1;
  for (const auto& [platform, runs] : s.platforms()) {
    Series series{platform + " (simulated)", {}, style, Stroke::dashed, true, true};
    for (const auto* run : runs) {
      const auto ranks = static_cast<double>(run->ranks);
      const double y = turned(s.efficiency(*run), ranks);
      series.points.push_back(
          {ranks, y, fmt::format("{} ranks, simulated on {}: {}", ranks, platform, shown(y, 3))});
      data.rows.push_back({"simulated on " + platform, cell(ranks), cell(y), "", ""});
    }
    plot.series.push_back(series);
    style = style == 1 ? 3 : style + 1;  // 2 is the fit's
  }
  plot.y = is_speed_up ? axis_of(ys, true, 0.6) : Axis::linear(0, *std::ranges::max_element(ys));
  plot.description = fmt::format("{} against ranks, {} measured", title, s.sizes().size());
  return html(Figure{id,
                     title,
                     {svg(plot)},
                     legend_of(plot),
                     caption +
                         (repeated ? " The line is the median of the repeats, the band goes "
                                     "from the least to the largest."
                                   : "") +
                         simulation_sentence(s) + shading_sentence(s),
                     data});
}

std::string communication_figure(const SpeedUp& s, const std::string& id) {
  Plot plot = plot_of(s, id, "Share of communication", "share of the training's time");
  Table data{{"kind", "ranks", "share", "seconds"}, {}};
  Series measured{"measured", {}, 0, Stroke::solid, true};
  std::vector<double> ys = {0};
  for (const Size& size : s.sizes()) {
    const double y = size.communication.median;
    measured.points.push_back(
        {size.ranks, y, fmt::format("{} ranks, measured: {}", size.ranks, shown_share(y))});
    ys.push_back(y);
    data.rows.push_back({"measured", cell(size.ranks), cell(y), cell(size.seconds.median)});
  }
  plot.series.push_back(measured);
  std::string pays;
  const auto best =
      std::ranges::min_element(s.sizes(), {}, [](const Size& size) { return size.seconds.median; });
  if (!s.weak())
    pays = best + 1 == s.sizes().end()
               ? fmt::format(" More ranks paid up to the {} that were measured.", best->ranks)
               : fmt::format(" Beyond {} more ranks did not make it faster.",
                             counted(static_cast<long long>(best->ranks), "rank"));
  if (!s.weak() && best + 1 != s.sizes().end())
    plot.rules.push_back({true, best->ranks, "fastest"});
  int style = 1;
  for (const auto& [platform, runs] : s.platforms()) {
    Series series{platform + " (simulated)", {}, style, Stroke::dashed, true, true};
    for (const auto* run : runs) {
      const double y = run->communication_seconds / run->train_seconds;
      series.points.push_back(
          {static_cast<double>(run->ranks), y,
           fmt::format("{} ranks, simulated on {}: {}", run->ranks, platform, shown_share(y))});
      ys.push_back(y);
      data.rows.push_back({"simulated on " + platform, std::to_string(run->ranks), cell(y),
                           cell(run->train_seconds)});
    }
    plot.series.push_back(series);
    if (!s.weak()) {
      const auto* fastest =
          *std::ranges::min_element(runs, {}, [](const auto* run) { return run->train_seconds; });
      pays += fmt::format(" In the simulation of {} the fastest is {}.", escaped(platform),
                          counted(fastest->ranks, "rank"));
    }
    style = style == 1 ? 3 : style + 1;
  }
  if (*std::ranges::max_element(ys) <= 0)
    return absent("Share of communication: no time in collectives was recorded.");
  plot.y = Axis::linear(0, *std::ranges::max_element(ys));
  plot.description = "Share of communication against ranks";
  return html(
      Figure{id,
             plot.title,
             {svg(plot)},
             legend_of(plot),
             "Time in collectives, waiting for others included, over all time of training." + pays +
                 simulation_sentence(s) + shading_sentence(s),
             data});
}

std::string phases_figure(const SpeedUp& s, const std::string& id) {
  Bars bars;
  bars.id = id;
  bars.title = "Phases by number of ranks";
  bars.parts = phase_parts();
  bars.bar_label = "ranks";
  double largest = 0;
  for (const Size& size : s.sizes()) {
    double sum = 0;
    for (const double seconds : size.phase_seconds) sum += seconds;
    largest = std::max(largest, sum);
  }
  const Unit unit = unit_of_seconds(largest);
  bars.value_label = unit.name;
  bars.unit = unit.name;
  bars.description = counted(static_cast<long long>(s.sizes().size()), "bar");
  Table data{{"ranks"}, {}};
  for (const auto name : phase_names) data.columns.push_back(fmt::format("{}_seconds", name));
  for (const Size& size : s.sizes()) {
    Bar bar{shown(size.ranks), {}};
    auto& row = data.rows.emplace_back(std::vector{cell(size.ranks)});
    for (const double seconds : size.phase_seconds) {
      bar.values.push_back(seconds / unit.factor);
      row.push_back(cell(seconds));
    }
    bars.bars.push_back(std::move(bar));
  }
  if (!has_bars(bars)) return absent("Phases by number of ranks: no time was recorded.");
  return html(
      Figure{id,
             bars.title,
             {svg(bars)},
             legend_of(bars),
             "Loading (data) and training, mean of ranks and repeats. Measured. Hatched phases are "
             "communication.",
             data});
}

std::string numbers(const SpeedUp& s) {
  Table table{{"", "rows", "time", "speed-up", "efficiency", "passes", "sent by a rank",
               "communication", "reached the tolerance"},
              {}};
  for (const Size& size : s.sizes())
    table.rows.push_back({counted(static_cast<long long>(size.ranks), "rank"), shown(size.rows),
                          shown_seconds(size.seconds.median),
                          shown(size.ranks * s.efficiency(size, size.seconds.median), 3),
                          shown_share(s.efficiency(size, size.seconds.median)),
                          shown(size.passes, 3), shown_bytes(size.bytes),
                          shown_share(size.communication.median),
                          fmt::format("{} of {}", size.converged, size.repeats)});
  for (const auto& [platform, runs] : s.platforms())
    for (const auto* run : runs) {
      const double e = s.efficiency(*run);
      table.rows.push_back(
          {fmt::format("{}, simulated on {}", counted(run->ranks, "rank"), platform),
           shown(static_cast<double>(run->rows)), shown_seconds(run->train_seconds),
           shown(e * static_cast<double>(run->ranks), 3), shown_share(e), "–",
           shown_bytes(static_cast<double>(run->bytes_communicated)),
           shown_share(run->communication_seconds / run->train_seconds),
           run->converged ? "yes" : "no"});
    }
  return R"(<div class="block wide"><h3>Numbers</h3>)" + html(table) + "</div>";
}

}  // namespace

std::string summary_of(const StudyData& data) {
  const SpeedUp s(data.study);
  if (s.sizes().size() < 2) return {};
  const Size& last = s.sizes().back();
  const double e = s.efficiency(last, last.seconds.median);
  std::string text = fmt::format(
      "On {} {} {} times as fast as on {}: efficiency {}, serial part {}.",
      counted(static_cast<long long>(last.ranks), "rank"),
      s.weak() ? "rows are worked off" : "training is", shown(e * last.ranks / s.first_ranks(), 3),
      shown(s.first_ranks()), shown_share(e), shown_share(s.serial_part()));
  if (const double beyond = s.beyond_cores(); beyond > 0)
    text += fmt::format(" From {} on there are more ranks than a node's {} cores.", shown(beyond),
                        data.study.cores);
  return text;
}

std::string scaling_section(const StudyData& data, int number) {
  const SpeedUp s(data.study);
  const auto id = [&](const char* what) { return fmt::format("{}-{}", what, number); };
  std::string content;
  if (s.sizes().size() < 2 && s.platforms().empty()) {
    content = absent("Speed-up and efficiency: only one number of ranks was measured.");
  } else {
    content += derived_figure(
        s, id("speed-up"), s.weak() ? "Speed-up, scaled" : "Speed-up", "speed-up", true,
        s.weak() ? "Rows grow with the ranks: so many times the rows a second of one rank."
                 : fmt::format("Training time on {} over that on more.",
                               counted(static_cast<long long>(s.first_ranks()), "rank")));
    content += derived_figure(s, id("efficiency"), "Efficiency", "speed-up / ranks", false,
                              "Speed-up over ranks: 1 is ideal.");
    content += communication_figure(s, id("communication"));
  }
  content += phases_figure(s, id("scaling-phases")) + numbers(s);
  const io::ScalingStudy& study = data.study;
  std::string lead =
      fmt::format("{} scaling of {} on {}: {} columns, {}; {}. ", s.weak() ? "Weak" : "Strong",
                  escaped(study.algorithm), escaped(file_name(study.data)),
                  shown(static_cast<double>(study.columns)), escaped(study.solver),
                  counted(static_cast<long long>(s.sizes().front().repeats), "repeat"));
  for (const std::string& platform : study.platforms)
    lead += "Simulated platform " + escaped(platform) + ". ";
  return section(fmt::format("scaling-{}", number), "Scaling: " + data.name, lead, content);
}

}  // namespace svrg::app::reporting
