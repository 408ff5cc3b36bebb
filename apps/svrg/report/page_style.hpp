#pragma once
#include <string_view>

namespace svrg::app::reporting {

/// The page's CSS.
std::string_view page_style();

}  // namespace svrg::app::reporting
