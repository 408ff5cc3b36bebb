#pragma once
#include <functional>
#include <string>
#include <vector>

#include "svrg/core/options.hpp"
#include "svrg/data/nd_array.hpp"

namespace svrg::metric_kinds {

using Sums = std::vector<double>;

struct Kind {
  std::string name;
  bool needs_labels = true;
  /// Rows to sums; of the same length for any rows of the same network, none included.
  std::function<Sums(const NDArray& label, const NDArray& pred)> measure;
  /// Takes a batch's sums over all ranks into the totals (empty at first).
  std::function<void(const Sums& batch, Sums& totals)> fold;
  std::function<double(const Sums& totals)> value;
};

/// Σ over all rows / count over all rows.
Kind quotient(std::string name, std::function<Sums(const NDArray&, const NDArray&)> measure);
/// By name or alias. @throws ConfigError
Kind find(const std::string& name, const Options& options);

}  // namespace svrg::metric_kinds
