#pragma once
#include <string>

#include "settings.hpp"
#include "svrg/core/log.hpp"

namespace svrg::app {

/// Makes the run directory, or refuses one with results in it unless --resume or --overwrite is
/// given; --overwrite removes them. Local: root only.
/// @throws ConfigError, InUseError, OutputError
void prepare_run_directory(const Settings& settings, const LogSink& log);

/// This process's command line, arguments separated by blanks.
std::string command_line_text();
/// JSON: program, command line, host, ranks, data: how a run came about.
std::string make_manifest(int ranks, const std::string& command);

}  // namespace svrg::app
