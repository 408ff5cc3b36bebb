#pragma once
#include <functional>
#include <string_view>

namespace svrg {

/// The library prints nothing by itself: whoever wants its messages hands it one of these.
enum class LogLevel { info, warning, error };
using LogSink = std::function<void(LogLevel, std::string_view)>;

}  // namespace svrg
