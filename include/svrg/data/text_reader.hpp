#pragma once
#include <optional>
#include <string>
#include <vector>

#include "svrg/comm/communicator.hpp"
#include "svrg/data/shard.hpp"

namespace svrg {

/// How a file is written.
enum class DataFormat { automatic, svmlight, csv, idx, hdf5 };  // the last two: by read_data() only
/// What virtual shards have alike: rows, or stored entries (for rows of very uneven length).
enum class Balance { rows, entries };
/// The number of svmlight's first feature.
enum class IndexBase { one, zero, automatic };
/// The type that rows are kept in.
enum class Storage { automatic, f32, f64 };  // automatic: double

/// What a file means and how it is kept; the defaults take most files as they are.
struct ReadOptions {
  DataFormat format = DataFormat::automatic;  // by suffix or the first lines
  IndexBase index_base = IndexBase::one;      // svmlight; an index 0 is then an error
  /// Fixes d: a larger index (or another CSV width) is an error.
  std::optional<Index> columns{};
  Index max_columns = Index{1} << 31;  // --max-features
  /// HDF5: paths of the rows and of their labels. Empty: X or data, y or label.
  std::string x_name{}, y_name{};
  /// CSV: a header's name, or a number from 1, from the end if negative. Empty: a column named
  /// label, target, class or y, else the first, unless labels are optional and the features that
  /// are known of leave no column for one.
  std::string label_column{};
  std::string weight_column{};  // CSV: likewise; HDF5: a path; empty: none, or weight in our own
  /// CSV: 0 finds it (comma, semicolon, tab, blank). A blank stands for a run of blanks and tabs.
  char separator = 0;
  std::vector<std::string> feature_names{};  // of a model: CSV columns are matched by name to these
  bool allow_nonfinite = false;
  bool labels_required = true;  // false (predict): a row without a label has the label NaN
  Storage dtype = Storage::automatic;
  std::optional<double> dense_from{};  // share of non-zeros; none: 0.5 for svmlight and IDX
  Index virtual_shards = 0;            // 0: Partition::default_virtual_shards
  RowOrder row_order = RowOrder::shuffled;
  Balance balance = Balance::rows;
  Index max_memory = 0;  // bytes a rank; 0: no limit
  bool stream = false;   // rows stay in their HDF5 file, in its order
  /// How many virtual shards that makes on so many ranks.
  Index shards(int ranks) const {
    return virtual_shards > 0 ? virtual_shards : Partition::default_virtual_shards(ranks);
  }
};

/// Reads a text data set, every rank its own byte range, and hands each row to the rank that owns
/// its virtual shard. Lines that are blank or start with # hold no row. Collective. The result does
/// not depend on the number of ranks.
/// @throws CollectiveError(data) "FILE:LINE:COLUMN: what; remedy", the first broken line of the
///         file, equal on all ranks; CollectiveError(limit) where it will not fit.
Shard read_text(const Communicator& comm, const std::string& path, const ReadOptions& options);

/// The distinct labels of a data set in ascending order, or nothing where there are more than
/// `most`. Collective.
std::optional<std::vector<double>> distinct_labels(const Communicator& comm, const Shard& shard,
                                                   Index most);

}  // namespace svrg
