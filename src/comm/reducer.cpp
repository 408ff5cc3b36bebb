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

template <class Real>
void make_room(std::vector<Real>& values, Index size, bool zeroed) {
  if (zeroed)
    values.assign(static_cast<std::size_t>(size), Real{0});
  else
    values.resize(static_cast<std::size_t>(size));
}

template <class Real>
class PlainReducer : public Reducer<Real> {
 public:
  PlainReducer(Communicator comm, Lanes lanes) : comm_(std::move(comm)), lanes_(lanes) {}
  using Reducer<Real>::start;
  void start(Index values, Index tail, bool zeroed) override {
    count_ = values;
    tail_count_ = tail;
    make_room(values_, lanes_.count * values, zeroed);
    tail_.assign(static_cast<std::size_t>(lanes_.count * tail), 0);
  }
  std::span<Real> values(Index s) override { return piece(values_, lane_of(s), count_); }
  std::span<double> tail(Index s) override { return piece(tail_, lane_of(s), tail_count_); }
  void reduce() override {
    for (Index lane = 1; lane < lanes_.count; ++lane) {
      add(total(), std::span<const Real>(piece(values_, lane, count_)));
      add(total_tail(), std::span<const double>(piece(tail_, lane, tail_count_)));
    }
    comm_.sum(total(), total_tail());
  }
  std::span<Real> total() override { return piece(values_, 0, count_); }
  std::span<double> total_tail() override { return piece(tail_, 0, tail_count_); }

 private:
  // A rank without shards adds its flags to the first buffer.
  Index lane_of(Index s) const { return lanes_.things > 0 ? lanes_.lane_of(s) : 0; }
  Communicator comm_;
  Lanes lanes_;
  Index count_ = 0, tail_count_ = 0;
  std::vector<Real> values_;
  std::vector<double> tail_;
};

template <class Real>
class TreeReducer : public Reducer<Real> {
 public:
  TreeReducer(Communicator comm, Index virtual_shards, Index owned)
      : comm_(std::move(comm)), shards_(virtual_shards), owned_(owned) {}
  using Reducer<Real>::start;
  void start(Index values, Index tail, bool zeroed) override {
    count_ = values;
    tail_count_ = tail;
    make_room(values_, owned_ * values, zeroed);
    tail_.assign(static_cast<std::size_t>(owned_ * tail), 0);
  }
  std::span<Real> values(Index s) override { return piece(values_, s, count_); }
  std::span<double> tail(Index s) override { return piece(tail_, s, tail_count_); }
  void reduce() override {
    values_ = comm_.gather(std::span<const Real>(values_));
    tail_ = comm_.gather(std::span<const double>(tail_));
    add_tree(values_, count_);
    add_tree(tail_, tail_count_);
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
  Index shards_, owned_, count_ = 0, tail_count_ = 0;
  std::vector<Real> values_;
  std::vector<double> tail_;
};

}  // namespace

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
