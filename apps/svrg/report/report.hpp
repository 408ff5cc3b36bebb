#pragma once
#include <string>
#include <vector>

namespace svrg::app::reporting {

/// Begins every report: a file that does is one of ours, and may be replaced.
inline constexpr const char* mark_of_report = "<!doctype html><!-- svrg report -->";

/// The report of run directories, run.h5 and files of svrg bench, as one HTML page. Local.
/// @throws DataError
std::string make_report(const std::vector<std::string>& paths);

}  // namespace svrg::app::reporting
