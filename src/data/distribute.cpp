// A packed row: Header, values, indices (left out if the row is full), filled up to 8 bytes. The
// slot in the header makes the order of arrival irrelevant, so nothing is sorted or kept.
#include "data/distribute.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/huge_pages.hpp"
#include "svrg/core/error.hpp"

namespace svrg::text {
namespace {

using Bytes = std::vector<std::byte>;

constexpr Index announced_at_once = Index{1} << 16;

template <class T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

void append(Bytes& to, const void* from, std::size_t size) {
  const auto* bytes = static_cast<const std::byte*>(from);
  to.insert(to.end(), bytes, bytes + size);
}

// Sizes that saturate instead of overflowing, to be compared with a limit.
constexpr Index too_many = std::numeric_limits<Index>::max();
Index product(Index a, Index b) {
  Index answer = 0;
  return __builtin_mul_overflow(a, b, &answer) ? too_many : answer;
}
Index plus(Index a, Index b) {
  Index answer = 0;
  return __builtin_add_overflow(a, b, &answer) ? too_many : answer;
}

constexpr std::uintptr_t line_bytes = 64;
constexpr Index most_fetched = 128;        // values of a row; the hardware sees the rest coming
constexpr std::size_t fetched_ahead = 16;  // rows

// Fetches what is written soon: rows go to places all over the memory, each a miss otherwise.
template <class T>
void fetch(const T* first, Index count) {
  const auto begin = reinterpret_cast<std::uintptr_t>(first) / line_bytes * line_bytes;
  const auto end = reinterpret_cast<std::uintptr_t>(first + count);
  for (auto line = begin; line < end; line += line_bytes)
    __builtin_prefetch(reinterpret_cast<const void*>(line), 1);
}

// Where rows end up. put() reads from bytes, since rows come out of messages as well.
// fetch_place() comes a while before fetch_row(), and that before put().
template <class T>
class DenseWriter {
 public:
  static constexpr bool needs_lengths = false;
  DenseWriter(Index slots, Index columns) : slots_(slots), columns_(columns) {}
  void set_length(Index, std::int32_t) {}
  void close_lengths() {}
  Index bytes() const { return product(product(slots_, columns_), static_cast<Index>(sizeof(T))); }
  void allocate() {
    resize_on_huge_pages(store_.data, static_cast<std::size_t>(product(slots_, columns_)));
  }
  void fetch_place(Index) const {}
  void fetch_row(Index slot) const {
    fetch(store_.data.data() + slot * columns_, std::min(columns_, most_fetched));
  }
  void put(Index slot, const std::byte* values, const std::byte* indices, Index count) {
    T* const row = store_.data.data() + slot * columns_;
    if (count == columns_) {
      if (count > 0) std::memcpy(row, values, static_cast<std::size_t>(count) * sizeof(T));
      return;
    }
    for (Index i = 0; i < count; ++i)
      row[load<std::int32_t>(indices + i * 4)] =
          load<T>(values + i * static_cast<Index>(sizeof(T)));
  }
  RowStore finish() { return std::move(store_); }

 private:
  Index slots_, columns_;
  DenseStore<T> store_;
};

template <class T>
class CsrWriter {
 public:
  static constexpr bool needs_lengths = true;
  CsrWriter(Index slots, Index columns) : columns_(columns) {
    store_.starts.clear();
    resize_on_huge_pages(store_.starts, static_cast<std::size_t>(slots + 1));
  }
  void set_length(Index slot, std::int32_t length) { start(slot + 1) = length; }
  void close_lengths() {
    for (std::size_t i = 1; i < store_.starts.size(); ++i) store_.starts[i] += store_.starts[i - 1];
  }
  Index bytes() const {
    return plus(product(store_.starts.back(), static_cast<Index>(sizeof(T) + sizeof(std::int32_t))),
                static_cast<Index>(store_.starts.size() * sizeof(Index)));
  }
  void allocate() {
    resize_on_huge_pages(store_.values, static_cast<std::size_t>(store_.starts.back()));
    resize_on_huge_pages(store_.indices, store_.values.size());
  }
  void fetch_place(Index slot) const { fetch(store_.starts.data() + slot, 2); }
  void fetch_row(Index slot) const {
    const Index at = store_.starts[static_cast<std::size_t>(slot)];
    const Index count =
        std::min(store_.starts[static_cast<std::size_t>(slot) + 1] - at, most_fetched);
    fetch(store_.values.data() + at, count);
    fetch(store_.indices.data() + at, count);
  }
  void put(Index slot, const std::byte* values, const std::byte* indices, Index count) {
    const Index at = start(slot);
    SVRG_EXPECT(count == start(slot + 1) - at, "a row must have the length that was announced");
    if (count == 0) return;
    std::memcpy(store_.values.data() + at, values, static_cast<std::size_t>(count) * sizeof(T));
    std::int32_t* const to = store_.indices.data() + at;
    if (count == columns_) {
      for (Index i = 0; i < count; ++i) to[i] = static_cast<std::int32_t>(i);
    } else {
      std::memcpy(to, indices, static_cast<std::size_t>(count) * sizeof(std::int32_t));
    }
  }
  RowStore finish() { return std::move(store_); }

 private:
  Index& start(Index slot) { return store_.starts[static_cast<std::size_t>(slot)]; }
  Index columns_;
  CsrStore<T> store_;
};

template <class T, template <class> class Writer>
class DistributorTo final : public Distributor {
 public:
  DistributorTo(const Communicator& comm, const Partition& partition, Index columns, bool weighted)
      : comm_(comm),
        routes_(partition, comm.rank(), comm.size()),
        columns_(columns),
        weighted_(weighted),
        writer_(routes_.slots(), columns),
        outgoing_(routes_.ranks()) {}

  void announce(RowNumbers numbers, std::span<const std::int32_t> lengths) override;
  Index bytes_needed() const override {
    // The label, the number in the data set (Shard keeps it), the weight.
    return plus(writer_.bytes(), product(routes_.slots(), weighted_ ? 24 : 16));
  }
  void allocate() override {
    writer_.allocate();
    resize_on_huge_pages(labels_, static_cast<std::size_t>(routes_.slots()));
    if (weighted_) weights_.resize(labels_.size());
  }
  void add(RowNumbers numbers, const RowBlock& rows) override;
  void deliver() override;
  Result finish() override { return {writer_.finish(), std::move(labels_), std::move(weights_)}; }

 private:
  struct Length {
    Index slot;
    Index length;
  };
  struct Header {
    Index slot, count;
    double label, weight;
  };
  void fetch_ahead(std::size_t row) const {
    const auto routes = routes_.found();
    const auto own = [&](std::size_t other) {
      return other < routes.size() && routes[other].rank == routes_.rank();
    };
    const std::size_t soon = row + fetched_ahead, later = soon + fetched_ahead;
    if (own(later)) {
      writer_.fetch_place(routes[later].slot);
      fetch(labels_.data() + routes[later].slot, 1);
    }
    if (own(soon)) writer_.fetch_row(routes[soon].slot);
  }
  void place(const Header& header, const std::byte* values, const std::byte* indices);
  const std::byte* unpack(const std::byte* row);
  bool full(const Header& header) const { return header.count == columns_; }

  Communicator comm_;
  Routes routes_;
  Index columns_;
  bool weighted_;
  Writer<T> writer_;
  std::vector<double> labels_, weights_;
  std::vector<Bytes> outgoing_;
  std::vector<T> narrowed_;  // a block's values as T
};

template <class T, template <class> class Writer>
void DistributorTo<T, Writer>::announce(RowNumbers numbers, std::span<const std::int32_t> lengths) {
  if constexpr (Writer<T>::needs_lengths) {
    const auto rows = static_cast<Index>(lengths.size());
    const Index rounds = comm_.max((rows + announced_at_once - 1) / announced_at_once);
    for (Index round = 0; round < rounds; ++round) {
      const Index end = std::min(rows, (round + 1) * announced_at_once);
      const Index first = round * announced_at_once;
      routes_.find(numbers, std::min(first, end), end);
      for (Index i = first; i < end; ++i) {
        const auto [rank, slot] = routes_.found()[static_cast<std::size_t>(i - first)];
        const std::int32_t length = lengths[static_cast<std::size_t>(i)];
        const Length told{slot, length};
        if (rank == routes_.rank())
          writer_.set_length(slot, length);
        else
          append(outgoing_[rank], &told, sizeof told);
      }
      if (routes_.ranks() == 1) continue;
      for (const Bytes& message : comm_.exchange(outgoing_))
        for (std::size_t at = 0; at < message.size(); at += sizeof(Length)) {
          const auto told = load<Length>(message.data() + at);
          writer_.set_length(told.slot, static_cast<std::int32_t>(told.length));
        }
      for (Bytes& message : outgoing_) message.clear();
    }
    writer_.close_lengths();
  }
}

template <class T, template <class> class Writer>
void DistributorTo<T, Writer>::add(RowNumbers numbers, const RowBlock& rows) {
  const T* values = nullptr;
  if constexpr (std::is_same_v<T, double>) {
    values = rows.values.data();
  } else {
    narrowed_.resize(static_cast<std::size_t>(rows.starts.back()));
    std::transform(rows.values.begin(), rows.values.begin() + rows.starts.back(), narrowed_.begin(),
                   [](double x) { return static_cast<T>(x); });
    values = narrowed_.data();
  }
  routes_.find(numbers, 0, rows.rows());
  for (std::size_t row = 0; row < routes_.found().size(); ++row) {
    fetch_ahead(row);
    const Index start = rows.starts[row], count = rows.starts[row + 1] - start;
    const auto [rank, slot] = routes_.found()[row];
    const Header header{slot, count, rows.labels[row], weighted_ ? rows.weights[row] : 1};
    const auto* value_bytes = reinterpret_cast<const std::byte*>(values + start);
    const auto* index_bytes = reinterpret_cast<const std::byte*>(rows.indices.data() + start);
    if (rank == routes_.rank()) {
      place(header, value_bytes, index_bytes);
      continue;
    }
    Bytes& to = outgoing_[rank];
    append(to, &header, sizeof header);
    append(to, value_bytes, static_cast<std::size_t>(count) * sizeof(T));
    if (!full(header))
      append(to, index_bytes, static_cast<std::size_t>(count) * sizeof(std::int32_t));
    to.resize((to.size() + 7) / 8 * 8);
  }
}

template <class T, template <class> class Writer>
void DistributorTo<T, Writer>::deliver() {
  if (routes_.ranks() == 1) return;
  for (const Bytes& message : comm_.exchange(outgoing_))
    for (const std::byte *row = message.data(), *end = row + message.size(); row != end;)
      row = unpack(row);
  for (Bytes& message : outgoing_) message.clear();
}

template <class T, template <class> class Writer>
void DistributorTo<T, Writer>::place(const Header& header, const std::byte* values,
                                     const std::byte* indices) {
  writer_.put(header.slot, values, indices, header.count);
  labels_[static_cast<std::size_t>(header.slot)] = header.label;
  if (weighted_) weights_[static_cast<std::size_t>(header.slot)] = header.weight;
}

// Places one packed row; the next one.
template <class T, template <class> class Writer>
const std::byte* DistributorTo<T, Writer>::unpack(const std::byte* row) {
  const auto header = load<Header>(row);
  const std::byte* const values = row + sizeof header;
  const std::byte* const indices = values + header.count * static_cast<Index>(sizeof(T));
  place(header, values, indices);
  const std::byte* const end =
      full(header) ? indices : indices + header.count * static_cast<Index>(sizeof(std::int32_t));
  return row + (end - row + 7) / 8 * 8;
}

}  // namespace

Partition balanced(const Communicator& comm, const Partition& partition, RowNumbers numbers,
                   std::span<const std::int32_t> lengths) {
  // Whole buckets of consecutive positions: exact sums of whole numbers, the same on all ranks.
  constexpr Index buckets_a_shard = 1024;
  const Index shards = partition.virtual_shards(), rows = partition.rows();
  const Index buckets = std::min(rows, buckets_a_shard * shards);
  std::vector<double> entries(static_cast<std::size_t>(buckets));
  const Index width = (rows + buckets - 1) / buckets;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const Index position = partition.position_of_row(numbers[static_cast<Index>(i)]);
    entries[static_cast<std::size_t>(position / width)] += 1 + lengths[i];
  }
  comm.sum(std::span(entries));
  double total = 0;
  for (const double n : entries) total += n;
  std::vector<Index> begins{0};
  double sum = 0;
  for (Index b = 0; b < buckets; ++b) {
    // The cut nearest to the share of the shards before it.
    const double n = entries[static_cast<std::size_t>(b)];
    while (static_cast<Index>(begins.size()) < shards &&
           sum + n / 2 >= total * static_cast<double>(begins.size()) / static_cast<double>(shards))
      begins.push_back(std::min(b * width, rows));
    sum += n;
  }
  begins.resize(static_cast<std::size_t>(shards), rows);
  begins.push_back(rows);
  return partition.cut_at(std::move(begins));
}

Routes::Routes(const Partition& partition, int rank, int ranks)
    : partition_(partition), rank_(static_cast<std::size_t>(rank)) {
  for (int r = 0; r <= ranks; ++r)
    begins_.push_back(partition.begin(partition.first_shard(r, ranks)));
}

void Routes::find(RowNumbers rows, Index first, Index end) {
  positions_.resize(static_cast<std::size_t>(end - first));
  for (Index i = first; i < end; ++i) positions_[static_cast<std::size_t>(i - first)] = rows[i];
  partition_.to_positions(positions_);
  found_.clear();
  for (const Index position : positions_) {
    const auto after = std::upper_bound(begins_.begin(), begins_.end(), position);
    const auto rank = static_cast<std::size_t>(after - begins_.begin()) - 1;
    found_.push_back({rank, position - begins_[rank]});
  }
}

std::unique_ptr<Distributor> make_distributor(const Communicator& comm, const Partition& partition,
                                              Index columns, bool dense, bool floats,
                                              bool weighted) {
  if (dense && floats)
    return std::make_unique<DistributorTo<float, DenseWriter>>(comm, partition, columns, weighted);
  if (dense)
    return std::make_unique<DistributorTo<double, DenseWriter>>(comm, partition, columns, weighted);
  if (floats)
    return std::make_unique<DistributorTo<float, CsrWriter>>(comm, partition, columns, weighted);
  return std::make_unique<DistributorTo<double, CsrWriter>>(comm, partition, columns, weighted);
}

}  // namespace svrg::text
