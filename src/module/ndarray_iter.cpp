// All iterators hold their rows in memory and give out lists of row numbers; what differs is where
// the rows come from and what becomes of the last ones.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "svrg/core/error.hpp"
#include "svrg/core/random.hpp"
#include "svrg/module/iterators.hpp"

namespace svrg {
namespace {

/// Room for the longest batch that can come, so that none allocates later.
template <class T>
void reserve(DenseStore<T>& to, const DenseStore<T>&, Index rows, Index row_size) {
  to.data.resize(static_cast<std::size_t>(rows * row_size));
}
template <class T>
void reserve(CsrStore<T>& to, const CsrStore<T>& from, Index rows, Index) {
  std::vector<Index> lengths(from.starts.size());
  std::adjacent_difference(from.starts.begin(), from.starts.end(), lengths.begin());
  std::sort(lengths.begin() + 1, lengths.end(), std::greater<>());
  Index most = 0;  // rows are repeated where there are fewer than a batch has
  for (Index i = 0; i < rows; ++i)
    most += lengths[static_cast<std::size_t>(1 + i % static_cast<Index>(lengths.size() - 1))];
  to.values.reserve(static_cast<std::size_t>(most));
  to.indices.reserve(static_cast<std::size_t>(most));
  to.starts.reserve(static_cast<std::size_t>(rows) + 1);
  to.starts.assign(static_cast<std::size_t>(rows) + 1, 0);
}

template <class T>
void copy_rows(DenseStore<T>& to, const DenseStore<T>& from, std::span<const Index> rows,
               Index row_size) {
  auto out = to.data.begin();
  for (const Index row : rows) out = std::copy_n(from.data.begin() + row * row_size, row_size, out);
}
template <class T>
void copy_rows(CsrStore<T>& to, const CsrStore<T>& from, std::span<const Index> rows, Index) {
  to.values.clear();
  to.indices.clear();
  to.starts.assign(1, 0);
  for (const Index row : rows) {
    const Index first = from.starts[static_cast<std::size_t>(row)];
    const Index end = from.starts[static_cast<std::size_t>(row) + 1];
    to.values.insert(to.values.end(), from.values.begin() + first, from.values.begin() + end);
    to.indices.insert(to.indices.end(), from.indices.begin() + first, from.indices.begin() + end);
    to.starts.push_back(static_cast<Index>(to.values.size()));
  }
}

NDArray buffer_for(const NDArray& from, Index rows) {
  NDArray to;
  to.shape = from.shape;
  to.shape[0] = rows;
  to.store = std::visit(
      [&](const auto& store) {
        std::decay_t<decltype(store)> made;
        reserve(made, store, rows, from.row_size());
        return RowStore(std::move(made));
      },
      from.store);
  return to;
}

void gather_rows(NDArray& to, const NDArray& from, std::span<const Index> rows) {
  std::visit(
      [&](const auto& store) {
        copy_rows(std::get<std::decay_t<decltype(store)>>(to.store), store, rows, from.row_size());
      },
      from.store);
}

std::vector<std::pair<std::string, NDArray>> named(NamedArrays arrays, const std::string& name) {
  std::vector<std::pair<std::string, NDArray>> pairs;
  for (auto& [key, array] : arrays.by_name) pairs.emplace_back(key, std::move(array));
  for (std::size_t i = 0; i < arrays.list.size(); ++i)
    pairs.emplace_back(arrays.list.size() == 1 ? name : fmt::format("{}_{}", name, i),
                       std::move(arrays.list[i]));
  return pairs;
}

LastBatch last_batch(const std::string& handle) {
  if (handle == "pad") return LastBatch::pad;
  if (handle == "discard") return LastBatch::discard;
  if (handle == "roll_over") return LastBatch::roll_over;
  throw ConfigError("NDArrayIter: last_batch_handle must be pad, discard or roll_over, got '" +
                    handle + "'");
}

}  // namespace

ArrayIter::ArrayIter(Pairs data, Pairs label, Rules rules)
    : data_(std::move(data)),
      label_(std::move(label)),
      rules_(std::move(rules)),
      batch_size_(rules_.batch_size) {
  if (batch_size_ < 1)
    throw ConfigError(
        fmt::format("{}: batch_size must be above 0, got {}", rules_.owner, batch_size_));
  if (data_.empty()) throw ConfigError(rules_.owner + ": there are no data");
  const Index all = data_[0].second.rows();
  for (const Pairs* pairs : {&data_, &label_})
    for (const auto& [name, array] : *pairs)
      if (array.shape.empty() || array.rows() != all)
        throw ConfigError(fmt::format("{}: '{}' has {} rows, but '{}' has {}", rules_.owner, name,
                                      array.shape.empty() ? 0 : array.rows(), data_[0].first, all));
  const Index parts = rules_.num_parts, index = rules_.part_index;
  if (parts < 1 || index < 0 || index >= parts)
    throw ConfigError(fmt::format("{}: there is no part {} of {}; parts count from 0", rules_.owner,
                                  index, parts));
  const auto cut = [&](Index i) { return all / parts * i + all % parts * i / parts; };
  first_ = cut(index);
  end_ = cut(index + 1);
  const Index rows = end_ - first_;
  if (rows == 0) throw ConfigError(rules_.owner + ": there are no rows; use fewer parts");
  if (rows < batch_size_ && rules_.last != LastBatch::pad)
    throw ConfigError(
        fmt::format("{}: {} rows make no batch of {}, and incomplete ones are not given out; lower "
                    "batch_size or pad",
                    rules_.owner, rows, batch_size_));

  picked_.assign(static_cast<std::size_t>(batch_size_), first_);
  batch_.rows = picked_;
  const auto prepare = [&](const Pairs& pairs, std::vector<DataDesc>& desc,
                           std::vector<NDArray>& buffers) {
    for (const auto& [name, array] : pairs) {
      buffers.push_back(buffer_for(array, batch_size_));
      desc.push_back({name, buffers.back().shape});
    }
  };
  prepare(data_, data_desc_, batch_.data);
  prepare(label_, label_desc_, batch_.label);
  sequence_.reserve(static_cast<std::size_t>(rows + batch_size_));
  append_epoch();
}

ArrayIter::ArrayIter(Loaded loaded, const std::string& data_name, const std::string& label_name,
                     Rules rules)
    : ArrayIter(named(std::move(loaded.data), data_name),
                named(std::move(loaded.label), label_name), std::move(rules)) {
  number_offset_ = loaded.first;
}

Index ArrayIter::batches() const {
  const auto rows = static_cast<Index>(sequence_.size());
  return (rules_.last == LastBatch::pad ? rows + batch_size_ - 1 : rows) / batch_size_;
}

void ArrayIter::reset() {
  const bool rolls = rules_.last == LastBatch::roll_over && ended_;
  const std::size_t gone = rolls ? at_ : sequence_.size();
  sequence_.erase(sequence_.begin(), sequence_.begin() + static_cast<std::ptrdiff_t>(gone));
  ++resets_;
  append_epoch();
  at_ = 0;
  ended_ = false;
}

void ArrayIter::set_resets(Index resets) {
  resets_ = static_cast<std::uint64_t>(resets);
  sequence_.clear();
  append_epoch();
  at_ = 0;
  ended_ = false;
}

void ArrayIter::append_epoch() {
  const std::size_t carried = sequence_.size();
  sequence_.resize(carried + static_cast<std::size_t>(end_ - first_));
  const auto fresh = std::span(sequence_).subspan(carried);
  std::iota(fresh.begin(), fresh.end(), first_);
  if (rules_.shuffle) shuffle(fresh, CounterRandom(rules_.seed, resets_));
}

const DataBatch* ArrayIter::next() {
  const auto size = static_cast<std::size_t>(batch_size_);
  const std::size_t left = sequence_.size() - at_;
  if (left == 0 || (left < size && rules_.last != LastBatch::pad)) {
    ended_ = true;
    return nullptr;
  }
  const std::size_t own = std::min(left, size);
  std::copy_n(sequence_.begin() + static_cast<std::ptrdiff_t>(at_), own, picked_.begin());
  if (rules_.fresh_padding)
    for (std::size_t i = own; i < size; ++i) picked_[i] = sequence_[(i - own) % sequence_.size()];
  at_ += own;
  return gather(static_cast<Index>(size - own));
}

const DataBatch* ArrayIter::gather(Index pad) {
  for (std::size_t i = 0; i < data_.size(); ++i)
    gather_rows(batch_.data[i], data_[i].second, picked_);
  for (std::size_t i = 0; i < label_.size(); ++i)
    gather_rows(batch_.label[i], label_[i].second, picked_);
  std::transform(picked_.begin(), picked_.end(), batch_.rows.begin(),
                 [&](Index row) { return row + number_offset_; });
  batch_.pad = pad;
  return &batch_;
}

NDArrayIter::NDArrayIter(NamedArrays data, NamedArrays label, const NDArrayIterOptions& options)
    : ArrayIter(named(std::move(data), options.data_name),
                named(std::move(label), options.label_name),
                {.owner = "NDArrayIter",
                 .batch_size = options.batch_size,
                 .last = last_batch(options.last_batch_handle),
                 .shuffle = options.shuffle,
                 .seed = options.seed,
                 .num_parts = options.num_parts,
                 .part_index = options.part_index}) {}

}  // namespace svrg
