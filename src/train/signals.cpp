#include "svrg/train/signals.hpp"

#include <signal.h>
#include <time.h>

#include <array>
#include <atomic>

namespace svrg {
namespace {

constexpr std::array<int, 4> watched = {SIGUSR1, SIGTERM, SIGINT, SIGUSR2};
volatile sig_atomic_t stop_asked = 0, save_asked = 0;
std::array<struct sigaction, watched.size()> former;

// A scheduler's wish to stop comes as several signals: TERM to every process, once from itself and
// once through the launcher, and USR1 handed on by the batch script. Only the same one again, and
// not within these seconds, is somebody in a hurry.
constexpr std::int64_t one_wish = 2;
std::atomic<std::int64_t> asked_at = 0;
static_assert(decltype(asked_at)::is_always_lock_free, "a signal handler may store it");

std::int64_t seconds() {
  struct timespec t = {};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec;
}

void on_signal(int number) {
  if (number == SIGUSR2) {
    save_asked = 1;
    return;
  }
  if (stop_asked == number && seconds() - asked_at > one_wish) {
    // These fail for what is no signal. NOLINTBEGIN(cert-err33-c)
    signal(number, SIG_DFL);
    raise(number);
    // NOLINTEND(cert-err33-c)
  }
  if (stop_asked) return;
  asked_at = seconds();
  stop_asked = number;
}

}  // namespace

SignalWatch::SignalWatch() {
  stop_asked = 0;
  save_asked = 0;
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < watched.size(); ++i) sigaction(watched[i], &action, &former[i]);
  // NOLINTBEGIN(cert-err33-c)
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  // NOLINTEND(cert-err33-c)
}

SignalWatch::~SignalWatch() {
  for (std::size_t i = 0; i < watched.size(); ++i) sigaction(watched[i], &former[i], nullptr);
}

void SignalWatch::ignore() {
  for (const int number : watched) signal(number, SIG_IGN);  // NOLINT(cert-err33-c)
}

Requests SignalWatch::poll() {
  Requests r;
  r.stop = stop_asked != 0;
  r.save = save_asked != 0;
  save_asked = 0;
  return r;
}

}  // namespace svrg
