// svrg report: a page of what runs and scaling studies did. No MPI, no data: only their files.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "report/report.hpp"
#include "report/shown.hpp"
#include "report_command.hpp"
#include "subcommands.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/file.hpp"
#include "text.hpp"

namespace svrg::app {
namespace {

bool is_report(const std::string& path) {
  const std::string_view mark = reporting::mark_of_report;
  std::ifstream file(path, std::ios::binary);
  std::string head(mark.size(), '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  return file && head == mark;
}

}  // namespace

void write_report(const std::vector<std::string>& runs, const std::string& path) {
  io::write_file(path, reporting::make_report(runs));
}

int report(const Settings& settings) {
  const std::string path = settings.text("report_file");
  if (std::filesystem::exists(path) && !settings.flag("overwrite") && !is_report(path))
    throw ConfigError(path + " exists and is no report; use --overwrite to replace it");
  const std::string page = reporting::make_report(split(settings.text("runs"), '\n'));
  io::write_file(path, page);
  fmt::print("{}  {}\n", path, reporting::shown_bytes(static_cast<double>(page.size())));
  return 0;
}

}  // namespace svrg::app
