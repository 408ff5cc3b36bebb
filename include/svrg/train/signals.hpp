#pragma once
#include "svrg/core/requests.hpp"

namespace svrg {

/// Turns USR1, TERM and INT into a request to stop, USR2 into one to save; a second stop ends the
/// process at once. Handlers store a number and nothing else. One at a time in a process; the
/// former handlers come back at the end of its life.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  /// What this process was asked since the last call; a stop stays asked for.
  Requests poll();
};

}  // namespace svrg
