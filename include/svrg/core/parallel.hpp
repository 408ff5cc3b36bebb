#pragma once
#include <functional>

#include "svrg/core/types.hpp"

namespace svrg {

/// Things in a row, cut into as many stretches of neighbours as there are lanes: a thread's share
/// each. A lane may be empty.
struct Lanes {
  Index count = 1, things = 0;
  Index begin(Index lane) const noexcept { return things * lane / count; }
  Index lane_of(Index thing) const noexcept { return ((thing + 1) * count - 1) / things; }
};

/// f(0) … f(count − 1), each on a thread of its own (OpenMP) where there are several; one after the
/// other in a build without OpenMP. What they throw is thrown here once all have ended: that of the
/// lowest. f must not communicate. Local.
void parallel(Index count, const std::function<void(Index)>& f);

/// Cores that this process may run on, as its launcher or SLURM has bound it. Local.
Index cores_allowed();

}  // namespace svrg
