#include "train/run_files.hpp"

#include <unistd.h>

#include <array>
#include <sstream>

#include "svrg/core/error.hpp"

namespace svrg {

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

void require_same_identity(const std::string& saved, const std::string& asked) {
  std::istringstream a(saved), b(asked);
  std::string was, is;
  while (std::getline(b, is)) {
    if (std::getline(a, was) && was == is) continue;
    const std::string key = is.substr(0, is.find('='));
    throw ConfigError("cannot resume: " + key + " is " + is.substr(key.size() + 1) +
                      ", the checkpoint's run had " +
                      (was.size() > key.size() ? was.substr(key.size() + 1) : "none") +
                      "; use the same, or another --run-dir");
  }
}

RunFiles::RunFiles(const std::string& run_dir, int keep, const LogSink& log)
    : folder(run_dir), store(run_dir + "/checkpoints", keep, log) {}

void RunFiles::open_record(const std::string& hosts, Index resumed_epoch) {
  std::vector<std::string> names;
  std::istringstream lines(hosts);
  for (std::string name; std::getline(lines, name);) names.push_back(name);
  record = std::make_unique<io::RunRecord>(folder, std::move(names), resumed_epoch);
}

void RunFiles::append(const io::EpochRecord& line, const std::string& config,
                      const std::string& manifest) {
  constexpr double renewal = 10;  // seconds
  record->append(line);
  if (now() - written_at_ < renewal) return;
  record->write_hdf5(config, manifest);
  written_at_ = now();
}

void RunFiles::finish(const std::string& config, const std::string& manifest) {
  record->write_hdf5(config, manifest);
}

std::string RunFiles::save(const State& state, bool last, const LogSink& log) {
  try {
    store.save(state.integer("step"), state);
    failures_ = 0;
  } catch (const OutputError& error) {
    if (last || ++failures_ >= 3) throw;
    if (log) log(LogLevel::warning, std::string("checkpoint not written: ") + error.what());
  }
  return store.current();
}

}  // namespace svrg
