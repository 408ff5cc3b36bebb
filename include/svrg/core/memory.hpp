#pragma once
#include "svrg/core/types.hpp"

namespace svrg {

/// The most memory that was resident in this process since it was started, bytes (VmHWM; what
/// getrusage says is no less than the size of whoever started it). 0 where the system does not say.
/// Local.
Index peak_memory();

}  // namespace svrg
