// Stretches of rows of an HDF5 file. Values are converted by HDF5 itself, whatever their type in
// the file.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/hdf5_file.hpp"
#include "svrg/core/error.hpp"

namespace svrg {

using io::checked;
using io::Handle;

template <class T>
void Hdf5File::read_values(const std::string& object, hid_t dataset, Index first, Index count,
                           T* into) const {
  if (count == 0) return;
  const std::string task = fmt::format("read {}: '{}'", path_, object);
  const Handle space(H5Dget_space(dataset), H5Sclose, task);
  const auto shape = shape_of(object, dataset);
  std::vector<hsize_t> from(shape.size(), 0), extent(shape.begin(), shape.end());
  from[0] = static_cast<hsize_t>(first);
  extent[0] = static_cast<hsize_t>(count);
  checked(H5Sselect_hyperslab(space, H5S_SELECT_SET, from.data(), nullptr, extent.data(), nullptr),
          task);
  const Handle memory(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr),
                      H5Sclose, task);
  checked(H5Dread(dataset, io::native_type<T>(), memory, space, H5P_DEFAULT, into), task);
}

template void Hdf5File::read_values(const std::string&, hid_t, Index, Index, double*) const;
template void Hdf5File::read_values(const std::string&, hid_t, Index, Index, std::int64_t*) const;

std::vector<Index> Hdf5File::starts(Index first, Index count) const {
  std::vector<Index> starts(static_cast<std::size_t>(count + 1));
  read_values(x_ + "/indptr", *indptr_, first, count + 1, starts.data());
  for (std::size_t i = 0; i + 1 < starts.size(); ++i)
    if (starts[i] < 0 || starts[i] > starts[i + 1] || starts[i + 1] > entries_ ||
        starts[i + 1] - starts[i] > columns_)
      fail(
          fmt::format("'{}/indptr' does not ascend from 0 to {} at row {}, or a row has more than "
                      "{} entries",
                      x_, entries_, first + static_cast<Index>(i) + 1, columns_));
  return starts;
}

std::vector<double> Hdf5File::labels(Index first, Index count) const {
  std::vector<double> labels(static_cast<std::size_t>(count),
                             std::numeric_limits<double>::quiet_NaN());
  if (!labels_) return labels;
  read_values(labels_->path, labels_->dataset, first, count, labels.data());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    double& label = labels[i];
    if (!std::isfinite(label))
      fail(fmt::format("'{}': label {} is not finite", labels_->path,
                       first + static_cast<Index>(i) + 1));
    if (label_of_code_.empty()) continue;
    if (!(label >= 0 && label < static_cast<double>(label_of_code_.size())))
      fail(fmt::format("'{}': row {} has class number {}, there are {} classes", labels_->path,
                       first + static_cast<Index>(i) + 1, label, label_of_code_.size()));
    label = label_of_code_[static_cast<std::size_t>(label)];
  }
  return labels;
}

void Hdf5File::read_vectors(Index first, Index count, std::vector<double>& labels,
                            std::vector<double>& weights) const {
  labels = this->labels(first, count);
  weights.clear();
  if (!weights_) return;
  weights.resize(static_cast<std::size_t>(count));
  read_values(weights_->path, weights_->dataset, first, count, weights.data());
  for (std::size_t i = 0; i < weights.size(); ++i)
    if (!(weights[i] >= 0) || !std::isfinite(weights[i]))
      fail(fmt::format("'{}': weight {} is {}; weights are finite and not negative", weights_->path,
                       first + static_cast<Index>(i) + 1, weights[i]));
}

void Hdf5File::read(Index first, Index count, text::RowBlock& rows) const {
  read_vectors(first, count, rows.labels, rows.weights);
  if (sparse()) {
    read_sparse(first, count, rows);
  } else {
    const auto size = static_cast<std::size_t>(count * columns_);
    rows.values.resize(size);
    read_values(x_, *values_, first, count, rows.values.data());
    if (rows.indices.size() < size || rows.starts.size() < 2 || rows.starts[1] != columns_) {
      rows.indices.resize(size);
      for (std::size_t at = 0; at < size; ++at)
        rows.indices[at] = static_cast<std::int32_t>(static_cast<Index>(at) % columns_);
    }
    rows.starts.resize(static_cast<std::size_t>(count + 1));
    for (Index i = 0; i <= count; ++i) rows.starts[static_cast<std::size_t>(i)] = i * columns_;
  }
  if (scale_ != 1 || offset_ != 0)
    for (double& v : rows.values) v = v * scale_ + offset_;
  if (!allow_nonfinite_) check_finite(first, rows);
}

void Hdf5File::read_sparse(Index first, Index count, text::RowBlock& rows) const {
  rows.starts = starts(first, count);
  const Index from = rows.starts.front(), size = rows.starts.back() - from;
  rows.values.resize(static_cast<std::size_t>(size));
  rows.indices.resize(rows.values.size());
  read_values(x_ + "/data", *values_, from, size, rows.values.data());
  std::vector<std::int64_t> indices(rows.values.size());
  read_values(x_ + "/indices", *indices_, from, size, indices.data());
  for (Index& start : rows.starts) start -= from;
  std::vector<std::pair<std::int64_t, double>> sorted;
  for (Index i = 0; i < count; ++i) {
    const auto begin = static_cast<std::size_t>(rows.starts[static_cast<std::size_t>(i)]);
    const auto end = static_cast<std::size_t>(rows.starts[static_cast<std::size_t>(i + 1)]);
    const auto row = std::span(indices).subspan(begin, end - begin);
    if (!std::is_sorted(row.begin(), row.end())) {  // legal in SciPy
      sorted.clear();
      for (std::size_t e = begin; e < end; ++e) sorted.emplace_back(indices[e], rows.values[e]);
      std::stable_sort(sorted.begin(), sorted.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; });
      for (std::size_t e = begin; e < end; ++e)
        std::tie(indices[e], rows.values[e]) = sorted[e - begin];
    }
    if (std::adjacent_find(row.begin(), row.end()) != row.end())
      fail(fmt::format("'{}': row {} has a column twice", x_, first + i + 1));
    if (!row.empty() && (row.front() < 0 || row.back() >= columns_))
      fail(fmt::format("'{}': row {} has an index outside the {} columns", x_, first + i + 1,
                       columns_));
  }
  std::transform(indices.begin(), indices.end(), rows.indices.begin(),
                 [](std::int64_t j) { return static_cast<std::int32_t>(j); });
}

void Hdf5File::check_finite(Index first, const text::RowBlock& rows) const {
  const auto bad = std::find_if_not(rows.values.begin(), rows.values.end(),
                                    [](double v) { return std::isfinite(v); });
  if (bad == rows.values.end()) return;
  const Index at = bad - rows.values.begin();
  const auto row =
      std::upper_bound(rows.starts.begin(), rows.starts.end(), at) - rows.starts.begin() - 1;
  fail(fmt::format("'{}': row {}, column {} is {}; --allow-nonfinite accepts it", x_,
                   first + row + 1, rows.indices[static_cast<std::size_t>(at)] + 1, *bad));
}

}  // namespace svrg
