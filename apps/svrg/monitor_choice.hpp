#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "settings.hpp"
#include "svrg/train/best_epoch.hpp"
#include "svrg/train/metric.hpp"

namespace svrg::app {

/// What --monitor watches: a metric of the training or validation rows, or the objective.
struct MonitorChoice {
  bool valid = false;            // the validation rows', else the training rows'
  std::optional<Metric> metric;  // none: the objective
  /// "valid:acc", "train:objective". @throws ConfigError
  static MonitorChoice of(std::string_view text);
  Monitored figure() const;
  /// Adds the metric to those of one of the sets, unless it is there.
  void add_to(std::vector<Metric>& metrics, bool of_valid) const;
};

/// What can be said to be wrong before anything is read. Local. @throws ConfigError with the remedy
void check_monitor(const Settings& settings);
/// --monitor, where something asks for it; without it the first of `metrics` on the validation
/// rows, or for --save-best the objective. Local. @throws ConfigError
std::optional<MonitorChoice> chosen_monitor(const Settings& settings, Loss loss,
                                            const std::vector<Metric>& metrics);

}  // namespace svrg::app
