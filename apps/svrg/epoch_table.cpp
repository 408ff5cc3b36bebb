#include "epoch_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "quantity.hpp"

namespace svrg::app {
namespace {

std::string cell(const char* format, double value) {
  return std::isfinite(value) ? fmt::format(fmt::runtime(format), value) : "-";
}

std::size_t metric_width(const std::string& name) { return std::max<std::size_t>(9, name.size()); }

}  // namespace

std::string epoch_header(const EpochLine& line) {
  std::string text = fmt::format("{:>5}{:>8}{:>9}  {:>10}{:>11}", "epoch", "passes", "time",
                                 "objective", "|g|/|g0|");
  for (const auto& [name, value] : line.metrics)
    text += fmt::format("  {:>{}}", name, metric_width(name));
  return text + fmt::format("{:>9}{:>6}", "rows/s", "MPI");
}

std::string epoch_row(const EpochLine& line) {
  std::string text = fmt::format("{:>5}{:>8}{:>9}  {:>10}{:>11}", line.epoch,
                                 cell("{:.1f}", line.passes), format_seconds(line.seconds),
                                 cell("{:.4e}", line.objective), cell("{:.1e}", line.grad_ratio));
  for (const auto& [name, value] : line.metrics)
    text += fmt::format("  {:>{}}", cell("{:.5g}", value), metric_width(name));
  return text + fmt::format("{:>9}{:>6}", format_count(line.rows_per_second),
                            cell("{:.0f} %", 100 * line.mpi_share));
}

}  // namespace svrg::app
