#pragma once
#include <string>

namespace svrg::app {

/// Rows of `path` that stay in their file may be cut off, or their disk may fail, while they are
/// read: the system then sends SIGBUS. From now on that ends the process with one line and exit
/// code 3, and with it the job. Local.
void guard_stream(const std::string& path);

}  // namespace svrg::app
