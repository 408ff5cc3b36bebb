#pragma once
#include "svrg/core/types.hpp"

namespace svrg::app {

/// 80 % of the node's free memory over the ranks that the launcher put on it; bytes.
Index default_max_memory();
/// Of this process, bytes: resident now, and the most so far.
Index memory_now();
Index memory_at_most();

}  // namespace svrg::app
