#include "monitor_choice.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "svrg/core/error.hpp"

namespace svrg::app {

MonitorChoice MonitorChoice::of(std::string_view text) {
  const auto colon = std::min(text.find(':'), text.size());
  const auto set = text.substr(0, colon);
  if (colon == text.size() || (set != "train" && set != "valid"))
    throw ConfigError(fmt::format(
        "must be train or valid and a metric, such as valid:acc, or train:objective; got '{}'",
        text));
  const auto name = text.substr(colon + 1);
  if (name != "objective") return {set == "valid", Metric::of(name)};
  if (set == "valid")
    throw ConfigError(
        "the objective is the training rows': use train:objective, or valid:ce or "
        "another metric");
  return {};
}

Monitored MonitorChoice::figure() const {
  if (!metric) return {Monitored::objective, false};
  return {(valid ? "valid_" : "train_") + metric->name(), metric->larger_is_better()};
}

void MonitorChoice::add_to(std::vector<Metric>& metrics, bool of_valid) const {
  if (!metric || of_valid != valid) return;
  const auto same = [&](const Metric& m) { return m.name() == metric->name(); };
  if (std::ranges::none_of(metrics, same)) metrics.push_back(*metric);
}

void check_monitor(const Settings& settings) {
  const bool valid = settings.has("valid");
  if (settings.has("monitor")) {
    if (MonitorChoice::of(settings.text("monitor")).valid && !valid)
      throw ConfigError(
          fmt::format("{}: {}, but there are no validation data; give --valid FILE, "
                      "or watch train:objective",
                      settings.place("monitor"), settings.text("monitor")));
  } else if (settings.has("patience") && !valid) {
    throw ConfigError(settings.place("patience") +
                      ": there are no validation data to watch; give --valid FILE, or --monitor "
                      "train:objective");
  }
}

std::optional<MonitorChoice> chosen_monitor(const Settings& settings, Loss loss,
                                            const std::vector<Metric>& metrics) {
  if (!settings.has("patience") && !settings.flag("save_best")) return {};
  if (!settings.has("monitor"))
    return settings.has("valid") ? MonitorChoice{true, metrics.front()} : MonitorChoice{};
  const auto choice = MonitorChoice::of(settings.text("monitor"));
  try {
    if (choice.metric) require_suitable(*choice.metric, loss);
  } catch (const ConfigError& error) {
    throw ConfigError(settings.place("monitor") + ": " + error.what());
  }
  return choice;
}

}  // namespace svrg::app
