#pragma once
#include <string>
#include <vector>

#include "svrg/io/tuning_file.hpp"
#include "svrg/train/metric.hpp"

namespace svrg::app {

/// Fills in means, standard errors and the choice: the best mean of the first metric or, by the
/// rule of one standard error, the strongest penalty whose mean is no further than that from the
/// best. Of equal means the stronger penalty wins. Local.
/// @throws DataError where no point has a score in every fold
void choose(io::TuningStudy& study, const Metric& metric, bool one_se);

/// The grid as a table, a line a point.
std::vector<std::string> table_of(const io::TuningStudy& study);

}  // namespace svrg::app
