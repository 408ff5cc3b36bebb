#pragma once
#include <string>

#include "svrg/core/log.hpp"

namespace svrg::io {

/// Opens `path` and takes an exclusive flock, tried again for `patience` seconds: the ranks of a
/// killed job linger. It then holds this process's pid and host. A file system without locks costs
/// a warning.
/// @return the descriptor; closing it gives the lock back. @throws InUseError, OutputError
int take_lock(const std::string& path, const LogSink& log, double patience);

}  // namespace svrg::io
