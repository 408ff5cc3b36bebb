#include "svrg/train/watchdog.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <system_error>

#include "svrg/core/error.hpp"
#include "train/stall_judge.hpp"

namespace svrg {
namespace {

std::string file_in(const std::string& folder) {
  return folder.empty() ? "" : folder + "/heartbeat";
}

// Of all threads of this process.
double processor_seconds() {
  timespec time{};
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Some twelve looks until the first limit, but none that would cost anything.
double period_of(const WatchdogOptions& options) {
  double shortest = options.warn > 0 ? options.warn : options.abort;
  if (options.abort > 0) shortest = std::min(shortest, options.abort);
  return std::clamp(shortest / 12, 0.02, 5.0);
}

}  // namespace

Watchdog::Watchdog(const Communicator& comm, WatchdogOptions options)
    : comm_(comm), options_(std::move(options)), period_(period_of(options_)) {
  if (options_.warn <= 0 && options_.abort <= 0) return;
  const std::string file = comm.size() > 1 ? file_in(options_.folder) : std::string();
  std::error_code ignored;
  if (comm.is_root() && !options_.folder.empty())
    std::filesystem::remove(file_in(options_.folder), ignored);
  judge_ = std::make_unique<StallJudge>(comm.rank(), comm.size(),
                                        StallJudge::Limits{options_.warn, options_.abort},
                                        StallSlots(file, comm.size()));
  // Signals are the main thread's.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { watch(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Watchdog::~Watchdog() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  wakes_.notify_one();
  thread_.join();
}

void Watchdog::watch() {
  constexpr double least_share = 0.01;  // of a processor: more than this thread takes itself
  double looked = now(), used = processor_seconds();
  std::unique_lock lock(mutex_);
  while (!wakes_.wait_for(lock, std::chrono::duration<double>(period_), [this] { return ends_; })) {
    const double moment = now(), used_now = processor_seconds();
    const double seconds = moment - looked;
    // A look that comes late was late because the whole process was stopped, not only its run.
    const auto verdict = judge_->look(comm_.heartbeat().place(), std::min(seconds, 2 * period_),
                                      used_now - used > least_share * seconds);
    looked = moment;
    used = used_now;
    if (verdict.warning.empty()) continue;
    if (options_.say)
      options_.say(verdict.ends ? LogLevel::error : LogLevel::warning,
                   "rank " + std::to_string(comm_.rank()) + ": " + verdict.warning);
    // Nothing may be waited for any more: neither other threads nor MPI.
    if (verdict.ends) _exit(static_cast<int>(ExitCode::stalled));
  }
}

}  // namespace svrg
