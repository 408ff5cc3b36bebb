#include "manifest.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>

#include "svrg/core/version.hpp"

namespace svrg::app {
std::string command_line_text() {
  std::ifstream file("/proc/self/cmdline");
  std::string text, argument;
  while (std::getline(file, argument, '\0')) text += (text.empty() ? "" : " ") + argument;
  return text;
}

std::string make_manifest(int ranks, int threads, const std::string& command) {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  std::array<char, 32> time{};
  const std::time_t seconds = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::strftime(time.data(), time.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  nlohmann::ordered_json manifest = {{"program", "svrg " + version()},
                                     {"command", command},
                                     {"started", time.data()},
                                     {"host", host.data()},
                                     {"ranks", ranks},
                                     {"threads", threads},
                                     {"compiler", "gcc " __VERSION__}};
  for (const char* name : {"SLURM_JOB_ID", "SLURM_JOB_NODELIST", "OMP_NUM_THREADS"})
    // Nothing sets variables while this runs. NOLINTNEXTLINE(concurrency-mt-unsafe)
    if (const char* value = std::getenv(name)) manifest[name] = value;
  return manifest.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string with_data(const std::string& manifest, const DataInfo& data,
                      const std::string& solver) {
  auto facts = nlohmann::ordered_json::parse(manifest);
  facts["solver"] = solver;
  facts["data"] = {{"path", data.path},
                   {"rows", data.rows},
                   {"columns", data.columns},
                   {"nonzeros", data.nonzeros},
                   {"fingerprint", fmt::format("{:016x}", data.fingerprint)}};
  return facts.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace svrg::app
