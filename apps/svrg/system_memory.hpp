#pragma once
#include "svrg/core/types.hpp"

namespace svrg::app {

/// 80 % of the node's free memory over the ranks that the launcher put on it; bytes.
Index default_max_memory();
/// Resident in this process now, bytes.
Index memory_now();

}  // namespace svrg::app
