#pragma once
#include "svrg/io/model_file.hpp"

namespace svrg {

/// Initial weights for a model `to` (its weights are not used) that gives raw rows the scores of
/// `from`: the same weights where both treat the columns alike; a linear model's are converted
/// where they do not. Local. [to.layout.size()]
/// @throws ConfigError naming what differs, where no weights do that: kind, classes, features, net
Vec<double> warm_start(const io::ModelRecord& from, const io::ModelRecord& to);

}  // namespace svrg
