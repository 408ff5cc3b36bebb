// Rows that stay in their file: it is mapped, and what the kernels read are its pages. Each rank
// looks at its rows once, for their fingerprint and for what no kernel checks.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cmath>
#include <cstring>

#include "data/fingerprint.hpp"
#include "data/hdf5_file.hpp"
#include "data/row_values.hpp"
#include "io/descriptor.hpp"
#include "svrg/core/error.hpp"
#include "svrg/data/read_ahead.hpp"

namespace svrg {
namespace {

using io::checked;
using io::Handle;

constexpr Index rows_at_once = Index{1} << 16, most_resident = Index{192} << 20;

class Mapping {
 public:
  explicit Mapping(const std::string& path) {
    const io::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (file < 0 || fstat(file, &status) < 0) fail(path);
    size_ = static_cast<std::size_t>(status.st_size);
    void* start = mmap(nullptr, size_, PROT_READ, MAP_SHARED, file, 0);
    if (start == MAP_FAILED) fail(path);
    start_ = static_cast<const std::byte*>(start);
  }
  ~Mapping() { munmap(const_cast<std::byte*>(start_), size_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  const std::byte* at(Index byte) const { return start_ + byte; }
  bool holds(Index from, Index bytes) const {
    return from >= 0 && bytes >= 0 && from <= static_cast<Index>(size_) - bytes;
  }

 private:
  [[noreturn]] static void fail(const std::string& path) {
    throw DataError(fmt::format("cannot map {}: {}", path, std::strerror(errno)));  // NOLINT
  }
  const std::byte* start_ = nullptr;
  std::size_t size_ = 0;
};

/// Keeps together what the views of a rank's rows point to.
struct Kept {
  explicit Kept(const std::string& path) : mapping(path) {}
  Mapping mapping;
  std::vector<Index> starts;
  std::optional<ReadAhead> ahead;  // ends before the mapping does
};

constexpr const char* remedy =
    "; 'svrg convert' writes a file that can be streamed, with --shuffle in a good order";

}  // namespace

template <class T>
Index Hdf5File::place_of(const std::string& object, hid_t dataset) const {
  const std::string what = fmt::format("{}: '{}' cannot stay in the file: it ", path_, object);
  const Handle type(H5Dget_type(dataset), H5Tclose, path_),
      plan(H5Dget_create_plist(dataset), H5Pclose, path_);
  if (H5Pget_layout(plan) != H5D_CONTIGUOUS)
    throw ConfigError(what + "is cut to chunks or packed" + remedy);
  if (checked(H5Tequal(type, io::native_type<T>()), path_) == 0)
    throw ConfigError(what + "holds another type of numbers than memory would" + remedy);
  const haddr_t at = H5Dget_offset(dataset);
  if (at == HADDR_UNDEF || at % alignof(T) != 0)
    throw ConfigError(what + "is not there, or not where numbers can be read from" + remedy);
  return static_cast<Index>(at);
}

template <class T>
MappedRows Hdf5File::map_as(Index first, Index count, Index keep) const {
  const auto kept = std::make_shared<Kept>(path_);
  const Mapping& mapping = kept->mapping;
  constexpr auto unit = static_cast<Index>(sizeof(T));
  const auto require = [&](Index at, Index bytes) {
    if (!mapping.holds(at, bytes))
      fail("the file is shorter than it says; was it copied to its end?");
  };
  if (!sparse()) {
    const Index at = place_of<T>(x_, *values_);
    require(at, rows_ * columns_ * unit);
    const std::byte* start = mapping.at(at + first * columns_ * unit);
    kept->ahead.emplace(std::vector{ReadAhead::Strand{start, columns_ * unit, nullptr}}, count,
                        keep);
    return {
        DenseRows<T>{reinterpret_cast<const T*>(start), count, columns_, columns_, &*kept->ahead},
        kept};
  }
  const Index values = place_of<T>(x_ + "/data", *values_);
  const Index indices = place_of<std::int32_t>(x_ + "/indices", *indices_);
  require(values, entries_ * unit);
  require(indices, entries_ * 4);
  kept->starts.reserve(static_cast<std::size_t>(count + 1));
  kept->starts.push_back(0);
  Index begin = 0;
  for (Index row = first; row < first + count; row += rows_at_once) {
    const auto some = starts(row, std::min(rows_at_once, first + count - row));
    if (row == first) begin = some.front();
    for (std::size_t i = 1; i < some.size(); ++i) kept->starts.push_back(some[i] - begin);
  }
  const std::byte *of_values = mapping.at(values + begin * unit),
                  *of_indices = mapping.at(indices + begin * 4);
  const Index* rows = kept->starts.data();
  kept->ahead.emplace(
      std::vector{ReadAhead::Strand{of_values, unit, rows}, ReadAhead::Strand{of_indices, 4, rows}},
      count, keep);
  return {CsrRows<T>{reinterpret_cast<const T*>(of_values),
                     reinterpret_cast<const std::int32_t*>(of_indices), rows, count, columns_,
                     &*kept->ahead},
          kept};
}

MappedRows Hdf5File::map(Index first, Index count, Storage dtype, Index keep) const {
  if (scale_ != 1 || offset_ != 0)
    throw ConfigError(fmt::format("{}: '{}' is packed by scale_factor{}", path_, x_, remedy));
  const bool floats = dtype == Storage::f32 || (dtype == Storage::automatic && floats_);
  return floats ? map_as<float>(first, count, keep) : map_as<double>(first, count, keep);
}

namespace {

class Hdf5Mapping {
 public:
  Hdf5Mapping(const Communicator& comm, const std::string& path, const ReadOptions& options)
      : comm_(comm), path_(path), options_(options) {}

  Shard map() {
    comm_.agree("", [&] { file_.emplace(path_, options_); });
    const Index rows = file_->rows(), most = comm_.max(rows);
    comm_.agree("", [&] {
      if (rows != most)
        throw DataError(path_ +
                        ": of another length on another rank; do all nodes see the same, "
                        "finished file?");
    });
    const Partition partition(rows, options_.shards(comm_.size()), RowOrder::file);
    const auto begin_of = [&](int rank) {
      return partition.begin(partition.first_shard(rank, comm_.size()));
    };
    const Index first = begin_of(comm_.rank()), count = begin_of(comm_.rank() + 1) - first;
    MappedRows mapped;
    comm_.agree("", [&] {
      const Index own = count * (file_->sparse() ? 24 : 16);  // labels, numbers, starts
      if (options_.max_memory > 0 && own + most_resident > options_.max_memory)
        throw LimitError(
            fmt::format("{}: labels and row numbers of {} rows need {:.1f} MiB on rank "
                        "{}, more than --max-memory allows; use more ranks",
                        path_, count, static_cast<double>(own) / (1 << 20), comm_.rank()));
      mapped = file_->map(first, count, options_.dtype, most_resident);
      look_at(mapped.rows, first);
    });
    DataInfo info;
    info.path = path_;
    info.rows = rows;
    info.columns = file_->columns();
    info.nonzeros = comm_.sum(fingerprint_.nonzeros());
    info.weighted = file_->weighted();
    info.feature_names = file_->feature_names();
    info.fingerprint =
        static_cast<std::uint64_t>(comm_.sum(static_cast<Index>(fingerprint_.sum())));
    return {std::move(info),   partition,          comm_.rank(),       comm_.size(),
            std::move(mapped), std::move(labels_), std::move(weights_)};
  }

 private:
  void look_at(const Rows& rows, Index first) {
    const Index count = row_count(rows);
    std::vector<double> labels, weights;
    for (Index from = 0; from < count; from += rows_at_once) {
      const Index some = std::min(rows_at_once, count - from);
      file_->read_vectors(first + from, some, labels, weights);
      labels_.insert(labels_.end(), labels.begin(), labels.end());
      weights_.insert(weights_.end(), weights.begin(), weights.end());
      std::visit(
          [&](const auto& x) {
            for (Index i = from; i < from + some; ++i) look_at(x, i, first + i);
          },
          rows);
    }
  }

  template <class X>
  void look_at(const X& x, Index i, Index number) {
    x.ahead->at(i);
    indices_.clear();
    values_.clear();
    Index last = -1;
    each_value(x, i, [&](Index j, auto v) {
      if (j <= last || j >= x.columns)
        throw DataError(
            fmt::format("{}: columns of row {} are not in ascending order, or beyond "
                        "the {} there are; without --load stream they are put in order",
                        path_, number + 1, x.columns));
      last = j;
      if (!options_.allow_nonfinite && !std::isfinite(v))
        throw DataError(fmt::format("{}: row {}, column {} is {}; --allow-nonfinite accepts it",
                                    path_, number + 1, j + 1, v));
      indices_.push_back(static_cast<std::int32_t>(j));
      values_.push_back(static_cast<double>(v));
    });
    const auto row = static_cast<std::size_t>(i);
    fingerprint_.add(number, labels_[row], weights_.empty() ? 1 : weights_[row], indices_, values_);
  }

  const Communicator& comm_;
  const std::string& path_;
  const ReadOptions& options_;
  std::optional<Hdf5File> file_;
  std::vector<double> labels_, weights_;
  std::vector<std::int32_t> indices_;
  std::vector<double> values_;
  Fingerprint fingerprint_;
};

}  // namespace

Shard map_hdf5(const Communicator& comm, const std::string& path, const ReadOptions& options) {
  return Hdf5Mapping(comm, path, options).map();
}

}  // namespace svrg
