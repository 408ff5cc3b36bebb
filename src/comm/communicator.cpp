#include "svrg/comm/communicator.hpp"

#include <boost/mpi/communicator.hpp>
#include <chrono>
#include <cstring>
#include <thread>

#include "comm/group.hpp"

namespace svrg {

Communicator::Communicator(MPI_Comm comm) {
  MPI_Comm own = MPI_COMM_NULL;
  check(MPI_Comm_dup(comm, &own), "MPI_Comm_dup");
  group_ = std::make_shared<Group>(own);
}

Communicator Communicator::world() {
  return Communicator(static_cast<MPI_Comm>(boost::mpi::communicator()));
}

Communicator Communicator::self() { return Communicator(std::make_shared<Group>(MPI_COMM_NULL)); }

int Communicator::rank() const noexcept { return group_->rank; }
int Communicator::size() const noexcept { return group_->size; }
const Traffic& Communicator::traffic() const noexcept { return group_->traffic; }
Heartbeat& Communicator::heartbeat() const noexcept { return *group_->heartbeat; }
ScheduleRecorder& Communicator::recorder() const noexcept { return group_->recorder; }

template <class Real>
void Communicator::sum(std::span<Real> values, std::span<double> tail) const {
  Group& g = *group_;
  Timed timed(g);
  if (values.size() > joint_elements || tail.empty() || values.empty()) {
    if (!values.empty()) timed.meet(Meeting::allreduce, values.size_bytes());
    if (!tail.empty()) timed.meet(Meeting::allreduce, tail.size_bytes());
    if (g.alone()) return;
    if (!values.empty()) g.allreduce(values.data(), values.size(), MPI_SUM);
    if (!tail.empty()) g.allreduce(tail.data(), tail.size(), MPI_SUM);
    return;
  }
  timed.meet(Meeting::allreduce, (values.size() + tail.size()) * sizeof(double));
  if (g.alone()) return;
  // Short: one message of doubles, which is exact for a float's summands and saves a latency.
  g.joint.resize(values.size() + tail.size());
  const auto middle = std::copy(values.begin(), values.end(), g.joint.begin());
  std::copy(tail.begin(), tail.end(), middle);
  g.allreduce(g.joint.data(), g.joint.size(), MPI_SUM);
  std::transform(g.joint.begin(), middle, values.begin(),
                 [](double x) { return static_cast<Real>(x); });
  std::copy(middle, g.joint.end(), tail.begin());
}

template <class T>
void Communicator::broadcast(std::span<T> values, int from) const {
  Group& g = *group_;
  const Timed timed(g, Meeting::broadcast, values.size_bytes());
  if (g.alone()) return;
  in_chunks(values.size(), "MPI_Bcast", [&](std::size_t at, int count) {
    return MPI_Bcast(values.data() + at, count, type_of<T>(), from, g.comm);
  });
  g.traffic.bytes += static_cast<Index>(values.size_bytes());
}

std::string Communicator::broadcast(const std::string& text, int from) const {
  auto length = static_cast<std::int64_t>(text.size());
  broadcast(std::span(&length, 1), from);
  std::string answer = text;
  answer.resize(static_cast<std::size_t>(length));
  broadcast(std::as_writable_bytes(std::span(answer)), from);
  return answer;
}

template <class T>
std::vector<T> Communicator::gather(std::span<const T> values) const {
  Group& g = *group_;
  Timed timed(g);
  if (g.alone()) {
    timed.meet(Meeting::gather, values.size_bytes());
    return {values.begin(), values.end()};
  }
  // Everybody to everybody, through the one call that chunks.
  const auto bytes = std::as_bytes(values);
  const std::vector<std::byte> mine(bytes.begin(), bytes.end());
  const auto incoming =
      exchanged(std::vector<std::vector<std::byte>>(static_cast<std::size_t>(g.size), mine));
  std::vector<T> all;
  for (const auto& piece : incoming) {
    const std::size_t before = all.size();
    all.resize(before + piece.size() / sizeof(T));
    if (!piece.empty()) std::memcpy(all.data() + before, piece.data(), piece.size());
  }
  timed.meet(Meeting::gather, all.size() * sizeof(T));
  return all;
}

void Communicator::gather(std::span<const std::byte> mine, std::span<const Index> lengths,
                          std::vector<std::byte>& all) const {
  Group& g = *group_;
  SVRG_EXPECT(lengths.size() == static_cast<std::size_t>(g.size), "a length for every rank");
  Index whole = 0;
  for (const Index length : lengths) whole += length;
  if (static_cast<std::size_t>(whole) > chunk_elements) {  // beyond what a place may count to
    all = gather(mine);
    return;
  }
  const Timed timed(g, Meeting::gather, static_cast<std::size_t>(whole));
  if (g.alone()) {
    all.assign(mine.begin(), mine.end());
    return;
  }
  std::vector<int> counts, places;
  int place = 0;
  for (const Index length : lengths) {
    counts.push_back(to_count(static_cast<std::size_t>(length)));
    places.push_back(place);
    place += counts.back();
  }
  all.resize(static_cast<std::size_t>(whole));
  check(MPI_Allgatherv(mine.data(), to_count(mine.size()), MPI_BYTE, all.data(), counts.data(),
                       places.data(), MPI_BYTE, g.comm),
        "MPI_Allgatherv");
  g.traffic.bytes += static_cast<Index>(mine.size());
  ++g.traffic.allreduces;
}

std::vector<double> Communicator::gather_at_root(std::span<const double> values) const {
  Group& g = *group_;
  const Timed timed(g, Meeting::gather_at_root, values.size_bytes());
  if (g.alone()) return {values.begin(), values.end()};
  const std::size_t each = values.size();
  std::vector<double> all(is_root() ? each * static_cast<std::size_t>(g.size) : 0), piece;
  in_chunks(each, "MPI_Gather", [&](std::size_t at, int count) {
    const auto part = static_cast<std::size_t>(count);
    piece.resize(is_root() ? part * static_cast<std::size_t>(g.size) : 0);
    const int status = MPI_Gather(values.data() + at, count, MPI_DOUBLE, piece.data(), count,
                                  MPI_DOUBLE, 0, g.comm);
    for (std::size_t i = 0; i < piece.size(); ++i) all[i / part * each + at + i % part] = piece[i];
    return status;
  });
  g.traffic.bytes += static_cast<Index>(values.size_bytes());
  return all;
}

Index Communicator::sum(Index value) const {
  Group& g = *group_;
  const Timed timed(g, Meeting::allreduce, sizeof value);
  if (g.alone()) return value;
  g.allreduce(&value, 1, MPI_SUM);
  return value;
}

Index Communicator::max(Index value) const {
  Group& g = *group_;
  const Timed timed(g, Meeting::allreduce, sizeof value);
  if (g.alone()) return value;
  g.allreduce(&value, 1, MPI_MAX);
  return value;
}

double Communicator::max(double value) const {
  Group& g = *group_;
  const Timed timed(g, Meeting::allreduce, sizeof value);
  if (g.alone()) return value;
  g.allreduce(&value, 1, MPI_MAX);
  return value;
}

Index Communicator::sum_before(Index value) const {
  Group& g = *group_;
  const Timed timed(g, Meeting::scan, sizeof value);
  if (g.alone()) return 0;
  Index before = 0;
  check(MPI_Exscan(&value, &before, 1, MPI_INT64_T, MPI_SUM, g.comm), "MPI_Exscan");
  return g.rank == 0 ? 0 : before;  // MPI leaves rank 0's answer undefined
}

std::vector<std::vector<std::byte>> Communicator::exchange(
    const std::vector<std::vector<std::byte>>& outgoing) const {
  std::size_t bytes = 0;
  for (const auto& buffer : outgoing) bytes += buffer.size();
  const Timed timed(*group_, Meeting::exchange, bytes);
  return exchanged(outgoing);
}

std::vector<std::vector<std::byte>> Communicator::exchanged(
    const std::vector<std::vector<std::byte>>& outgoing) const {
  Group& g = *group_;
  const auto ranks = static_cast<std::size_t>(g.size);
  SVRG_EXPECT(outgoing.size() == ranks, "exchange needs one buffer a rank");
  if (g.alone()) return outgoing;
  std::vector<std::int64_t> sent(ranks), received(ranks);
  for (std::size_t r = 0; r < ranks; ++r) sent[r] = static_cast<std::int64_t>(outgoing[r].size());
  // int64_t is long here, which the check does not know. NOLINTNEXTLINE(mpi-type-mismatch)
  check(MPI_Alltoall(sent.data(), 1, MPI_INT64_T, received.data(), 1, MPI_INT64_T, g.comm),
        "MPI_Alltoall");
  std::vector<std::vector<std::byte>> incoming(ranks);
  std::vector<MPI_Request> requests;
  constexpr int tag = 1;
  const auto me = static_cast<std::size_t>(g.rank);
  for (std::size_t r = 0; r < ranks; ++r) {
    incoming[r].resize(static_cast<std::size_t>(received[r]));
    if (r == me) continue;
    in_chunks(incoming[r].size(), "MPI_Irecv", [&](std::size_t at, int count) {
      return MPI_Irecv(incoming[r].data() + at, count, MPI_BYTE, static_cast<int>(r), tag, g.comm,
                       &requests.emplace_back());
    });
  }
  incoming[me] = outgoing[me];
  for (std::size_t r = 0; r < ranks; ++r) {
    if (r == me) continue;
    g.traffic.bytes += sent[r];
    in_chunks(outgoing[r].size(), "MPI_Isend", [&](std::size_t at, int count) {
      return MPI_Isend(outgoing[r].data() + at, count, MPI_BYTE, static_cast<int>(r), tag, g.comm,
                       &requests.emplace_back());
    });
  }
  check(MPI_Waitall(to_count(requests.size()), requests.data(), MPI_STATUSES_IGNORE),
        "MPI_Waitall");
  return incoming;
}

void Communicator::barrier() const {
  const Timed timed(*group_, Meeting::barrier, 0);
  if (group_->alone()) return;
  check(MPI_Barrier(group_->comm), "MPI_Barrier");
}

void Communicator::rest() const {
  if (group_->alone()) return;
  const Timed timed(*group_);
  MPI_Request arrived = MPI_REQUEST_NULL;
  check(MPI_Ibarrier(group_->comm, &arrived), "MPI_Ibarrier");
  for (int done = 0; done == 0;) {
    check(MPI_Test(&arrived, &done, MPI_STATUS_IGNORE), "MPI_Test");
    if (done == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void Communicator::tell_waits_apart() const { group_->waits_apart = true; }

Communicator Communicator::part(int (*cut)(MPI_Comm, int, int, MPI_Comm*), int color, int key,
                                const char* call) const {
  if (group_->comm == MPI_COMM_NULL) return self();
  const Timed timed(*group_);
  MPI_Comm part = MPI_COMM_NULL;
  check(cut(group_->comm, color, key, &part), call);
  auto group = std::make_shared<Group>(part);
  group->heartbeat = group_->heartbeat;
  group->whole = false;
  return Communicator(std::move(group));
}

Communicator Communicator::split(int color, int key) const {
  return part(MPI_Comm_split, color, key, "MPI_Comm_split");
}

Communicator Communicator::node() const {
  constexpr auto cut = [](MPI_Comm comm, int type, int key, MPI_Comm* part) {
    return MPI_Comm_split_type(comm, type, key, MPI_INFO_NULL, part);
  };
  return part(cut, MPI_COMM_TYPE_SHARED, rank(), "MPI_Comm_split_type");
}

#define SVRG_INSTANTIATE(T)                                          \
  template void Communicator::broadcast<T>(std::span<T>, int) const; \
  template std::vector<T> Communicator::gather<T>(std::span<const T>) const;
SVRG_INSTANTIATE(double)
SVRG_INSTANTIATE(float)
SVRG_INSTANTIATE(std::int64_t)
SVRG_INSTANTIATE(std::int32_t)
SVRG_INSTANTIATE(std::uint8_t)
SVRG_INSTANTIATE(std::byte)
#undef SVRG_INSTANTIATE
template void Communicator::sum<double>(std::span<double>, std::span<double>) const;
template void Communicator::sum<float>(std::span<float>, std::span<double>) const;

}  // namespace svrg
