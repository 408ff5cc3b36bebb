#include "svrg/core/version.hpp"

namespace svrg {

std::string version() { return SVRG_VERSION; }

}  // namespace svrg
