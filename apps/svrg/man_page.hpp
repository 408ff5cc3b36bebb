#pragma once
#include <string>

namespace svrg::app {

/// svrg(1) as roff: what the help of all commands says, and environment and files.
std::string man_page();

}  // namespace svrg::app
