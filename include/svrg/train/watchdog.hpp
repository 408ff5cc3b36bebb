#pragma once
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "svrg/comm/communicator.hpp"
#include "svrg/core/log.hpp"

namespace svrg {

class StallJudge;  // what a watchdog makes of what it sees

struct WatchdogOptions {
  double warn = 60;    // seconds without movement until it says so; 0: it does not
  double abort = 600;  // likewise until it ends the process; 0: it does not
  /// Where the ranks' watchdogs tell each other of stalls, in a file `heartbeat` that is made at
  /// the first. Empty, or not there yet: each speaks for itself.
  std::string folder;
  /// Called from the watchdog's thread, while the run stands still: it must not take a lock that
  /// the run may hold.
  LogSink say;
};

/// A thread that looks at a rank's heartbeat now and then, without MPI. A rank moves while it
/// enters and leaves collectives or marks its work, and at work also while it uses its processor: a
/// long epoch of its own is no stall. Time in which this process was stopped does not count.
class Watchdog {
 public:
  /// Watches this rank from here on. Root removes what an earlier run's stall left in the folder.
  /// Local.
  Watchdog(const Communicator& comm, WatchdogOptions options);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  void watch();

  Communicator comm_;
  WatchdogOptions options_;
  double period_;
  std::unique_ptr<StallJudge> judge_;
  std::mutex mutex_;
  std::condition_variable wakes_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace svrg
