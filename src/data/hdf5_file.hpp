#pragma once
#include <optional>
#include <string>
#include <vector>

#include "data/text_parser.hpp"
#include "io/handle.hpp"
#include "svrg/data/text_reader.hpp"

namespace svrg {

/// The first bytes of an HDF5 file, where it starts at 0 or behind a user block of 512. Local.
bool is_hdf5(const std::string& path);

/// As read_data, of HDF5: every rank reads an equal stretch of rows. Collective.
Shard read_hdf5(const Communicator& comm, const std::string& path, const ReadOptions& options);
/// The same, but the rows stay in the file. Collective.
Shard map_hdf5(const Communicator& comm, const std::string& path, const ReadOptions& options);

/// A data set in an HDF5 file: rows as a dataset (rows, columns …) or as a group of compressed
/// sparse rows (data, indices, indptr), labels and weights beside them. Local.
class Hdf5File {
 public:
  /// @throws DataError "PATH: …", ConfigError for options that do not suit it
  Hdf5File(const std::string& path, const ReadOptions& options);

  Index rows() const { return rows_; }
  Index columns() const { return columns_; }
  /// Stored entries of all sparse rows.
  Index entries() const { return entries_; }
  bool sparse() const { return indptr_.has_value(); }
  bool floats() const { return floats_; }  // the values are of no more than single precision
  bool weighted() const { return weights_.has_value(); }
  const std::vector<std::string>& feature_names() const { return feature_names_; }

  /// Where the entries of rows [first, first + count) begin and end, [count + 1]; sparse only.
  /// @throws DataError where they do not ascend
  std::vector<Index> starts(Index first, Index count) const;
  /// Replaces `rows` by rows [first, first + count). @throws DataError naming row and column
  void read(Index first, Index count, text::RowBlock& rows) const;
  /// Labels and weights alone of these rows, likewise; NaN where there are no labels.
  void read_vectors(Index first, Index count, std::vector<double>& labels,
                    std::vector<double>& weights) const;
  /// Rows [first, first + count) where they lie in the file; `keep` bytes of it may be resident.
  /// @throws ConfigError naming the remedy where they do not lie there as memory would hold them
  MappedRows map(Index first, Index count, Storage dtype, Index keep) const;

 private:
  struct Vector {  // one number a row
    std::string path;
    io::Handle dataset;
  };
  [[noreturn]] void fail(const std::string& what) const;
  bool has(const std::string& object) const;
  bool is_group(const std::string& object) const;
  std::string found(const std::string& given, const char* option,
                    std::initializer_list<const char*> usual) const;
  io::Handle open_numbers(const std::string& object) const;
  std::vector<Index> shape_of(const std::string& object, hid_t dataset) const;
  Vector open_vector(const std::string& object) const;
  std::vector<std::string> strings(const std::string& object) const;
  void open_rows(const std::string& object, const ReadOptions& options);
  void open_sparse(const std::string& object, const ReadOptions& options);
  void open_labels(const std::string& object, bool own);
  void use_categories(const std::string& object);
  template <class T>
  void read_values(const std::string& object, hid_t dataset, Index first, Index count,
                   T* into) const;
  std::vector<double> labels(Index first, Index count) const;
  void read_sparse(Index first, Index count, text::RowBlock& rows) const;
  void check_finite(Index first, const text::RowBlock& rows) const;
  template <class T>
  Index place_of(const std::string& object, hid_t dataset) const;
  template <class T>
  MappedRows map_as(Index first, Index count, Index keep) const;

  std::string path_, x_;
  bool allow_nonfinite_, floats_ = false;
  io::Handle file_;
  Index rows_ = 0, columns_ = 0, entries_ = 0;
  double scale_ = 1, offset_ = 0;
  std::optional<io::Handle> values_, indices_, indptr_;
  std::optional<Vector> labels_, weights_;
  std::vector<double> label_of_code_;  // not empty: labels are numbers of these
  std::vector<std::string> feature_names_;
};

}  // namespace svrg
