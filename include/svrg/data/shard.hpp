#pragma once
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "svrg/data/batch.hpp"
#include "svrg/data/partition.hpp"

namespace svrg {

/// Rows with their labels, owned. Either dense (row-major, stride = columns) or CSR, float or
/// double.
template <class T>
struct DenseStore {
  std::vector<T> data;
};
/// Rows by their non-zeros: row i has values and columns starts[i] … starts[i+1].
template <class T>
struct CsrStore {
  std::vector<T> values;
  std::vector<std::int32_t> indices;
  std::vector<Index> starts{0};
};
using RowStore =
    std::variant<DenseStore<double>, DenseStore<float>, CsrStore<double>, CsrStore<float>>;
/// Rows that stay in their file: views of a mapping, and what keeps it there.
struct MappedRows {
  Rows rows;  // with a ReadAhead
  std::shared_ptr<const void> keeper;
};

/// What is known of the whole data set, equal on all ranks.
struct DataInfo {
  std::string path{};
  Index rows = 0, columns = 0, nonzeros = 0;
  bool weighted = false;
  std::vector<std::string> feature_names{};  // empty where the file has none
  std::uint64_t fingerprint = 0;  // Σ hash(global row, row) mod 2^64: the same for every P
};

/// The virtual shards this rank owns, in memory: its rows in the order of positions, shard after
/// shard. Row i of the views is position partition().begin(first_shard()) + i.
class Shard {
 public:
  /// `labels` [rows], `weights` [rows] or empty, both in the store's order.
  Shard(DataInfo info, Partition partition, int rank, int ranks, RowStore store,
        std::vector<double> labels, std::vector<double> weights);
  /// The same of rows that stay in their file.
  Shard(DataInfo info, Partition partition, int rank, int ranks, MappedRows rows,
        std::vector<double> labels, std::vector<double> weights);
  Shard(Shard&&) noexcept = default;
  Shard& operator=(Shard&&) noexcept = default;

  const DataInfo& info() const noexcept { return info_; }
  const Partition& partition() const noexcept { return partition_; }
  Index rows() const noexcept { return static_cast<Index>(labels_.size()); }
  Index first_shard() const noexcept { return first_shard_; }
  Index owned_shards() const noexcept { return static_cast<Index>(parts_.size()); }
  bool sparse() const noexcept { return inputs_[0].rows.index() >= 2; }
  /// Whether the rows stay in their file (--load stream).
  bool streamed() const noexcept { return mapped_.keeper != nullptr; }
  /// Neighbours in the file that a random order of rows keeps close together, so that a file is
  /// read in pieces: 1 where rows were shuffled. A function of the data set alone.
  Index rows_a_run() const noexcept;

  /// All rows of this rank, one Part per owned virtual shard (some may be empty).
  const Batch& all() const noexcept { return batch_; }
  std::span<const double> labels() const noexcept { return labels_; }
  /// Of the rows themselves; empty: all 1. What losses see is in all().weights.
  std::span<const double> weights() const noexcept { return weights_; }
  std::span<const Index> global_rows() const noexcept { return global_rows_; }
  /// Replaces the labels, e.g. by class numbers. [rows]
  void set_labels(std::vector<double> labels);
  /// Weights where the data had none, [rows]; `fingerprint` is added to that of the data set.
  void set_weights(std::vector<double> weights, std::uint64_t fingerprint);
  /// Factors that the rows' weights get in losses and nowhere else, [rows].
  void set_loss_factors(std::span<const double> factors);
  /// Whether losses weigh rows; the same on all ranks.
  bool weighs_losses() const noexcept { return info_.weighted || has_factors_; }
  /// x ← (x − mean)/scale of every row, by column; empty: mean 0, scale 1. Sparse rows take no
  /// mean. @throws ConfigError for rows that stay in their file
  void rescale(std::span<const double> mean, std::span<const double> scale);
  Index bytes() const noexcept;

 private:
  void set_up(int rank, int ranks);
  void point_batch();
  DataInfo info_;
  Partition partition_;
  Index first_shard_ = 0;
  RowStore store_;
  MappedRows mapped_;
  std::vector<double> labels_, weights_, loss_weights_;
  bool has_factors_ = false;
  std::vector<Index> global_rows_;
  std::vector<Part> parts_;
  std::vector<Input> inputs_;
  Batch batch_;
};

}  // namespace svrg
