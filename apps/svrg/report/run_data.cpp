// log.jsonl is the record; run.h5 adds the hosts and the end. So a run that is going on, or was
// killed, is reported by what its log has.
#include "report/run_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "svrg/core/error.hpp"
#include "svrg/io/document.hpp"
#include "svrg/io/file.hpp"
#include "text.hpp"

namespace svrg::app::reporting {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  const auto bytes = io::read_file(path.string());
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// "section.key" to the value as it is written. The file is one of Settings::to_toml(): a line a
/// key; whoever has edited it since gets what can be read of it.
std::map<std::string, std::string> settings_of(const std::string& toml) {
  std::map<std::string, std::string> settings;
  std::string section;
  for (const std::string& raw : split(toml, '\n')) {
    const std::string_view line = trimmed(raw);
    if (line.starts_with('[') && line.ends_with(']'))
      section = std::string(line.substr(1, line.size() - 2)) + '.';
    const auto equals = line.find(" = ");
    if (equals == line.npos || line.starts_with('#')) continue;
    std::string value(trimmed(line.substr(equals + 3)));
    if (value.size() > 1 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    settings[section + std::string(line.substr(0, equals))] = value;
  }
  return settings;
}

void take_manifest(RunData& run, const std::string& text) {
  auto manifest = nlohmann::ordered_json::parse(text, nullptr, false);
  if (manifest.is_object()) run.manifest = std::move(manifest);
}

/// Adds what a file says, or a remark on why it does not.
template <class Read>
void try_to(RunData& run, const fs::path& path, const Read& read) {
  if (!fs::exists(path)) return;
  try {
    read();
  } catch (const Error& error) {
    run.remarks.emplace_back(error.what());
  }
}

RunData read_folder(const fs::path& folder) {
  RunData run;
  const fs::path log = folder / "log.jsonl", hdf5 = folder / "run.h5";
  if (!fs::exists(log) && !fs::exists(hdf5))
    throw DataError(folder.string() +
                    ": no run directory: it has neither log.jsonl nor run.h5; name one that "
                    "svrg train -o made");
  if (fs::exists(log)) try {
      run.epochs = io::read_log(log.string());
    } catch (const DataError& error) {
      // Its copy may be a few records behind, but is whole.
      if (!fs::exists(hdf5)) throw DataError(error.what() + std::string("; remove that line"));
      run.remarks.push_back(fmt::format("{}; this is what run.h5 has", error.what()));
    }
  const auto read = [&] {
    io::RunFile file = io::read_run(hdf5.string());
    run.hostnames = std::move(file.hostnames);
    run.config = std::move(file.config);
    take_manifest(run, file.manifest);
    if (run.epochs.empty()) run.epochs = std::move(file.epochs);
    // An end from before the run was resumed is none.
    if (file.end && !run.epochs.empty() && file.end->epoch == run.last().epoch)
      run.end = std::move(file.end);
  };
  if (run.epochs.empty() && fs::exists(hdf5))
    read();
  else
    try_to(run, hdf5, read);
  try_to(run, folder / "config.toml", [&] { run.config = text_of(folder / "config.toml"); });
  try_to(run, folder / "manifest.json",
         [&] { take_manifest(run, text_of(folder / "manifest.json")); });
  const fs::path model = folder / "model.h5";
  try_to(run, model, [&] { run.model = io::load_model(model.string()); });
  if (run.model && !run.end) {
    run.model.reset();
    run.remarks.push_back("model.h5 is from before the run was resumed: it is not shown");
  }
  return run;
}

RunData read_file_alone(const std::string& path) {
  io::RunFile file = io::read_run(path);
  RunData run;
  run.epochs = std::move(file.epochs);
  run.hostnames = std::move(file.hostnames);
  run.config = std::move(file.config);
  run.end = std::move(file.end);
  take_manifest(run, file.manifest);
  run.remarks.push_back("only run.h5 was given: for the model's weights name its directory");
  return run;
}

/// What an HDF5 file says it is. @throws DataError where it says nothing of ours
std::string format_of(const std::string& path) {
  const auto bytes = io::read_file(path);
  if (io::is_sealed(bytes))
    throw DataError(path +
                    ": a checkpoint, not a run; name its run directory, or see svrg inspect");
  io::Document document;
  try {
    document = io::from_image(io::check_trailer(bytes, path), path);
  } catch (const DataError& error) {
    throw DataError(
        fmt::format("{}; name a run directory, a run.h5 or a file of svrg bench", error.what()));
  }
  const auto found = document.attributes.find("format");
  const auto* format =
      found == document.attributes.end() ? nullptr : std::get_if<std::string>(&found->second);
  return format != nullptr ? *format : "";
}

/// Ends of paths that differ from each other: "runs/a", "other/a".
std::vector<std::string> short_names(const std::vector<std::string>& paths) {
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const std::string& path : paths) {
    const fs::path clean = fs::path(path).lexically_normal();
    fs::path last = clean.has_filename() ? clean : clean.parent_path();
    if (last.filename() == "run.h5" && last.has_parent_path()) last = last.parent_path();
    names.push_back(last.filename().string());
    if (names.back().empty() || names.back() == ".") names.back() = path;
  }
  for (std::size_t i = 0; i < names.size(); ++i)
    if (std::ranges::count(names, names[i]) > 1 || names[i].empty()) seen.insert(names[i]);
  for (std::size_t i = 0; i < names.size(); ++i)
    if (seen.contains(names[i])) names[i] = paths[i];
  return names;
}

}  // namespace

std::string RunData::setting(const std::string& key) const {
  const auto found = settings.find(key);
  return found == settings.end() ? "" : found->second;
}

std::string RunData::fact(const char* key) const {
  const auto found = manifest.find(key);
  if (found == manifest.end()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string RunData::data_fact(const char* key) const {
  const auto data = manifest.find("data");
  if (data == manifest.end() || !data->is_object()) return {};
  const auto found = data->find(key);
  if (found == data->end()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string RunData::objective_key() const {
  const std::string fingerprint = data_fact("fingerprint");
  std::string text = fingerprint.empty() ? setting("data.train") : fingerprint;
  for (const auto& [key, value] : settings)
    if (key.starts_with("model.") && key != "model.warm_start") text += '\n' + key + '=' + value;
  for (const char* key : {"data.intercept", "data.standardize", "data.x_scale", "data.positive"})
    text += '\n' + setting(key);
  return text;
}

std::string RunData::repeat_key() const {
  std::string text = fact("ranks") + ' ' + fact("threads");
  for (const auto& [key, value] : settings)
    if (key != "train.seed" && !key.starts_with("output.")) text += '\n' + key + '=' + value;
  return text;
}

ReportData read_report_data(const std::vector<std::string>& paths) {
  ReportData data;
  const auto names = short_names(paths);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const std::string& path = paths[i];
    if (!fs::exists(path))
      throw DataError(path +
                      ": no such file or directory; name a run directory, a run.h5 or a "
                      "file of svrg bench");
    if (!fs::is_directory(path)) {
      const std::string format = format_of(path);
      if (format == "svrg-bench") {
        data.studies.push_back({path, names[i], io::read_scaling(path)});
        if (data.studies.back().study.measured.empty())
          throw DataError(path + ": a scaling study without a measurement; run svrg bench again");
        continue;
      }
      if (format != "svrg-run")
        throw DataError(fmt::format(
            "{}: {}; a report is made of run directories, run.h5 and files of svrg bench", path,
            format.empty() ? "no file of svrg's" : "format is '" + format + "'"));
    }
    RunData run = fs::is_directory(path) ? read_folder(path)
                  : fs::path(path).filename() == "run.h5" && fs::path(path).has_parent_path()
                      ? read_folder(fs::path(path).parent_path())
                      : read_file_alone(path);
    if (run.epochs.empty())
      throw DataError(path +
                      ": no epoch is recorded yet; wait for the first, or see why the run "
                      "ended before it");
    run.path = path;
    run.name = names[i];
    run.settings = settings_of(run.config);
    if (!run.end)
      run.remarks.push_back(
          "no end is recorded: the run is still going on, or was killed; this is the state of its "
          "log");
    data.runs.push_back(std::move(run));
  }
  return data;
}

std::array<double, phases> mean_phases(const std::vector<std::array<double, phases>>& by_rank) {
  std::array<double, phases> means{};
  double ranks = 0;
  for (const auto& rank : by_rank) {
    // A resumed run may have had fewer ranks before: those that were not there have no numbers.
    if (std::ranges::any_of(rank, [](double s) { return !std::isfinite(s); })) continue;
    ++ranks;
    for (std::size_t p = 0; p < phases; ++p) means[p] += rank[p];
  }
  for (double& mean : means) mean /= std::max(ranks, 1.0);
  return means;
}

}  // namespace svrg::app::reporting
