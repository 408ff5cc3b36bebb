#pragma once
#include <string>
#include <vector>

#include "svrg/comm/communicator.hpp"
#include "svrg/data/shard.hpp"
#include "svrg/model/linear_model.hpp"

namespace svrg {

/// What the labels of a data set mean to a model: any two values become −1 and +1, any K values the
/// class numbers 0 … K−1, in ascending order; numbers stay as they are for a squared loss.
struct LabelMap {
  Loss loss = Loss::squared;
  std::vector<double> classes;   // the values, ascending; empty for a squared loss
  std::vector<double> positive;  // not empty: these values are class 1 of {0, 1}, the rest class 0

  /// Chooses by the labels where `kind` is "auto": two values logistic, up to 1000 whole numbers
  /// softmax, else linear. Collective.
  /// @throws CollectiveError (usage) where kind and labels do not fit, with the remedy.
  static LabelMap choose(const Communicator& comm, const Shard& shard, const std::string& kind,
                         std::vector<double> positive);
  /// Replaces the shard's labels by what the loss takes. Collective.
  /// @throws CollectiveError (data) naming a row whose label is not among the classes.
  void apply(const Communicator& comm, Shard& shard) const;
  /// The label of a row's scores: the value itself for a squared loss.
  double label_of(const double* scores) const;
  Index scores_per_row() const {
    return loss == Loss::softmax ? static_cast<Index>(classes.size()) : 1;
  }
};

}  // namespace svrg
