// The folder of checkpoints. A save counts once its file is renamed and the folder synced; what
// comes after (links for people, pruning) may fail with a warning.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string_view>

#include "io/checkpoint_file.hpp"
#include "io/lock.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/checkpoint.hpp"
#include "svrg/io/file.hpp"

namespace svrg::io {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "step-", suffix = ".h5", bad_suffix = ".bad";
constexpr std::size_t digits = 12;

std::string file_name(Index step) {
  return fmt::format("{}{:0{}}{}", prefix, step, digits, suffix);
}

/// The step of a name that file_name() makes, else nothing.
std::optional<Index> step_of(std::string_view name) {
  if (!name.starts_with(prefix) || !name.ends_with(suffix)) return {};
  const auto number = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
  Index step = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), step);
  if (error != std::errc{} || step < 0 || file_name(step) != name) return {};
  return step;
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    names.push_back(it->path().filename().string());
  if (error) throw OutputError("cannot list " + folder + ": " + error.message());
  return names;
}

/// Steps of all checkpoints there, rising.
std::vector<Index> steps_in(const std::string& folder) {
  std::vector<Index> steps;
  for (const auto& name : names_in(folder))
    if (const auto step = step_of(name)) steps.push_back(*step);
  std::ranges::sort(steps);
  return steps;
}

void remove_stale(const std::string& folder) {
  for (const auto& name : names_in(folder))
    if (name.starts_with('.') && name.ends_with(".tmp"))
      ::unlink(fmt::format("{}/{}", folder, name).c_str());
}

void say(const LogSink& log, LogLevel level, const std::string& message) {
  if (log) log(level, message);
}

/// Relative, and renamed into place, so that it never points nowhere.
void point(const std::string& folder, const std::string& link, const std::string& target,
           const LogSink& log) {
  const fs::path temporary = fs::path(folder) / ("." + link + ".tmp");
  std::error_code error;
  fs::remove(temporary, error);
  fs::create_symlink(fs::path(target).filename(), temporary, error);
  if (!error) fs::rename(temporary, fs::path(folder) / link, error);
  if (!error) return;
  say(log, LogLevel::warning, "cannot make the link " + link + ": " + error.message());
  fs::remove(temporary, error);
}

}  // namespace

CheckpointStore::CheckpointStore(std::string folder, int keep, LogSink log, double patience)
    : folder_(std::move(folder)), keep_(std::max(keep, 1)), log_(std::move(log)) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) throw OutputError("cannot make the folder " + folder_ + ": " + error.message());
  const int lock = take_lock(folder_ + "/LOCK", log_, patience);
  try {
    remove_stale(folder_);
  } catch (...) {
    ::close(lock);
    throw;
  }
  lock_ = lock;
}

CheckpointStore::~CheckpointStore() {
  if (lock_ >= 0) ::close(lock_);
}

std::string CheckpointStore::save(Index step, const State& state) {
  SVRG_EXPECT(step >= 0, "steps count from 0");
  std::string path = folder_ + "/" + file_name(step);
  write_file(path, checkpoint_file(state));
  current_ = path;
  point(folder_, "last.h5", path, log_);
  prune(step);
  return path;
}

void CheckpointStore::mark_best(Index step) {
  const std::string path = folder_ + "/" + file_name(step);
  std::error_code error;
  if (fs::exists(path, error)) return point(folder_, "best.h5", path, log_);
  fs::remove(folder_ + "/best.h5", error);
}

// Oldest first, but never the one just saved, the best, or the one resumed from while nothing newer
// is safe on disk.
void CheckpointStore::prune(Index saved) {
  const auto resumed = step_of(fs::path(resumed_).filename().string());
  if (resumed && saved > *resumed) resumed_.clear();
  std::error_code no_link;
  const auto best = fs::read_symlink(fs::path(folder_) / "best.h5", no_link).string();
  try {
    const auto steps = steps_in(folder_);
    auto excess = static_cast<std::ptrdiff_t>(steps.size()) - keep_;
    for (const Index step : steps) {
      if (excess <= 0) break;
      const std::string name = file_name(step), path = folder_ + "/" + name;
      if (path == current_ || path == resumed_ || name == best) continue;
      fs::remove(path);
      --excess;
    }
  } catch (const std::exception& error) {  // the save itself is good
    say(log_, LogLevel::warning, std::string("old checkpoints stay: ") + error.what());
  }
}

std::optional<State> CheckpointStore::newest() {
  auto steps = steps_in(folder_);
  std::ranges::reverse(steps);
  for (const Index step : steps) {
    const std::string path = folder_ + "/" + file_name(step);
    std::vector<std::byte> file;
    std::span<const std::byte> payload;
    try {
      file = read_file(path);
    } catch (const DataError& error) {  // perhaps only now, or only for us: it keeps its name
      say(log_, LogLevel::warning, std::string(error.what()) + "; taking an older one");
      continue;
    }
    try {
      payload = unseal(file, path);
    } catch (const DataError& error) {
      std::error_code failed;
      fs::rename(path, path + std::string(bad_suffix), failed);
      say(log_, LogLevel::warning,
          fmt::format("{}; {}, taking an older one", error.what(),
                      failed ? "cannot be renamed to .bad" : "renamed to .bad"));
      continue;
    }
    // Whole, so if it cannot be read now it is another program's: an older one would hide that.
    State state = state_of_payload(payload, path);
    current_ = resumed_ = path;
    return state;
  }
  // Those renamed in an earlier attempt count too: a start from nothing must be asked for.
  const auto names = names_in(folder_);
  const bool had_some = std::ranges::any_of(names, [](std::string_view name) {
    return step_of(name) ||
           (name.ends_with(bad_suffix) && step_of(name.substr(0, name.size() - bad_suffix.size())));
  });
  if (had_some) throw DataError("no checkpoint in " + folder_ + " is whole: cannot resume");
  return {};
}

void CheckpointStore::abandon_after(Index step) {
  for (const Index later : steps_in(folder_)) {
    const std::string path = folder_ + "/" + file_name(later);
    if (later == step) resumed_ = path;
    if (later <= step) continue;
    std::error_code error;
    fs::rename(path, path + ".old", error);
    if (error) throw OutputError("cannot rename " + path + ": " + error.message());
    say(log_, LogLevel::info, "left behind by going back: " + path + ".old");
  }
}

}  // namespace svrg::io
