#include "svrg/module/monitor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "svrg/core/error.hpp"

namespace svrg {

Monitor::Monitor(Index interval, Statistic statistic, const std::string& pattern, bool sort)
    : interval_(interval), statistic_(std::move(statistic)), pattern_(pattern), sort_(sort) {
  if (interval < 1) throw ConfigError("Monitor: the interval must be at least 1");
  if (!statistic_)
    statistic_ = [](std::span<const double> values) {
      double sum = 0;
      for (const double v : values) sum += v * v;
      return std::sqrt(sum / static_cast<double>(values.size()));
    };
}

void Monitor::tic() {
  active_ = step_ % interval_ == 0;
  if (active_) seen_.clear();
  ++step_;
}

void Monitor::see(const std::string& name, std::span<const double> values) {
  if (active_ && std::regex_match(name, pattern_))
    seen_.push_back({step_, name, statistic_(values)});
}

std::vector<Monitor::Entry> Monitor::toc(const std::map<std::string, NDArray>& arg,
                                         const std::map<std::string, NDArray>& aux) {
  if (!active_) return {};
  for (const auto* arrays : {&arg, &aux})
    for (const auto& [name, array] : *arrays) see(name, array.values());
  active_ = false;
  std::vector<Entry> entries = std::move(seen_);
  seen_.clear();
  if (sort_)
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return a.name < b.name; });
  return entries;
}

void Monitor::toc_print(const std::map<std::string, NDArray>& arg,
                        const std::map<std::string, NDArray>& aux, const LogSink& log) {
  for (const Entry& e : toc(arg, aux))
    if (log) log(LogLevel::info, fmt::format("Batch: {:7d} {:30s} {}", e.step, e.name, e.value));
}

}  // namespace svrg
