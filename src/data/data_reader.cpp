// IDX files are small beside what text takes, and any row can be found by its number: every rank
// reads the whole file and keeps the rows that are its own.
#include "svrg/data/data_reader.hpp"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "data/decompress.hpp"
#include "data/fingerprint.hpp"
#include "data/hdf5_file.hpp"
#include "data/idx_file.hpp"
#include "svrg/core/error.hpp"

namespace svrg {
namespace {

class IdxReading {
 public:
  IdxReading(const Communicator& comm, const std::string& path, const ReadOptions& options)
      : comm_(comm), path_(path), options_(options) {}

  Shard read() {
    comm_.agree("", [&] { open(); });
    const Index rows = images_->shape[0];
    const Partition partition(rows, options_.shards(comm_.size()), options_.row_order);
    const Index from = partition.begin(partition.first_shard(comm_.rank(), comm_.size())),
                to = partition.begin(partition.first_shard(comm_.rank() + 1, comm_.size()));
    std::vector<double> labels;
    RowStore store;
    Fingerprint fingerprint;
    comm_.agree("", [&] {
      limit_memory(to - from);
      for (Index position = from; position < to; ++position)
        labels.push_back(label(partition.row_at(position)));
      store = options_.dtype == Storage::f32
                  ? filled<float>(partition, from, to, labels, fingerprint)
                  : filled<double>(partition, from, to, labels, fingerprint);
    });
    DataInfo info;
    info.path = path_;
    info.rows = rows;
    info.columns = columns();
    info.nonzeros = comm_.sum(fingerprint.nonzeros());
    info.fingerprint = static_cast<std::uint64_t>(comm_.sum(static_cast<Index>(fingerprint.sum())));
    return {std::move(info),   partition, comm_.rank(), comm_.size(), std::move(store),
            std::move(labels), {}};
  }

 private:
  void open() {
    if (!options_.label_column.empty() || !options_.weight_column.empty())
      throw ConfigError(path_ + ": IDX files have no columns for --label-column, --weight-column");
    if (options_.balance == Balance::entries)
      throw ConfigError(path_ + ": --partition nnz is for text and HDF5");
    images_.emplace(path_, options_.max_memory);
    const std::string beside = labels_beside(path_);
    if (beside == path_ && options_.labels_required)
      throw DataError(path_ + ": labels are looked for by name: it must contain 'images'");
    if (beside != path_ && (options_.labels_required || std::filesystem::exists(beside))) {
      if (!std::filesystem::exists(beside))
        throw DataError(fmt::format("{}: there is no file of its labels, {}", path_, beside));
      labels_.emplace(beside, options_.max_memory);
      if (labels_->shape.size() != 1 || labels_->shape[0] != images_->shape[0])
        throw DataError(fmt::format("{}: not one label for each of the {} rows of {}", beside,
                                    images_->shape[0], path_));
      for (Index row = 0; row < images_->shape[0]; ++row)
        if (!std::isfinite(label(row)))
          throw DataError(fmt::format("{}: label {} is not finite", beside, row + 1));
    }
    if (columns() > options_.max_columns)
      throw DataError(fmt::format("{}: {} columns; --max-features allows {}", path_, columns(),
                                  options_.max_columns));
    if (options_.columns && *options_.columns != columns())
      throw DataError(
          fmt::format("{}: {} columns, {} were expected", path_, columns(), *options_.columns));
    std::size_t filled = 0;
    const auto cells = static_cast<std::size_t>(images_->shape[0] * columns());
    for (std::size_t i = 0; i < cells; ++i) {
      const float v = images_->value(i);
      if (!std::isfinite(v) && !options_.allow_nonfinite)
        throw DataError(
            fmt::format("{}: value {} of row {} is not finite; --allow-nonfinite "
                        "accepts it",
                        path_, i % static_cast<std::size_t>(columns()) + 1,
                        i / static_cast<std::size_t>(columns()) + 1));
      filled += v != 0;
    }
    density_ = static_cast<double>(filled) / static_cast<double>(cells);
  }

  Index columns() const {
    Index product = 1;
    for (std::size_t a = 1; a < images_->shape.size(); ++a) product *= images_->shape[a];
    return product;
  }

  bool dense() const { return density_ >= options_.dense_from.value_or(0.5); }

  double label(Index row) const {
    return labels_ ? static_cast<double>(labels_->value(static_cast<std::size_t>(row)))
                   : std::numeric_limits<double>::quiet_NaN();
  }

  void limit_memory(Index rows) const {
    const double value = options_.dtype == Storage::f32 ? 4 : 8;
    const double needed =
        static_cast<double>(images_->raw.size()) +
        static_cast<double>(rows * columns()) * (dense() ? value : density_ * (value + 4));
    if (options_.max_memory > 0 && needed > static_cast<double>(options_.max_memory))
      throw LimitError(
          fmt::format("{}: {} rows need {:.1f} MiB on rank {}; use more ranks or "
                      "--max-memory",
                      path_, rows, needed / (1 << 20), comm_.rank()));
  }

  template <class T>
  RowStore filled(const Partition& partition, Index from, Index to, std::span<const double> labels,
                  Fingerprint& fingerprint) const {
    const Index d = columns();
    const bool is_dense = dense();
    DenseStore<T> full;
    CsrStore<T> sparse;
    std::vector<std::int32_t> indices;
    std::vector<double> values;
    if (is_dense) full.data.reserve(static_cast<std::size_t>((to - from) * d));
    for (Index position = from; position < to; ++position) {
      const Index row = partition.row_at(position);
      indices.clear();
      values.clear();
      for (Index j = 0; j < d; ++j) {
        const float v = images_->value(static_cast<std::size_t>(row * d + j));
        if (is_dense) full.data.push_back(static_cast<T>(v));
        if (v == 0) continue;
        indices.push_back(static_cast<std::int32_t>(j));
        values.push_back(static_cast<double>(v));
      }
      fingerprint.add(row, labels[static_cast<std::size_t>(position - from)], 1, indices, values);
      if (is_dense) continue;
      sparse.indices.insert(sparse.indices.end(), indices.begin(), indices.end());
      for (const double v : values) sparse.values.push_back(static_cast<T>(v));
      sparse.starts.push_back(static_cast<Index>(sparse.values.size()));
    }
    if (is_dense) return full;
    return sparse;
  }

  const Communicator& comm_;
  const std::string& path_;
  const ReadOptions& options_;
  std::optional<IdxFile> images_, labels_;
  double density_ = 1;
};

}  // namespace

Shard read_data(const Communicator& comm, const std::string& path, const ReadOptions& options) {
  DataFormat format = options.format;
  if (format == DataFormat::automatic) {
    // One rank looks, as another may not see the file: which then is an error of the reader.
    std::uint8_t hdf5 = comm.is_root() && is_hdf5(path);
    comm.broadcast(std::span(&hdf5, 1));
    format = hdf5 != 0 ? DataFormat::hdf5 : is_idx(path) ? DataFormat::idx : format;
  }
  if (format != DataFormat::hdf5)
    comm.agree("", [&] {
      if (!options.x_name.empty() || !options.y_name.empty())
        throw ConfigError(path + ": --x-name and --y-name are for HDF5 files");
    });
  comm.agree("", [&] {
    if (options.stream && format != DataFormat::hdf5)
      throw ConfigError(path + ": --load stream needs HDF5; make it once by 'svrg convert " + path +
                        " rows.h5 --shuffle'");
  });
  if (format == DataFormat::hdf5)
    return options.stream ? map_hdf5(comm, path, options) : read_hdf5(comm, path, options);
  return format == DataFormat::idx ? IdxReading(comm, path, options).read()
                                   : read_text(comm, path, options);
}

}  // namespace svrg
