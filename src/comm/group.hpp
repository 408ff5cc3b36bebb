// What the sources of Communicator share. Only here MPI's counts are seen: everything is cut at
// 2^30 elements, as a count is an int; at a few in a test that sets SVRG_CHUNK_ELEMENTS.
#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "svrg/comm/communicator.hpp"
#include "svrg/core/clock.hpp"
#include "svrg/core/error.hpp"

namespace svrg {
namespace mpi {

#ifdef SVRG_CHUNK_ELEMENTS
inline constexpr std::size_t chunk_elements = SVRG_CHUNK_ELEMENTS;
#else
inline constexpr std::size_t chunk_elements = std::size_t{1} << 30;
#endif
// A tail travels in the same message as the values up to this many of them.
inline constexpr std::size_t joint_elements = std::size_t{1} << 16;

template <class T>
MPI_Datatype type_of() {
  if constexpr (std::is_same_v<T, double>) return MPI_DOUBLE;
  if constexpr (std::is_same_v<T, float>) return MPI_FLOAT;
  if constexpr (std::is_same_v<T, std::int64_t>) return MPI_INT64_T;
  if constexpr (std::is_same_v<T, std::int32_t>) return MPI_INT32_T;
  if constexpr (std::is_same_v<T, std::uint8_t> || std::is_same_v<T, std::byte>) return MPI_BYTE;
}

inline void check(int status, const char* call) {
  if (status != MPI_SUCCESS) throw Error(ExitCode::internal, std::string(call) + " failed");
}

inline int to_count(std::size_t n) {
  SVRG_EXPECT(n <= std::numeric_limits<int>::max(), "an MPI count must be cut to chunks first");
  return static_cast<int>(n);
}

/// call(at, count), which answers as MPI's calls do, for each piece of `n` elements.
template <class Call>
void in_chunks(std::size_t n, const char* name, Call&& call) {
  for (std::size_t at = 0; at < n; at += chunk_elements)
    check(call(at, to_count(std::min(chunk_elements, n - at))), name);
}

}  // namespace mpi

using mpi::check, mpi::chunk_elements, mpi::in_chunks, mpi::joint_elements, mpi::to_count,
    mpi::type_of;

struct Communicator::Group {
  MPI_Comm comm = MPI_COMM_NULL;  // null: a lone rank, no MPI needed
  int rank = 0, size = 1;
  Traffic traffic;
  ScheduleRecorder recorder;
  std::vector<double> joint;  // workspace of sum()
  std::shared_ptr<Heartbeat> heartbeat = std::make_shared<Heartbeat>();
  bool whole = true;  // not split off another
  bool waits_apart = false;

  explicit Group(MPI_Comm c) : comm(c) {
    if (comm == MPI_COMM_NULL) return;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
  }
  ~Group() {
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (comm != MPI_COMM_NULL && !finalized) MPI_Comm_free(&comm);
  }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  bool alone() const { return size == 1; }

  template <class T>
  void allreduce(T* values, std::size_t n, MPI_Op op) {
    in_chunks(n, "MPI_Allreduce", [&](std::size_t at, int count) {
      return MPI_Allreduce(MPI_IN_PLACE, values + at, count, type_of<T>(), op, comm);
    });
    traffic.bytes += static_cast<Index>(n * sizeof(T));
    ++traffic.allreduces;
  }
};

// Counts the time a rank spends in a collective, and marks that it waits there. Of a lone rank it
// is only written down that it would have met others.
class Communicator::Timed {
 public:
  explicit Timed(Group& group) : group_(group) {
    group_.recorder.pause();
    if (group_.alone()) return;
    start_ = now();
    group_.heartbeat->enter_collective(group_.whole);
    if (!group_.waits_apart) return;
    check(MPI_Barrier(group_.comm), "MPI_Barrier");
    group_.traffic.waiting += now() - start_;
  }
  Timed(Group& group, Meeting meeting, std::size_t bytes) : Timed(group) { meet(meeting, bytes); }
  ~Timed() {
    group_.recorder.resume();
    if (group_.alone()) return;
    group_.heartbeat->leave_collective();
    group_.traffic.seconds += now() - start_;
  }
  void meet(Meeting meeting, std::size_t bytes) {
    group_.recorder.meet(meeting, static_cast<Index>(bytes));
  }
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  Group& group_;
  double start_ = 0;
};

}  // namespace svrg
