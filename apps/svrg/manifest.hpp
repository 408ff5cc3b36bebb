#pragma once
#include <string>

namespace svrg::app {

/// This process's command line, arguments separated by blanks.
std::string command_line_text();
/// JSON: program, command line, time, host, ranks, compiler, job: how a run came about.
std::string make_manifest(int ranks, int threads, const std::string& command);

}  // namespace svrg::app
