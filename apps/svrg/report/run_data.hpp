#pragma once
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "svrg/io/model_file.hpp"
#include "svrg/io/run_record.hpp"
#include "svrg/io/scaling_file.hpp"

namespace svrg::app::reporting {

/// A run as its files tell it; nothing of it is computed from data.
struct RunData {
  std::string path, name;  // as given; short, and no other run's
  std::vector<io::EpochRecord> epochs;
  std::vector<std::string> hostnames;
  std::optional<io::RunEnd> end;
  std::optional<io::ModelRecord> model;
  std::string config;                           // TOML
  std::map<std::string, std::string> settings;  // "train.seed": "1"
  nlohmann::ordered_json manifest = nlohmann::ordered_json::object();
  std::vector<std::string> remarks;  // what could not be read, and the like

  const io::EpochRecord& last() const { return epochs.back(); }
  double first_grad_norm() const { return end ? end->first_grad_norm : epochs.front().grad_norm; }
  /// Bound of the objective's distance to its minimum, of the last record; NaN: none.
  double gap() const { return last().duality_gap; }
  bool is_net() const { return model && !model->symbol.empty(); }
  std::string setting(const std::string& key) const;
  /// Equal for runs whose objectives can be compared: the same data and model.
  std::string objective_key() const;
  /// Equal for runs that differ in nothing but the seed.
  std::string repeat_key() const;
  /// A text of the manifest, or of its "data"; empty where it has none.
  std::string fact(const char* name) const;
  std::string data_fact(const char* name) const;
};

/// A scaling study with the file that it came from.
struct StudyData {
  std::string path, name;
  io::ScalingStudy study;
};

/// What the arguments of a report are.
struct ReportData {
  std::vector<RunData> runs;
  std::vector<StudyData> studies;
};

/// Reads run directories, their run.h5, and files of svrg bench. Local.
/// @throws DataError naming the file, with a remedy
ReportData read_report_data(const std::vector<std::string>& paths);

/// Index of the phases in the records' seconds.
constexpr std::size_t phases = phase_names.size();
/// Seconds in each phase, the mean of the ranks.
std::array<double, phases> mean_phases(const std::vector<std::array<double, phases>>& by_rank);

}  // namespace svrg::app::reporting
