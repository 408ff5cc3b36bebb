#pragma once
#include "svrg/core/requests.hpp"

namespace svrg {

/// Turns USR1, TERM and INT into a request to stop, USR2 into one to save; the signal that asked to
/// stop ends the process at once when it comes again some seconds later. Handlers store a number
/// and nothing else. One at a time in a process; the former handlers come back at the end of its
/// life.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  /// What this process was asked since the last call; a stop stays asked for.
  static Requests poll();
  /// For a process that has nothing left to save: from now on these signals do nothing. A launcher
  /// sends one when it sees the first rank end, and a rank killed by it would hide its exit code.
  static void ignore();
};

}  // namespace svrg
