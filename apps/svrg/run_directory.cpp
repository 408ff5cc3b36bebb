#include "run_directory.hpp"

#include <unistd.h>

#include <array>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "svrg/core/error.hpp"
#include "svrg/core/version.hpp"
#include "svrg/io/checkpoint.hpp"

namespace svrg::app {
namespace fs = std::filesystem;
namespace {

constexpr std::array results = {"log.jsonl", "run.h5", "model.h5", "config.toml", "manifest.json"};

bool has_results(const fs::path& folder) {
  for (const char* name : results)
    if (fs::exists(folder / name)) return true;
  return fs::exists(folder / "checkpoints") && !fs::is_empty(folder / "checkpoints");
}

void remove_results(const fs::path& folder) {
  for (const char* name : results) fs::remove(folder / name);
  for (const auto& entry : fs::directory_iterator(folder / "checkpoints"))
    if (entry.path().extension() == ".h5") fs::remove(entry.path());
}

}  // namespace

void prepare_run_directory(const Settings& settings, const LogSink& log) try {
  const fs::path folder = settings.text("run_dir");
  fs::create_directories(folder);
  if (settings.flag("overwrite") && settings.is("resume", "no")) {
    // Under the lock, so that nobody's running job loses its files.
    const io::CheckpointStore lock((folder / "checkpoints").string(), 1, log);
    remove_results(folder);
  } else if (settings.is("resume", "no") && has_results(folder)) {
    throw ConfigError(folder.string() +
                      ": there are results of an earlier run; use --resume auto to go on with "
                      "it, --overwrite to replace it, or another --run-dir");
  }
} catch (const fs::filesystem_error& error) {
  throw OutputError(error.what());
}

std::string command_line_text() {
  std::ifstream file("/proc/self/cmdline");
  std::string text, argument;
  while (std::getline(file, argument, '\0')) text += (text.empty() ? "" : " ") + argument;
  return text;
}

std::string make_manifest(int ranks, const std::string& command) {
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
                                     {"compiler", "gcc " __VERSION__}};
  for (const char* name : {"SLURM_JOB_ID", "SLURM_JOB_NODELIST", "OMP_NUM_THREADS"})
    if (const char* value = std::getenv(name)) manifest[name] = value;
  return manifest.dump(2);
}

}  // namespace svrg::app
