#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "settings.hpp"
#include "svrg/data/shard.hpp"
#include "svrg/io/model_file.hpp"

namespace svrg::app {

/// What training takes beside the rows: memory of this rank, and passes and bytes that root sends
/// an epoch or outer iteration, without those of metrics. An estimate.
struct Needs {
  struct Use {
    std::string what;
    Index bytes = 0;
  };
  std::vector<Use> memory;
  std::string unit = "epoch";
  double least_passes = 0, most_passes = 0;
  double least_sent = 0, most_sent = 0;
  void add(std::string_view what, Index bytes);
  Index bytes() const;
};

/// By the options, for these rows and this model (its weights are not used). Local.
/// @throws ConfigError
Needs training_needs(const Settings& settings, int ranks, const Shard& shard,
                     const io::ModelRecord& model);

/// "memory", "needs" and "cost": three lines for --dry-run, for the rank with most rows. `now` is
/// the memory in use with the rows read, `reading` the most it has been.
std::vector<std::pair<std::string, std::string>> in_words(const Needs& needs, Index rows, Index now,
                                                          Index reading);

}  // namespace svrg::app
