#include "svrg/data/selection.hpp"

#include <fmt/format.h>

#include <cmath>

#include "data/distribute.hpp"
#include "data/fingerprint.hpp"
#include "svrg/core/error.hpp"

namespace svrg {
namespace {

constexpr std::size_t round_bytes = std::size_t{4} << 20;
constexpr std::uint64_t split_key = 0x73706c6974;

template <class T>
void append_row(const DenseRows<T>& x, Index i, text::RowBlock& block) {
  for (Index j = 0; j < x.columns; ++j) {
    block.indices.push_back(static_cast<std::int32_t>(j));
    block.values.push_back(static_cast<double>(x.data[i * x.stride + j]));
  }
}
template <class T>
void append_row(const CsrRows<T>& x, Index i, text::RowBlock& block) {
  for (Index e = x.starts[i]; e < x.starts[i + 1]; ++e) {
    block.indices.push_back(x.indices[e]);
    block.values.push_back(static_cast<double>(x.values[e]));
  }
}
template <class T>
std::int32_t length_of_row(const DenseRows<T>& x, Index) {
  return static_cast<std::int32_t>(x.columns);
}
template <class T>
std::int32_t length_of_row(const CsrRows<T>& x, Index i) {
  return static_cast<std::int32_t>(x.starts[i + 1] - x.starts[i]);
}

void clear(text::RowBlock& block) {
  block.labels.clear();
  block.weights.clear();
  block.starts.assign(1, 0);
  block.indices.clear();
  block.values.clear();
}

}  // namespace

Shard select(const Communicator& comm, const Shard& shard, Index rows, RowOrder order,
             const std::function<Index(Index)>& place) {
  std::vector<Index> places;
  places.reserve(shard.global_rows().size());
  for (const Index row : shard.global_rows()) places.push_back(place(row));
  return select(comm, shard, rows, order, places);
}

Shard select(const Communicator& comm, const Shard& shard, Index rows, RowOrder order,
             std::span<const Index> places) {
  Partition partition(rows, shard.partition().virtual_shards(), order);
  const Rows& x = shard.all().inputs[0].rows;
  std::vector<Index> taken, numbers;
  std::vector<std::int32_t> lengths;
  for (Index i = 0; i < shard.rows(); ++i) {
    const Index number = places[static_cast<std::size_t>(i)];
    if (number < 0) continue;
    taken.push_back(i);
    numbers.push_back(number);
    lengths.push_back(std::visit([&](const auto& r) { return length_of_row(r, i); }, x));
  }
  if (!shard.partition().even()) partition = text::balanced(comm, partition, {0, numbers}, lengths);
  const bool floats =
      std::visit([]<class R>(const R&) { return std::is_same_v<typename R::Value, float>; }, x);
  std::unique_ptr<text::Distributor> to;
  comm.agree("", [&] {
    to = text::make_distributor(comm, partition, shard.info().columns, !shard.sparse(), floats,
                                shard.info().weighted);
  });
  to->announce({0, numbers}, lengths);
  comm.agree(shard.info().path, [&] {
    try {
      to->allocate();
    } catch (const std::bad_alloc&) {
      throw LimitError(fmt::format("no memory for {} selected rows; use more ranks", rows));
    }
  });
  Fingerprint fingerprint;
  text::RowBlock block;
  for (std::size_t next = 0; comm.max(Index{next < taken.size()}) != 0;) {
    clear(block);
    const std::size_t first = next;
    for (; next < taken.size() && block.values.size() * sizeof(double) < round_bytes; ++next) {
      const Index i = taken[next];
      const auto row = static_cast<std::size_t>(i);
      const auto from = block.values.size();
      std::visit([&](const auto& r) { append_row(r, i, block); }, x);
      const double weight = shard.weights().empty() ? 1 : shard.weights()[row];
      block.labels.push_back(shard.labels()[row]);
      if (shard.info().weighted) block.weights.push_back(weight);
      block.starts.push_back(static_cast<Index>(block.values.size()));
      fingerprint.add(numbers[next], block.labels.back(), weight,
                      std::span(block.indices).subspan(from),
                      std::span(block.values).subspan(from));
    }
    if (next > first) to->add({0, std::span(numbers).subspan(first, next - first)}, block);
    to->deliver();
  }
  auto result = to->finish();
  DataInfo info = shard.info();
  info.rows = rows;
  info.nonzeros = comm.sum(fingerprint.nonzeros());
  info.fingerprint = static_cast<std::uint64_t>(comm.sum(static_cast<Index>(fingerprint.sum())));
  return {std::move(info),
          partition,
          comm.rank(),
          comm.size(),
          std::move(result.store),
          std::move(result.labels),
          std::move(result.weights)};
}

std::pair<Shard, Shard> split(const Communicator& comm, const Shard& shard, double share,
                              RowOrder order, std::uint64_t seed) {
  const Index rows = shard.info().rows;
  const auto out = static_cast<Index>(std::llround(share * static_cast<double>(rows)));
  if (out < 1 || out >= rows)
    throw CollectiveError(ExitCode::usage, 0,
                          fmt::format("{}: a share of {} of {} rows leaves one part empty",
                                      shard.info().path, share, rows));
  const Permutation order_of(rows, split_key ^ seed << 32);
  const auto number = [&](Index row) { return order_of(row); };
  return {select(comm, shard, rows - out, order,
                 [&](Index row) { return std::max<Index>(-1, number(row) - out); }),
          select(comm, shard, out, order,
                 [&](Index row) { return number(row) < out ? number(row) : -1; })};
}

}  // namespace svrg
