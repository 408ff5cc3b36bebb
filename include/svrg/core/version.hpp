#pragma once
#include <string>

namespace svrg {

/// "0.1.0".
std::string version();

}  // namespace svrg
