#pragma once
#include <vector>

#include "svrg/comm/communicator.hpp"

namespace svrg {

struct ScoredRow {
  double score, weight;
  bool positive;
};

/// Weighted share of pairs (positive, negative) in which the positive has the larger score, ties
/// counted half; NaN where a class is missing. Rows are sorted over the ranks, none holds them all.
/// Collective. Source: Mann & Whitney (1947), U over the product of the weights.
double area_under_roc(const Communicator& comm, std::vector<ScoredRow> rows);

}  // namespace svrg
