#pragma once
#include <string>

#include "svrg/data/shard.hpp"

namespace svrg::app {

/// This process's command line, arguments separated by blanks.
std::string command_line_text();
/// JSON: program, command line, time, host, ranks, compiler, job: how a run came about.
std::string make_manifest(int ranks, int threads, const std::string& command);
/// The same with what is known once the data are read: their size and fingerprint, and the solver.
std::string with_data(const std::string& manifest, const DataInfo& data, const std::string& solver);

}  // namespace svrg::app
