#pragma once
#include <span>

#include "svrg/comm/reducer.hpp"
#include "svrg/data/shard.hpp"
#include "svrg/io/evaluation.hpp"
#include "svrg/train/label_map.hpp"
#include "svrg/train/predictor.hpp"

namespace svrg {

/// What a report shows of a model on a data set, counted in one pass over its rows; labels as the
/// loss takes them (LabelMap::apply). Counts at the thresholds of the ROC are exact; where these
/// lie is taken from a sample of the rows that does not depend on the ranks. `rows_of` is left
/// empty. Collective.
io::Evaluation evaluate_for_report(const Communicator& comm, Predictor& model,
                                   const LabelMap& labels, const Shard& shard, Reduction reduction);
/// The same where the scores are known: [rows, scores per row] of the shard's rows.
io::Evaluation evaluate_scores_for_report(const Communicator& comm, const LabelMap& labels,
                                          std::span<const double> scores, const Shard& shard,
                                          Reduction reduction);

}  // namespace svrg
