#pragma once
#include <mpi.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "svrg/core/heartbeat.hpp"
#include "svrg/core/schedule.hpp"
#include "svrg/core/types.hpp"

namespace svrg {

/// What this rank has put on the wire so far, and how often it waited for others.
struct Traffic {
  Index bytes = 0;       // payload of reductions, broadcasts and exchanges, this rank's share
  Index allreduces = 0;  // reductions of any length
  double seconds = 0;    // spent inside collectives
  double waiting = 0;    // of these, for the others to arrive; known where waits are told apart
};

/// A group of ranks with few verbs. Every member but rank(), size(), is_root(), traffic(),
/// heartbeat() and recorder() is Collective. Copies share the same group and the same traffic
/// counters. A boost communicator converts by itself, as it does to MPI_Comm.
class Communicator {
 public:
  /// The group of `comm`, on a duplicate of its own so that no message of the caller's can meet
  /// one of ours. Collective over comm.
  explicit Communicator(MPI_Comm comm);
  /// All ranks of the launcher. Collective.
  static Communicator world();
  /// One rank by itself: the serial twin for tests. Works before MPI_Init, too.
  static Communicator self();

  int rank() const noexcept;
  int size() const noexcept;
  bool is_root() const noexcept { return rank() == 0; }
  const Traffic& traffic() const noexcept;
  /// Marked by every collective; shared by copies of this and the groups split off it.
  Heartbeat& heartbeat() const noexcept;
  /// Where every collective is written down, on a lone rank too; shared by copies of this.
  ScheduleRecorder& recorder() const noexcept;

  /// In-place sum over ranks; `tail` is summed in double in the same call where it is short.
  /// Real ∈ {float, double}. All ranks see the same bits.
  template <class Real>
  void sum(std::span<Real> values, std::span<double> tail = {}) const;
  /// T ∈ {uint8_t, int32_t, int64_t, float, double, std::byte}.
  template <class T>
  void broadcast(std::span<T> values, int from = 0) const;
  /// Of a text, whose length only `from` need know. Collective.
  std::string broadcast(const std::string& text, int from = 0) const;
  /// Every rank's values, in order of ranks, on every rank; lengths may differ. Types as above.
  template <class T>
  std::vector<T> gather(std::span<const T> values) const;
  /// Every rank's bytes in order of ranks; `lengths` of them, known to all beforehand.
  void gather(std::span<const std::byte> mine, std::span<const Index> lengths,
              std::vector<std::byte>& all) const;
  /// Every rank's values, equally many, in order of ranks on root; nothing elsewhere.
  std::vector<double> gather_at_root(std::span<const double> values) const;
  /// Over all ranks, the same answer on each. Collective.
  Index sum(Index value) const;
  /// Likewise the largest.
  Index max(Index value) const;
  /// Likewise.
  double max(double value) const;
  /// Sum over the ranks before this one.
  Index sum_before(Index value) const;
  /// outgoing[r] goes to rank r; the answer's [r] came from rank r. Any size, chunked inside.
  std::vector<std::vector<std::byte>> exchange(
      const std::vector<std::vector<std::byte>>& outgoing) const;
  void barrier() const;
  /// The same for a long wait: ranks sleep until the last arrives, and so leave their cores to
  /// others.
  void rest() const;
  /// The ranks of the same colour, ordered by key. Collective.
  Communicator split(int color, int key) const;
  /// The ranks that share this one's memory. Collective.
  Communicator node() const;

  /// From now on each collective is preceded by a barrier, so that waiting for the others is told
  /// from communication. That changes what it measures where collectives are many.
  void tell_waits_apart() const;

  /// Runs local_work on every rank. If it threw on any, all ranks throw CollectiveError with the
  /// message and code of the lowest rank of those that failed worst. The work must not communicate.
  void agree(std::string_view task, const std::function<void()>& local_work) const;
  /// Likewise of work that asks for something: whether any rank's did.
  bool agree_any(std::string_view task, const std::function<bool()>& local_work) const;

 private:
  struct Group;
  class Timed;
  std::vector<std::vector<std::byte>> exchanged(
      const std::vector<std::vector<std::byte>>& outgoing) const;
  Communicator part(int (*cut)(MPI_Comm, int, int, MPI_Comm*), int color, int key,
                    const char* call) const;
  explicit Communicator(std::shared_ptr<Group> group) : group_(std::move(group)) {}
  std::shared_ptr<Group> group_;
};

}  // namespace svrg
