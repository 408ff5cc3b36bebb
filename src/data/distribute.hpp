#pragma once
#include <memory>
#include <span>
#include <vector>

#include "data/text_parser.hpp"
#include "svrg/comm/communicator.hpp"
#include "svrg/data/shard.hpp"

namespace svrg::text {

/// The rows of the data set that some rows are: consecutive ones, or as listed.
struct RowNumbers {
  Index first = 0;
  std::span<const Index> listed{};
  Index operator[](Index i) const {
    return listed.empty() ? first + i : listed[static_cast<std::size_t>(i)];
  }
};

/// The same rows in the same order, cut so that virtual shards have about as many entries each.
/// `lengths`: those of this rank's rows; every row of the data set is some rank's. Collective.
Partition balanced(const Communicator& comm, const Partition& partition, RowNumbers numbers,
                   std::span<const std::int32_t> lengths);

/// Which rank a row of the data set goes to, and where it stands among that rank's rows.
class Routes {
 public:
  Routes(const Partition& partition, int rank, int ranks);
  struct Route {
    std::size_t rank;
    Index slot;
  };
  /// Looks up the rows that rows[first] to rows[end - 1] are.
  void find(RowNumbers rows, Index first, Index end);
  /// What find() found, in that order.
  std::span<const Route> found() const noexcept { return found_; }
  std::size_t rank() const noexcept { return rank_; }
  std::size_t ranks() const noexcept { return begins_.size() - 1; }
  /// Rows of this rank.
  Index slots() const noexcept { return begins_[rank_ + 1] - begins_[rank_]; }

 private:
  const Partition& partition_;
  std::size_t rank_;
  std::vector<Index> begins_;  // first position of each rank, [ranks + 1]
  std::vector<Index> positions_;
  std::vector<Route> found_;
};

/// Takes parsed rows to the ranks that own them, straight into their final place. A rank's own rows
/// are never packed.
class Distributor {
 public:
  struct Result {
    RowStore store;
    std::vector<double> labels, weights;
  };
  virtual ~Distributor() = default;
  /// Collective. Tells the owners how many entries each of the rows has that this rank will add.
  /// CSR only; dense needs none.
  virtual void announce(RowNumbers numbers, std::span<const std::int32_t> lengths) = 0;
  /// Bytes this rank's rows will take. Local.
  virtual Index bytes_needed() const = 0;
  /// Local. Before the first add().
  virtual void allocate() = 0;
  /// Places own rows and packs the others'. Local.
  virtual void add(RowNumbers numbers, const RowBlock& rows) = 0;
  /// Sends what is packed, places what comes. Collective.
  virtual void deliver() = 0;
  virtual Result finish() = 0;
};

std::unique_ptr<Distributor> make_distributor(const Communicator& comm, const Partition& partition,
                                              Index columns, bool dense, bool floats,
                                              bool weighted);

}  // namespace svrg::text
