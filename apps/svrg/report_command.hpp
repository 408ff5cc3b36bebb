#pragma once
#include <string>
#include <vector>

namespace svrg::app {

/// Writes the report of these runs. Local. @throws DataError, OutputError
void write_report(const std::vector<std::string>& runs, const std::string& path);

}  // namespace svrg::app
