#pragma once
#include <vector>

#include "svrg/core/types.hpp"

namespace svrg {

/// A gradient over a ParameterLayout: dense storage [P]. A row_sparse segment also lists the rows
/// that may be non-zero, per parameter, ascending; empty for dense segments.
template <class Real>
struct Gradient {
  Vec<Real> values;
  std::vector<std::vector<Index>> rows;
};

}  // namespace svrg
