// Every rank reads an equal stretch of rows in blocks, in the file's order, and hands each row to
// the rank that owns its virtual shard.
#include <fmt/format.h>

#include <new>

#include "data/distribute.hpp"
#include "data/fingerprint.hpp"
#include "data/hdf5_file.hpp"
#include "svrg/core/error.hpp"

namespace svrg {
namespace {

constexpr Index block_bytes = Index{4} << 20, pointers_at_once = Index{1} << 19;

class Hdf5Reading {
 public:
  Hdf5Reading(const Communicator& comm, const std::string& path, const ReadOptions& options)
      : comm_(comm), path_(path), options_(options) {}

  Shard read() {
    open();
    prepare();
    const Index rows_a_block = std::max<Index>(1, block_bytes / row_bytes());
    const Index rounds = comm_.max((end_ - next_ + rows_a_block - 1) / rows_a_block);
    for (Index round = 0; round < rounds; ++round) {
      comm_.agree("", [&] { read_some(std::min(rows_a_block, end_ - next_)); });
      distributor_->deliver();
    }
    auto result = distributor_->finish();
    DataInfo info;
    info.path = path_;
    info.rows = file_->rows();
    info.columns = file_->columns();
    info.nonzeros = comm_.sum(fingerprint_.nonzeros());
    info.weighted = file_->weighted();
    info.feature_names = file_->feature_names();
    info.fingerprint =
        static_cast<std::uint64_t>(comm_.sum(static_cast<Index>(fingerprint_.sum())));
    return {std::move(info),
            *partition_,
            comm_.rank(),
            comm_.size(),
            std::move(result.store),
            std::move(result.labels),
            std::move(result.weights)};
  }

 private:
  void open() {
    comm_.agree("", [&] { file_.emplace(path_, options_); });
    const Index rows = file_->rows(), most = comm_.max(rows);
    comm_.agree("", [&] {
      if (rows != most)
        throw DataError(
            fmt::format("{}: {} rows on rank {}, but {} on another; do all nodes see "
                        "the same, finished file?",
                        path_, rows, comm_.rank(), most));
    });
    next_ = rows * comm_.rank() / comm_.size();
    end_ = rows * (comm_.rank() + 1) / comm_.size();
  }

  void prepare() {
    std::vector<std::int32_t> lengths;
    comm_.agree("", [&] {
      if (!file_->sparse()) return;
      for (Index row = next_; row < end_; row += pointers_at_once) {
        const auto starts = file_->starts(row, std::min(pointers_at_once, end_ - row));
        for (std::size_t i = 0; i + 1 < starts.size(); ++i)
          lengths.push_back(static_cast<std::int32_t>(starts[i + 1] - starts[i]));
      }
    });
    Index entries = 0;
    for (const std::int32_t n : lengths) entries += n;
    entries = comm_.sum(entries);
    const double cells = static_cast<double>(file_->rows()) * static_cast<double>(file_->columns());
    // As it is stored, unless full rows were asked for.
    const bool dense =
        !file_->sparse() ||
        (options_.dense_from && static_cast<double>(entries) >= *options_.dense_from * cells);
    const bool floats =
        options_.dtype == Storage::f32 || (options_.dtype == Storage::automatic && file_->floats());
    partition_.emplace(file_->rows(), options_.shards(comm_.size()), options_.row_order);
    if (options_.balance == Balance::entries && file_->sparse())
      partition_ = text::balanced(comm_, *partition_, {next_}, lengths);
    comm_.agree("", [&] {
      distributor_ = text::make_distributor(comm_, *partition_, file_->columns(), dense, floats,
                                            file_->weighted());
    });
    distributor_->announce({next_}, lengths);
    comm_.agree("", [&] {
      const auto needed = distributor_->bytes_needed();
      if (options_.max_memory <= 0 || needed <= options_.max_memory) {
        try {
          distributor_->allocate();
          return;
        } catch (const std::bad_alloc&) {
        } catch (const std::length_error&) {
        }
      }
      throw LimitError(
          fmt::format("{}: {} rows of {} features need {:.1f} MiB on rank {}, more "
                      "than there is or --max-memory allows; use more ranks",
                      path_, file_->rows(), file_->columns(),
                      static_cast<double>(needed) / (1 << 20), comm_.rank()));
    });
  }

  Index row_bytes() const {
    constexpr Index of_an_entry = 12;
    return of_an_entry * std::max<Index>(1, file_->sparse() ? mean_entries() : file_->columns());
  }
  Index mean_entries() const { return file_->entries() / file_->rows(); }

  void read_some(Index rows) {
    if (rows <= 0) return;
    file_->read(next_, rows, block_);
    for (std::size_t i = 0; i < block_.labels.size(); ++i) {
      const auto start = static_cast<std::size_t>(block_.starts[i]);
      const auto count = static_cast<std::size_t>(block_.starts[i + 1]) - start;
      fingerprint_.add(next_ + static_cast<Index>(i), block_.labels[i],
                       block_.weights.empty() ? 1 : block_.weights[i],
                       std::span(block_.indices).subspan(start, count),
                       std::span(block_.values).subspan(start, count));
    }
    distributor_->add({next_}, block_);
    next_ += rows;
  }

  const Communicator& comm_;
  const std::string& path_;
  const ReadOptions& options_;
  std::optional<Hdf5File> file_;
  Index next_ = 0, end_ = 0;  // this rank's rows of the file that are still to be read
  std::optional<Partition> partition_;
  std::unique_ptr<text::Distributor> distributor_;
  text::RowBlock block_;
  Fingerprint fingerprint_;
};

}  // namespace

Shard read_hdf5(const Communicator& comm, const std::string& path, const ReadOptions& options) {
  return Hdf5Reading(comm, path, options).read();
}

}  // namespace svrg
