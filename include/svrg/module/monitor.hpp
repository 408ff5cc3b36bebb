#pragma once
#include <functional>
#include <map>
#include <regex>
#include <span>
#include <string>
#include <vector>

#include "svrg/core/log.hpp"
#include "svrg/data/nd_array.hpp"

namespace svrg {

/// Watches the outputs of operators, parameters and auxiliary states of every `interval`-th batch.
/// What it sees of outputs are this rank's rows.
class Monitor {
 public:
  using Statistic = std::function<double(std::span<const double>)>;
  /// One statistic of one array.
  struct Entry {
    Index step;  // from 1
    std::string name;
    double value;
  };
  /// @param statistic  none: ‖x‖/√size   @param pattern  a regular expression for whole names
  explicit Monitor(Index interval, Statistic statistic = {}, const std::string& pattern = ".*",
                   bool sort = false);
  /// Begins a batch: in every interval-th one it watches.
  void tic();
  /// What was seen since tic(), with parameters and states added; nothing between intervals.
  std::vector<Entry> toc(const std::map<std::string, NDArray>& arg,
                         const std::map<std::string, NDArray>& aux);
  /// "Batch:       1 fc1_output                     0.123"
  void toc_print(const std::map<std::string, NDArray>& arg,
                 const std::map<std::string, NDArray>& aux, const LogSink& log);
  bool active() const noexcept { return active_; }
  /// Takes in an array while it watches.
  void see(const std::string& name, std::span<const double> values);

 private:
  Index interval_, step_ = 0;
  Statistic statistic_;
  std::regex pattern_;
  bool sort_, active_ = false;
  std::vector<Entry> seen_;
};

}  // namespace svrg
