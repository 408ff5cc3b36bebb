// svrg train: what surrounds a training.
#include <fmt/format.h>

#include <optional>

#include "manifest.hpp"
#include "model_choice.hpp"
#include "monitor_choice.hpp"
#include "solve.hpp"
#include "subcommands.hpp"
#include "svrg/core/version.hpp"
#include "svrg/train/signals.hpp"
#include "svrg/train/watchdog.hpp"
#include "training_run.hpp"

namespace svrg::app {

int train(const Settings& settings) {
  const double start = now();
  const Communicator comm = Communicator::world();
  Screen screen(comm.is_root() ? screen_options(settings)
                               : silent_screen(settings.flag("json_log")));
  Deadline deadline(settings);
  require_same_settings(comm, settings);
  const std::string started = make_manifest(comm.size(), threads_of(settings), command_line_text());
  const bool keeps = settings.has("run_dir") && !settings.flag("dry_run");
  if (settings.flag("profile")) comm.tell_waits_apart();
  const Watchdog watchdog(comm, watchdog_options(settings, keeps, screen.bypass()));
  std::optional<ModelChoice> choice;
  comm.agree("", [&] {
    choice.emplace(settings);
    check_monitor(settings);
    if (comm.is_root()) check_outputs(settings, *choice);
  });
  const Placement placement = placement_of(comm, threads_of(settings));
  screen.title(fmt::format("svrg {} · {}{}", version(), placement.text(),
                           keeps ? " · run " + settings.text("run_dir") : ""));
  if (placement.threads > 1)
    screen.fact("cores", fmt::format("{}..{} a rank, as bound by its launcher",
                                     placement.least_cores, placement.most_cores));
  const RunContext run{settings, *choice, comm, screen, deadline, placement, started, start};
  warn_of_options(run);
  const RunEnding ending = run_training(run);
  comm.agree("", [&] {
    if (!comm.is_root() || ending.results.is_null()) return;
    screen.event("end", ending.results);
    print_results(settings, ending.results);
  });
  SignalWatch::ignore();
  return ending.code;
}

}  // namespace svrg::app
