#include "stream_guard.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>

#include "svrg/comm/environment.hpp"
#include "svrg/core/error.hpp"

namespace svrg::app {
namespace {

// Made beforehand, as a handler may not allocate; never freed, as it may be read until the end.
const std::string* message = nullptr;

void end_with_message(int) {
  [[maybe_unused]] const auto written = write(STDERR_FILENO, message->data(), message->size());
  _exit(static_cast<int>(ExitCode::data));
}

}  // namespace

void guard_stream(const std::string& path) {
  if (message != nullptr) return;
  message = new std::string(
      fmt::format("svrg: error: rank {}: {}: cannot be read any more; it was cut short while it "
                  "was read, or the disk fails\n",
                  launcher_rank(), path));
  struct sigaction action {};
  action.sa_handler = end_with_message;
  sigaction(SIGBUS, &action, nullptr);
}

}  // namespace svrg::app
