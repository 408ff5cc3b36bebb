// What the time went into, and how evenly over the ranks.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/figure.hpp"
#include "report/sections.hpp"
#include "report/shown.hpp"
#include "text.hpp"

namespace svrg::app::reporting {
namespace {

constexpr std::size_t most_bars = 48, most_ranks = 64, most_runs = 4;

std::string phase_name(std::size_t p) { return replaced(phase_names[p], '_', ' '); }

std::string figure_id(const char* what, std::size_t run, std::size_t runs) {
  return runs == 1 ? what : fmt::format("{}-{}", what, run + 1);
}

std::string title_of(const char* title, const RunData& run, std::size_t runs) {
  return runs == 1 ? title : fmt::format("{}: {}", title, run.name);
}

/// Seconds of a stretch of epochs by phase, in a chart's unit.
std::vector<double> seconds_of(const RunData& run, std::size_t from, std::size_t to,
                               double factor) {
  std::vector<double> sums(phases, 0);
  for (std::size_t e = from; e < to; ++e) {
    const auto means = mean_phases(run.epochs[e].phase_seconds);
    for (std::size_t p = 0; p < phases; ++p) sums[p] += means[p] / factor;
  }
  return sums;
}

double sum_of(const RunData& run) {
  double sum = 0;
  for (const double s : seconds_of(run, 0, run.epochs.size(), 1)) sum += s;
  return sum;
}

std::string by_epoch(const RunData& run, std::size_t index, std::size_t runs) {
  Bars bars;
  bars.id = figure_id("phases", index, runs);
  bars.title = title_of("Phases by epoch", run, runs);
  bars.parts = phase_parts();
  bars.bar_label = "epoch";
  const std::size_t epochs = run.epochs.size();
  const std::size_t width = (epochs + most_bars - 1) / most_bars;
  double largest = 0;
  for (std::size_t e = 0; e < epochs; e += width) {
    double sum = 0;
    for (const double s : seconds_of(run, e, std::min(e + width, epochs), 1)) sum += s;
    largest = std::max(largest, sum);
  }
  const Unit unit = unit_of_seconds(largest);
  bars.unit = unit.name;
  bars.value_label = unit.name;
  for (std::size_t e = 0; e < epochs; e += width)
    bars.bars.push_back({std::to_string(run.epochs[e].epoch),
                         seconds_of(run, e, std::min(e + width, epochs), unit.factor)});
  if (!has_bars(bars)) return absent("Phases by epoch: no time was recorded.");
  bars.description =
      fmt::format("{} of stacked phases", counted(static_cast<long long>(bars.bars.size()), "bar"));
  Table data{{"epoch"}, {}};
  for (const auto name : phase_names) data.columns.push_back(fmt::format("{}_seconds", name));
  for (const auto& record : run.epochs) {
    const auto means = mean_phases(record.phase_seconds);
    auto& row = data.rows.emplace_back(std::vector{std::to_string(record.epoch)});
    for (const double s : means) row.push_back(cell(s));
  }
  return html(Figure{
      bars.id,
      bars.title,
      {svg(bars)},
      legend_of(bars),
      fmt::format("Mean of the ranks. Hatched phases are communication.{} All together {} of {} of "
                  "training; the rest went into what is in no phase, such as the record.",
                  width > 1 ? fmt::format(" A bar is the sum of {} records, named by "
                                          "the first.",
                                          width)
                            : "",
                  shown_seconds(sum_of(run)), shown_seconds(run.last().wall_seconds)),
      data});
}

std::string by_rank(const RunData& run, std::size_t index, std::size_t runs) {
  const std::size_t ranks = run.last().phase_seconds.size();
  std::vector<std::array<double, phases>> sums(ranks);
  for (const auto& record : run.epochs)
    for (std::size_t r = 0; r < std::min(ranks, record.phase_seconds.size()); ++r)
      for (std::size_t p = 0; p < phases; ++p)
        if (std::isfinite(record.phase_seconds[r][p])) sums[r][p] += record.phase_seconds[r][p];
  double largest = 0, least_work = INFINITY, most_work = 0, work = 0;
  for (const auto& rank : sums) {
    double all = 0, own = 0;
    for (std::size_t p = 0; p < phases; ++p) {
      all += rank[p];
      const auto phase = static_cast<Phase>(p);
      if (phase != Phase::allreduce && phase != Phase::wait) own += rank[p];
    }
    largest = std::max(largest, all);
    least_work = std::min(least_work, own);
    most_work = std::max(most_work, own);
    work += own / static_cast<double>(ranks);
  }
  const Unit unit = unit_of_seconds(largest);
  Bars bars;
  bars.id = figure_id("ranks", index, runs);
  bars.title = title_of("Phases by rank", run, runs);
  bars.parts = phase_parts();
  bars.lying = true;
  bars.bar_label = "rank";
  bars.value_label = "time in " + unit.name;
  bars.unit = unit.name;
  bars.description = fmt::format("{} of stacked phases, one a rank",
                                 counted(static_cast<long long>(ranks), "bar"));
  const std::size_t shown_ranks = std::min(ranks, most_ranks);
  for (std::size_t i = 0; i < shown_ranks; ++i) {
    const std::size_t r = ranks <= most_ranks ? i : i * (ranks - 1) / (most_ranks - 1);
    std::vector<double> values;
    for (const double s : sums[r]) values.push_back(s / unit.factor);
    bars.bars.push_back({std::to_string(r), std::move(values)});
  }
  if (!has_bars(bars)) return absent("Phases by rank: no time was recorded.");
  Table data{{"rank", "host"}, {}};
  for (const auto name : phase_names) data.columns.push_back(fmt::format("{}_seconds", name));
  for (std::size_t r = 0; r < ranks; ++r) {
    auto& row = data.rows.emplace_back(std::vector{
        std::to_string(r), r < run.hostnames.size() ? run.hostnames[r] : std::string()});
    for (const double s : sums[r]) row.push_back(cell(s));
  }
  std::string caption =
      ranks == 1 ? "One rank: nothing to wait for."
                 : fmt::format(
                       "Own work, without the hatched communication, takes {} to {}; the rank with "
                       "most has {} more than the mean.",
                       shown_seconds(least_work), shown_seconds(most_work),
                       shown_share(work > 0 ? most_work / work - 1 : 0));
  if (ranks > most_ranks)
    caption += fmt::format(" {} of {} ranks are drawn, at equal steps; all are in the data.",
                           most_ranks, ranks);
  const bool changed = std::ranges::any_of(
      run.epochs, [&](const io::EpochRecord& r) { return r.phase_seconds.size() != ranks; });
  if (changed)
    caption +=
        " The run had another number of ranks for a while: these are those it has at the end.";
  return html(Figure{bars.id, bars.title, {svg(bars)}, legend_of(bars), caption, data});
}

std::string memory(const RunData& run, std::size_t index, std::size_t runs) {
  const auto& all = run.last().max_rss;
  std::vector<double> bytes;
  for (const double b : all)
    if (std::isfinite(b)) bytes.push_back(b);
  if (bytes.empty()) return absent("Memory: none was recorded.");
  const Unit unit = unit_of_bytes(*std::ranges::max_element(bytes));
  Bars bars;
  bars.id = figure_id("memory", index, runs);
  bars.title = title_of("Memory by rank", run, runs);
  bars.parts = {{"largest resident memory", 0}};
  bars.lying = true;
  bars.bar_label = "rank";
  bars.value_label = "largest resident memory in " + unit.name;
  bars.unit = unit.name;
  bars.description = counted(static_cast<long long>(bytes.size()), "rank");
  Table data{{"rank", "max_rss_bytes"}, {}};
  const std::size_t shown_ranks = std::min(bytes.size(), most_ranks);
  for (std::size_t i = 0; i < shown_ranks; ++i) {
    const std::size_t r =
        bytes.size() <= most_ranks ? i : i * (bytes.size() - 1) / (most_ranks - 1);
    bars.bars.push_back({std::to_string(r), {bytes[r] / unit.factor}});
  }
  for (std::size_t r = 0; r < bytes.size(); ++r)
    data.rows.push_back({std::to_string(r), cell(bytes[r])});
  return html(Figure{bars.id,
                     bars.title,
                     {svg(bars)},
                     {},
                     "With the program and its libraries, at the last record.",
                     data});
}

/// One bar a run, where there are several.
std::string by_run(const std::vector<RunData>& runs) {
  double largest = 0;
  for (const RunData& run : runs) largest = std::max(largest, run.last().wall_seconds);
  const Unit unit = unit_of_seconds(largest);
  Bars bars;
  bars.id = "phases-by-run";
  bars.title = "Phases by run";
  bars.parts = phase_parts();
  bars.lying = true;
  bars.bar_label = "run";
  bars.value_label = "time in " + unit.name;
  bars.unit = unit.name;
  bars.description = counted(static_cast<long long>(runs.size()), "run");
  Table data{{"run"}, {}};
  for (const auto name : phase_names) data.columns.push_back(fmt::format("{}_seconds", name));
  for (const RunData& run : runs) {
    bars.bars.push_back({run.name, seconds_of(run, 0, run.epochs.size(), unit.factor)});
    auto& row = data.rows.emplace_back(std::vector{run.name});
    for (const double s : bars.bars.back().values) row.push_back(cell(s * unit.factor));
  }
  if (!has_bars(bars)) return {};
  return html(Figure{bars.id,
                     bars.title,
                     {svg(bars)},
                     legend_of(bars),
                     "All epochs, mean of the ranks. Hatched phases are communication.",
                     data});
}

}  // namespace

std::vector<Part> phase_parts() {
  constexpr int styles[phases] = {5, 0, 2, 1, 4, 3, 7, 6};
  std::vector<Part> parts;
  for (std::size_t p = 0; p < phases; ++p) {
    const auto phase = static_cast<Phase>(p);
    parts.push_back({phase_name(p), styles[p], phase == Phase::allreduce || phase == Phase::wait});
  }
  return parts;
}

std::string time_section(const std::vector<RunData>& runs) {
  if (runs.empty()) return {};
  std::string content;
  if (runs.size() > 1) content += by_run(runs);
  const std::size_t count = std::min(runs.size(), most_runs);
  for (std::size_t i = 0; i < count; ++i)
    content += by_epoch(runs[i], i, runs.size()) + by_rank(runs[i], i, runs.size()) +
               memory(runs[i], i, runs.size());
  if (runs.size() > most_runs)
    content +=
        absent(fmt::format("Epochs and ranks of the first {} runs are drawn; a report of one "
                           "of the others shows its own.",
                           most_runs));
  return section("time", "Time and memory", "Where the time went, and how evenly.", content);
}

}  // namespace svrg::app::reporting
