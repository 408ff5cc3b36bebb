// svrg: variance-reduced training from the shell. Everything up to a command that computes happens
// before MPI_Init, so that help, typos and `config` are answered at once.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "help.hpp"
#include "invocation.hpp"
#include "subcommands.hpp"
#include "svrg/comm/environment.hpp"
#include "svrg/core/error.hpp"
#include "svrg/train/signals.hpp"

namespace {

using namespace svrg::app;

enum class Needs { nothing, mpi };

// What a command's page in command_page.cpp says is done by:
struct Entry {
  std::string_view name;
  Needs needs;
  int (*function)(const Settings&);
};
constexpr Entry entries[] = {
    {"train", Needs::mpi, train},     {"evaluate", Needs::mpi, evaluate},
    {"predict", Needs::mpi, predict}, {"inspect", Needs::nothing, inspect},
    {"convert", Needs::mpi, convert}, {"config", Needs::nothing, config},
    {"bench", Needs::mpi, bench},     {"report", Needs::nothing, report},
    {"tune", Needs::mpi, tune},
};

// Each rank of a launcher comes to the same end; one of them says so.
bool speaks() { return svrg::launcher_rank() == 0; }

int fail(const svrg::Error& error) {
  // A launcher ends the whole job at the first exit: the one that speaks must not be overtaken.
  if (!speaks())
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  else
    std::fprintf(stderr, "svrg: error: %s\n", error.what());
  return static_cast<int>(error.code());
}

int say(const std::string& text) {
  if (!speaks()) return 0;
  std::fputs(text.c_str(), stdout);
  return std::fflush(stdout) == 0 ? 0 : static_cast<int>(svrg::ExitCode::output);
}

int dispatch(int argc, char** argv, const Invocation& invocation) {
  for (const Entry& entry : entries) {
    if (entry.name != invocation.page->name) continue;
    // From before MPI starts, since a signal that comes so early is not to kill the job, to the end
    // of the process.
    if (entry.name == "train" || entry.name == "tune") [[maybe_unused]]
      static const auto* const signals = new svrg::SignalWatch;
    if (entry.needs == Needs::mpi)
      return svrg::run(argc, argv,
                       [&](int, char**) { return entry.function(invocation.settings); });
    // A launcher may have started many; the work is for one.
    return speaks() ? entry.function(invocation.settings) : 0;
  }
  throw svrg::ConfigError("'svrg " + std::string(invocation.page->name) +
                          "' is not part of this build");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto invocation = read_invocation({argv + (argc > 0 ? 1 : 0), argv + argc}, environ);
    if (invocation.version) return say(version_line() + '\n');
    if (invocation.help)
      return say(invocation.page != nullptr ? command_help(*invocation.page) : general_help());
    if (speaks())
      for (const auto& warning : invocation.settings.warnings())
        std::fprintf(stderr, "svrg: warning: %s\n", warning.c_str());
    return dispatch(argc, argv, invocation);
  } catch (const svrg::Error& error) {
    return fail(error);
  } catch (const std::exception& error) {
    return fail(svrg::Error(svrg::ExitCode::internal, error.what()));
  }
}
