#include "tuning_choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "svrg/core/error.hpp"

namespace svrg::app {
namespace {

/// The cells of a point, fold after fold.
std::vector<const io::TuningCell*> cells_of(const io::TuningStudy& study, std::size_t point) {
  std::vector<const io::TuningCell*> cells;
  for (std::size_t i = point; i < study.cells.size(); i += study.settings.size())
    cells.push_back(&study.cells[i]);
  return cells;
}

template <class Get>
double mean_of(const std::vector<const io::TuningCell*>& cells, const Get& get) {
  double sum = 0;
  for (const io::TuningCell* cell : cells) sum += static_cast<double>(get(*cell));
  return sum / static_cast<double>(cells.size());
}

}  // namespace

void choose(io::TuningStudy& study, const Metric& metric, bool one_se) {
  const std::size_t points = study.settings.size(), metrics = study.metrics.size();
  study.mean.clear();
  study.error.clear();
  for (std::size_t p = 0; p < points; ++p)
    for (std::size_t m = 0; m < metrics; ++m) {
      const auto cells = cells_of(study, p);
      const auto k = static_cast<double>(cells.size());
      const double mean = mean_of(cells, [&](const auto& c) { return c.scores[m]; });
      const double variance = mean_of(
          cells, [&](const auto& c) { return (c.scores[m] - mean) * (c.scores[m] - mean); });
      study.mean.push_back(mean);
      study.error.push_back(std::sqrt(variance / (k - 1)));
    }
  const double sign = metric.larger_is_better() ? 1 : -1;
  const auto value = [&](std::size_t p) { return sign * study.mean[p * metrics]; };
  std::size_t best = points;
  for (std::size_t p = 0; p < points; ++p)
    if (std::isfinite(value(p)) && (best == points || value(p) > value(best))) best = p;
  if (best == points)
    throw DataError(
        fmt::format("{}: {} is not defined in every fold: fewer --folds, or another of "
                    "--metrics",
                    study.data, study.metrics.front()));
  study.rule = one_se ? "one-se" : "best";
  study.best = study.chosen = static_cast<Index>(best);
  if (!one_se) return;
  const double least = value(best) - study.error[best * metrics];
  for (std::size_t p = 0; p < best; ++p)
    if (value(p) >= least) {
      study.chosen = static_cast<Index>(p);
      return;
    }
}

std::vector<std::string> table_of(const io::TuningStudy& study) {
  const bool sparse = std::ranges::any_of(study.l1, [](double l1) { return l1 > 0; });
  std::size_t width = 7;
  for (const std::string& setting : study.settings) width = std::max(width, setting.size());
  std::string head = fmt::format("{:<{}} {:>10}", "penalty", width, "l2");
  if (sparse) head += fmt::format(" {:>10}", "l1");
  for (const std::string& name : study.metrics) head += fmt::format(" {:>10} {:>9}", name, "+-");
  head += fmt::format(" {:>12} {:>7} {:>9}", "objective", "epochs", "seconds");
  if (sparse) head += fmt::format(" {:>9}", "non-zeros");
  std::vector<std::string> lines{head};
  for (std::size_t p = 0; p < study.settings.size(); ++p) {
    std::string line = fmt::format("{:<{}} {:>10.4g}", study.settings[p], width, study.l2[p]);
    if (sparse) line += fmt::format(" {:>10.4g}", study.l1[p]);
    for (std::size_t m = 0; m < study.metrics.size(); ++m)
      line += fmt::format(" {:>10.5g} {:>9.2g}", study.mean[p * study.metrics.size() + m],
                          study.error[p * study.metrics.size() + m]);
    const auto cells = cells_of(study, p);
    const auto mean = [&](auto member) {
      return mean_of(cells, [&](const io::TuningCell& c) { return c.*member; });
    };
    line += fmt::format(" {:>12.5e} {:>7.3g} {:>9.3g}", mean(&io::TuningCell::objective),
                        mean(&io::TuningCell::epochs), mean(&io::TuningCell::seconds));
    if (sparse) line += fmt::format(" {:>9.4g}", mean(&io::TuningCell::nonzeros));
    const auto here = static_cast<Index>(p);
    if (here == study.best) line += "  best";
    if (here == study.chosen && here != study.best) line += "  within a standard error of the best";
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace svrg::app
