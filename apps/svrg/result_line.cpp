#include "result_line.hpp"

#include "svrg/core/error.hpp"

namespace svrg::app {

void print_results(const Settings& settings, const Results& results, std::FILE* out) {
  if (settings.flag("no_json")) return;
  // A path that is not UTF-8 must not cost the results of a run.
  const std::string line =
      results.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
  const bool written = std::fwrite(line.data(), 1, line.size(), out) == line.size();
  if (!written || std::fflush(out) != 0) throw OutputError("cannot write the results to stdout");
}

}  // namespace svrg::app
