// Why two kinds: MPI_Allreduce may add in any order, and Open MPI picks one by count and by number
// of ranks; a tree over the virtual shards adds the same numbers in the same order on any of them.
#include "svrg/comm/reducer.hpp"

#include <algorithm>
#include <vector>

#include "svrg/core/error.hpp"

namespace svrg {
namespace {

template <class T>
std::span<T> piece(std::vector<T>& all, Index at, Index size) {
  return {all.data() + at * size, static_cast<std::size_t>(size)};
}

template <class T>
void add(std::span<T> to, std::span<const T> from) {
  std::transform(to.begin(), to.end(), from.begin(), to.begin(), std::plus<T>());
}

/// Buffers of `size` values, one after the other.
template <class Real>
void make_room(std::vector<Real>& values, Index count, Index size, bool zeroed,
               const Support* support) {
  if (zeroed && !support) {
    values.assign(static_cast<std::size_t>(count * size), Real{0});
    return;
  }
  values.resize(static_cast<std::size_t>(count * size));
  for (Index i = 0; i < count && zeroed; ++i)
    for (const Stretch& s : support->stretches())
      std::fill_n(values.data() + i * size + s.begin, s.size, Real{0});
}

template <class Real>
class PlainReducer : public Reducer<Real> {
 public:
  PlainReducer(Communicator comm, Lanes lanes) : comm_(std::move(comm)), lanes_(lanes) {}
  using Reducer<Real>::start;
  void start(Index values, Index tail, bool zeroed, const Support* support) override {
    support_ = support && !support->whole() ? support : nullptr;
    count_ = values;
    tail_count_ = tail;
    make_room(values_, lanes_.count, values, zeroed, support_);
    tail_.assign(static_cast<std::size_t>(lanes_.count * tail), 0);
  }
  std::span<Real> values(Index s) override { return piece(values_, lane_of(s), count_); }
  std::span<double> tail(Index s) override { return piece(tail_, lane_of(s), tail_count_); }
  void reduce() override {
    for (Index lane = 1; lane < lanes_.count; ++lane) {
      add_values(piece(values_, lane, count_));
      add(total_tail(), std::span<const double>(piece(tail_, lane, tail_count_)));
    }
    if (!support_) {
      comm_.sum(total(), total_tail());
      return;
    }
    packed_.resize(static_cast<std::size_t>(support_->size()));
    pack<Real>(*support_, values_.data(), packed_.data());
    comm_.sum(std::span(packed_), total_tail());
    unpack<Real>(*support_, packed_.data(), values_.data());
  }
  std::span<Real> total() override { return piece(values_, 0, count_); }
  std::span<double> total_tail() override { return piece(tail_, 0, tail_count_); }

 private:
  // A rank without shards adds its flags to the first buffer.
  Index lane_of(Index s) const { return lanes_.things > 0 ? lanes_.lane_of(s) : 0; }
  void add_values(std::span<const Real> from) {
    if (!support_) return add(total(), from);
    for (const Stretch& s : support_->stretches()) {
      const auto begin = static_cast<std::size_t>(s.begin), size = static_cast<std::size_t>(s.size);
      add(total().subspan(begin, size), from.subspan(begin, size));
    }
  }
  Communicator comm_;
  Lanes lanes_;
  const Support* support_ = nullptr;
  Index count_ = 0, tail_count_ = 0;
  std::vector<Real> values_, packed_;
  std::vector<double> tail_;
};

template <class Real>
class TreeReducer : public Reducer<Real> {
 public:
  TreeReducer(Communicator comm, Index virtual_shards, Index owned)
      : comm_(std::move(comm)), shards_(virtual_shards), owned_(owned) {}
  using Reducer<Real>::start;
  void start(Index values, Index tail, bool zeroed, const Support* support) override {
    support_ = support && !support->whole() ? support : nullptr;
    count_ = values;
    tail_count_ = tail;
    make_room(values_, owned_, values, zeroed, support_);
    tail_.assign(static_cast<std::size_t>(owned_ * tail), 0);
  }
  std::span<Real> values(Index s) override { return piece(values_, s, count_); }
  std::span<double> tail(Index s) override { return piece(tail_, s, tail_count_); }
  void reduce() override {
    tail_ = comm_.gather(std::span<const double>(tail_));
    add_tree(tail_, tail_count_);
    if (!support_) {
      values_ = comm_.gather(std::span<const Real>(values_));
      add_tree(values_, count_);
      return;
    }
    const Index size = support_->size();
    packed_.resize(static_cast<std::size_t>(owned_ * size));
    for (Index s = 0; s < owned_; ++s)
      pack<Real>(*support_, values(s).data(), packed_.data() + s * size);
    packed_ = comm_.gather(std::span<const Real>(packed_));
    add_tree(packed_, size);
    if (owned_ == 0) values_.resize(static_cast<std::size_t>(count_));
    unpack<Real>(*support_, packed_.data(), values_.data());
  }
  std::span<Real> total() override { return piece(values_, 0, count_); }
  std::span<double> total_tail() override { return piece(tail_, 0, tail_count_); }

 private:
  template <class T>
  void add_tree(std::vector<T>& all, Index size) const {
    for (Index step = 1; step < shards_; step *= 2)
      for (Index s = 0; s + step < shards_; s += 2 * step)
        add(piece(all, s, size), std::span<const T>(piece(all, s + step, size)));
  }
  Communicator comm_;
  const Support* support_ = nullptr;
  Index shards_, owned_, count_ = 0, tail_count_ = 0;
  std::vector<Real> values_, packed_;
  std::vector<double> tail_;
};

}  // namespace

std::vector<Index> united(const Communicator& comm, std::vector<Index> own) {
  sort_rows(own);
  if (comm.size() == 1) return own;
  std::vector<Index> all = comm.gather(std::span<const Index>(own));
  sort_rows(all);
  return all;
}

template <class Real>
std::unique_ptr<Reducer<Real>> make_reducer(const Communicator& comm, Reduction kind,
                                            Index virtual_shards, Index owned, Index lanes) {
  if (kind == Reduction::plain)
    return std::make_unique<PlainReducer<Real>>(comm, Lanes{lanes, owned});
  return std::make_unique<TreeReducer<Real>>(comm, virtual_shards, owned);
}

template std::unique_ptr<Reducer<double>> make_reducer(const Communicator&, Reduction, Index, Index,
                                                       Index);
template std::unique_ptr<Reducer<float>> make_reducer(const Communicator&, Reduction, Index, Index,
                                                      Index);

}  // namespace svrg
