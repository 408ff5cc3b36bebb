#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "svrg/core/log.hpp"
#include "svrg/io/checkpoint.hpp"
#include "svrg/io/model_file.hpp"
#include "svrg/io/tuning_file.hpp"

namespace svrg::app {

/// A finished cell with its model's weights.
struct StoredCell {
  io::TuningCell cell;
  Vec<double> weights;
  double reference = 0;  // |∇F| at zero that its tolerance was relative to
};

/// The finished cells of a cross-validation, a model file each, in cells/ of its run directory.
/// Local: of ranks that keep to their own folds.
class CellStore {
 public:
  /// Without a run directory (empty) nothing is kept.
  explicit CellStore(const std::string& run_dir);

  bool keeps() const noexcept { return !folder_.empty(); }
  /// On one rank of the job, before the others save: takes the directory's lock, which lasts until
  /// release(), and removes what is there where the run is to replace it.
  /// @throws InUseError, OutputError
  void open(bool replace, const LogSink& log);
  /// On that rank: what cells stand for, "key=value" lines; another one there is refused.
  /// @throws ConfigError, OutputError
  void identify(const std::string& identity) const;
  /// Lets another writer have the directory.
  void release() { lock_.reset(); }

  /// @throws OutputError
  void save(const StoredCell& done, const std::vector<std::string>& metrics,
            io::ModelRecord model) const;
  /// Nothing if there is none. @throws DataError if it is damaged or of another layout
  std::optional<StoredCell> load(Index fold, Index point, const std::vector<std::string>& metrics,
                                 const ParameterLayout& layout) const;

 private:
  std::string path(Index fold, Index point) const;
  std::string run_dir_, folder_;
  std::unique_ptr<io::CheckpointStore> lock_;
};

}  // namespace svrg::app
