#pragma once
#include <limits>
#include <string>
#include <string_view>

#include "svrg/core/types.hpp"

namespace svrg::app {

/// A network of hosts that is not there, for SimGrid. What a message of n bytes takes on an idle
/// one is about latency + n / bandwidth.
struct Platform {
  enum class Kind { ethernet, fattree, dragonfly, file };
  Kind kind = Kind::ethernet;
  std::string name;                                             // as asked for
  std::string path;                                             // of a file
  double bandwidth = std::numeric_limits<double>::quiet_NaN();  // bytes a second of a host's line
  double latency = std::numeric_limits<double>::quiet_NaN();    // s from a host to the farthest
  Index cores = 1;  // of a host, each with a rank; of a file: as it says

  /// "ethernet: 10 Gbit/s a host, …"
  std::string describe() const;
};

/// NAME, NAME:bandwidth=100Mbit:latency=1ms:cores=4, or the path of a platform file (.xml). Local.
/// @throws ConfigError
Platform platform_from(std::string_view text);

/// What smpirun needs of it.
struct PlatformFiles {
  std::string xml;    // empty: the platform's own file
  std::string hosts;  // a line a rank; empty: all hosts of the platform, in turn
};
/// For so many ranks. Local. @throws LimitError where that many are more than SimGrid can take
PlatformFiles files_of(const Platform& platform, Index ranks);

}  // namespace svrg::app
