#include "train/run_files.hpp"

#include <unistd.h>

#include <array>
#include <filesystem>
#include <sstream>
#include <vector>

#include "svrg/core/error.hpp"
#include "svrg/io/file.hpp"
#include "svrg/train/trainer.hpp"

namespace svrg {

namespace fs = std::filesystem;

namespace {

constexpr std::array results = {"log.jsonl",   "run.h5",        "model.h5",    "tuning.h5",
                                "config.toml", "manifest.json", "report.html", "cells"};

/// Checkpoints, whole or not: everything of checkpoints/ but the lock.
std::vector<fs::path> checkpoints_in(const fs::path& folder) {
  std::vector<fs::path> paths;
  if (!fs::exists(folder / "checkpoints")) return paths;
  for (const auto& entry : fs::directory_iterator(folder / "checkpoints"))
    if (entry.path().filename().string().find(".h5") != std::string::npos)
      paths.push_back(entry.path());
  return paths;
}

bool has_results(const fs::path& folder) {
  for (const char* name : results)
    if (fs::exists(folder / name)) return true;
  return !checkpoints_in(folder).empty();
}

/// For TensorBoard, which makes a group of what shares a name up to a slash.
std::vector<io::Scalar> scalars_of(const io::EpochRecord& line,
                                   const std::vector<io::EpochRecord>& before) {
  std::vector<io::Scalar> scalars = {
      {"objective", line.objective},
      {"grad_norm", line.grad_norm},
      {"duality_gap", line.duality_gap},
      {"learning_rate", line.learning_rate},
      {"passes", line.passes},
      {"bytes_communicated", static_cast<double>(line.bytes_communicated)}};
  const double seconds = line.wall_seconds - (before.empty() ? 0 : before.back().wall_seconds);
  const Index samples = line.samples - (before.empty() ? 0 : before.back().samples);
  if (seconds > 0) scalars.emplace_back("rows_per_second", static_cast<double>(samples) / seconds);
  for (const auto& [name, value] : line.metrics) {
    std::string tag = name;
    if (const auto set = tag.find('_'); set != std::string::npos) tag[set] = '/';
    scalars.emplace_back(tag, value);
  }
  return scalars;
}

}  // namespace

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

void require_no_results(const std::string& run_dir) {
  if (!has_results(run_dir)) return;
  throw ConfigError(run_dir +
                    ": there are results of an earlier run; use --resume auto to go on with it, "
                    "--overwrite to replace it, or another --run-dir");
}

void remove_results(const std::string& run_dir) {
  const fs::path folder = run_dir;
  try {
    for (const char* name : results) fs::remove_all(folder / name);
    fs::remove_all(folder / "tb");
    for (const fs::path& path : checkpoints_in(folder)) fs::remove(path);
  } catch (const fs::filesystem_error& error) {
    throw OutputError(error.what());
  }
}

RunFiles::RunFiles(const std::string& run_dir, int keep, bool keeps, bool overwrite,
                   const LogSink& log)
    : folder(run_dir), store(run_dir + "/checkpoints", keep, log) {
  if (keeps) return;
  if (overwrite)
    remove_results(folder);
  else
    require_no_results(folder);
}

void RunFiles::describe(const std::string& config, const std::string& manifest) const {
  io::write_file(folder + "/config.toml", config);
  io::write_file(folder + "/manifest.json", manifest);
}

void RunFiles::open_record(const std::string& hosts, Index resumed_epoch) {
  std::vector<std::string> names;
  std::istringstream lines(hosts);
  for (std::string name; std::getline(lines, name);) names.push_back(name);
  record = std::make_unique<io::RunRecord>(folder, std::move(names), resumed_epoch);
}

void RunFiles::open_events(Index resumed_epoch) {
  events = std::make_unique<io::EventFile>(folder + "/tb", resumed_epoch);
}

void RunFiles::append(const io::EpochRecord& line, const std::string& config,
                      const std::string& manifest) {
  constexpr double renewal = 10;  // seconds
  if (events) events->add(line.epoch, scalars_of(line, record->epochs()));
  record->append(line);
  if (now() - written_at_ < renewal) return;
  record->write_hdf5(config, manifest);
  written_at_ = now();
}

void RunFiles::finish(const std::string& config, const std::string& manifest,
                      const io::RunEnd& end) {
  record->write_hdf5(config, manifest, end);
}

bool RunFiles::save(const State& state, bool last, const LogSink& log) {
  try {
    store.save(state.integer("step"), state);
    failures_ = 0;
    return true;
  } catch (const OutputError& error) {
    if (last || ++failures_ >= 3) throw;
    if (log) log(LogLevel::warning, std::string("checkpoint not written: ") + error.what());
  }
  return false;
}

}  // namespace svrg
