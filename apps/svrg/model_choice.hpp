#pragma once
#include <optional>
#include <string>
#include <vector>

#include "settings.hpp"
#include "svrg/io/model_file.hpp"
#include "svrg/model/linear_form.hpp"
#include "svrg/model/net.hpp"
#include "svrg/train/label_map.hpp"

namespace svrg::app {

/// What --model, --symbol and their options ask for, before the data are known.
class ModelChoice {
 public:
  /// Local. @throws ConfigError, DataError
  explicit ModelChoice(const Settings& settings);

  /// Not a linear model: trained in minibatches, from random weights.
  bool is_net() const noexcept { return perceptron_ || symbol_; }
  bool intercept() const noexcept { return intercept_; }
  /// The labels' meaning for these labels. Collective. @throws CollectiveError (usage)
  LabelMap labels(const Communicator& comm, const Shard& shard) const;
  /// The record of the model for data of this width, without weights. Local.
  /// @throws ConfigError where net, labels and columns do not fit
  io::ModelRecord record(const LabelMap& labels, const DataInfo& info) const;

 private:
  std::vector<Index> input_shape(Index columns) const;
  const Settings& settings_;
  std::optional<LinearForm> form_;
  std::optional<Symbol> symbol_;
  bool perceptron_ = false, intercept_ = true;
};

/// @throws ConfigError naming a parameter that a model file has no place for
void require_names_for_files(const ParameterLayout& layout);
/// Random weights of a net, by Xavier's rule and the seed; an __init__ attribute wins.
Vec<double> initial_weights(const io::ModelRecord& record, std::uint64_t seed);
/// Values in memory that a net takes for each row of a block, gradients included. Local.
Index values_per_row(const io::ModelRecord& record);
/// A number of the symbol's text, for telling two nets apart.
std::uint64_t fingerprint(const std::string& text);

}  // namespace svrg::app
