// The views of batch_ point into heap blocks that this object owns, so a move carries them along.
#include "svrg/data/shard.hpp"

#include <algorithm>
#include <numeric>
#include <type_traits>

#include "data/store_view.hpp"
#include "svrg/core/error.hpp"

namespace svrg {
namespace {

template <class T>
bool holds(const DenseStore<T>& store, Index rows, Index columns) {
  return static_cast<Index>(store.data.size()) == rows * columns;
}
template <class T>
bool holds(const CsrStore<T>& store, Index rows, Index) {
  return static_cast<Index>(store.starts.size()) == rows + 1 &&
         store.starts.back() == static_cast<Index>(store.values.size()) &&
         store.indices.size() == store.values.size();
}

template <class T>
Index size_in_bytes(const std::vector<T>& v) {
  return static_cast<Index>(v.size() * sizeof(T));
}
template <class T>
Index size_in_bytes(const DenseStore<T>& store) {
  return size_in_bytes(store.data);
}
template <class T>
Index size_in_bytes(const CsrStore<T>& store) {
  return size_in_bytes(store.values) + size_in_bytes(store.indices) + size_in_bytes(store.starts);
}

}  // namespace

Shard::Shard(DataInfo info, Partition partition, int rank, int ranks, RowStore store,
             std::vector<double> labels, std::vector<double> weights)
    : info_(std::move(info)),
      partition_(std::move(partition)),
      store_(std::move(store)),
      labels_(std::move(labels)),
      weights_(std::move(weights)) {
  SVRG_EXPECT(std::visit([&](const auto& s) { return holds(s, rows(), info_.columns); }, store_),
              "the store's size must be that of the rows");
  set_up(rank, ranks);
}

Shard::Shard(DataInfo info, Partition partition, int rank, int ranks, MappedRows rows,
             std::vector<double> labels, std::vector<double> weights)
    : info_(std::move(info)),
      partition_(std::move(partition)),
      mapped_(std::move(rows)),
      labels_(std::move(labels)),
      weights_(std::move(weights)) {
  SVRG_EXPECT(
      row_count(mapped_.rows) == Shard::rows() && column_count(mapped_.rows) == info_.columns,
      "as many rows as labels");
  set_up(rank, ranks);
}

void Shard::set_up(int rank, int ranks) {
  first_shard_ = partition_.first_shard(rank, ranks);
  const Index end_shard = partition_.first_shard(rank + 1, ranks);
  const Index first = partition_.begin(first_shard_);
  SVRG_EXPECT(rows() == partition_.begin(end_shard) - first, "one label for each row owned");
  SVRG_EXPECT(weights_.empty() || weights_.size() == labels_.size(), "one weight a row, or none");
  global_rows_.resize(labels_.size());
  std::iota(global_rows_.begin(), global_rows_.end(), first);
  partition_.to_rows(global_rows_);
  for (Index s = first_shard_; s < end_shard; ++s)
    parts_.push_back({s - first_shard_, partition_.begin(s) - first, partition_.count(s)});
  point_batch();
}

void Shard::set_labels(std::vector<double> labels) {
  SVRG_EXPECT(labels.size() == labels_.size(), "one label for each row owned");
  labels_ = std::move(labels);
  point_batch();
}

void Shard::set_weights(std::vector<double> weights, std::uint64_t fingerprint) {
  SVRG_EXPECT(weights.size() == labels_.size() && !weighs_losses(), "one weight for each row");
  weights_ = std::move(weights);
  info_.weighted = true;
  info_.fingerprint += fingerprint;
  point_batch();
}

void Shard::set_loss_factors(std::span<const double> factors) {
  SVRG_EXPECT(factors.size() == labels_.size(), "one factor for each row");
  loss_weights_.assign(factors.begin(), factors.end());
  for (std::size_t i = 0; i < weights_.size(); ++i) loss_weights_[i] *= weights_[i];
  has_factors_ = true;
  point_batch();
}

void Shard::rescale(std::span<const double> mean, std::span<const double> scale) {
  const auto d = static_cast<std::size_t>(info_.columns);
  SVRG_EXPECT(
      (mean.empty() || (mean.size() == d && !sparse())) && (scale.empty() || scale.size() == d),
      "a mean of dense rows only, and one scale a column");
  if (streamed())
    throw ConfigError(
        "rows that stay in their file cannot be scaled; 'svrg convert' with "
        "--standardize or --x-scale does so once and for all");
  const auto changed = [&](double v, std::size_t j) {
    return (v - (mean.empty() ? 0 : mean[j])) / (scale.empty() ? 1 : scale[j]);
  };
  std::visit(
      [&]<class Store>(Store& store) {
        if constexpr (requires { store.indices; }) {
          for (std::size_t e = 0; e < store.values.size(); ++e) {
            auto& v = store.values[e];
            v = static_cast<std::decay_t<decltype(v)>>(
                changed(static_cast<double>(v), static_cast<std::size_t>(store.indices[e])));
          }
        } else {
          for (std::size_t at = 0; at < store.data.size(); ++at) {
            auto& v = store.data[at];
            v = static_cast<std::decay_t<decltype(v)>>(changed(static_cast<double>(v), at % d));
          }
        }
      },
      store_);
}

Index Shard::bytes() const noexcept {
  return std::visit([](const auto& s) { return size_in_bytes(s); }, store_) +
         size_in_bytes(labels_) + size_in_bytes(weights_) + size_in_bytes(loss_weights_) +
         size_in_bytes(global_rows_);
}

Index Shard::rows_a_run() const noexcept {
  constexpr Index bytes_a_run = Index{1} << 20, index_bytes = 4;
  if (partition_.shuffled() || info_.rows == 0) return 1;
  const Index value_bytes =
      std::visit([]<class X>(const X&) { return static_cast<Index>(sizeof(typename X::Value)); },
                 inputs_[0].rows);
  const Index bytes = sparse() ? info_.nonzeros * (value_bytes + index_bytes) / info_.rows
                               : info_.columns * value_bytes;
  return std::max<Index>(1, bytes_a_run / std::max<Index>(1, bytes));
}

void Shard::point_batch() {
  inputs_.assign(
      1, {"data",
          streamed() ? mapped_.rows
                     : std::visit([&](const auto& s) { return view_of(s, rows(), info_.columns); },
                                  store_),
          {}});
  batch_ = {inputs_, labels_, has_factors_ ? loss_weights_ : weights_, {}, global_rows_, parts_};
}

}  // namespace svrg
