#include "svrg/train/signals.hpp"

#include <signal.h>

#include <array>

namespace svrg {
namespace {

constexpr std::array<int, 4> watched = {SIGUSR1, SIGTERM, SIGINT, SIGUSR2};
volatile sig_atomic_t stop_asked = 0, save_asked = 0;
std::array<struct sigaction, watched.size()> former;

void on_signal(int number) {
  if (number == SIGUSR2) {
    save_asked = 1;
    return;
  }
  if (stop_asked) {  // somebody is in a hurry
    // These fail for what is no signal. NOLINTBEGIN(cert-err33-c)
    signal(number, SIG_DFL);
    raise(number);
    // NOLINTEND(cert-err33-c)
  }
  stop_asked = 1;
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

Requests SignalWatch::poll() {
  Requests r;
  r.stop = stop_asked != 0;
  r.save = save_asked != 0;
  save_asked = 0;
  return r;
}

}  // namespace svrg
