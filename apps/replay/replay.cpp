// What one rank of a training does, on a simulated platform: compiled by SimGrid's smpicxx and
// started by its smpirun, from `svrg bench --simulate`. usage: svrg_replay PLAN ROUNDS. A line of
// PLAN is "COUNT MEETING BYTES SECONDS": so many steps of so much own work with a meeting behind
// it. Of equal steps at most ROUNDS are simulated, and the others take as long as these. Says
// the seconds of the slowest rank.
#include <mpi.h>
#include <simgrid/host.h>
#include <smpi/smpi.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct Line {
  std::int64_t count = 0;
  std::string meeting;
  std::int64_t bytes = 0;
  double seconds = 0;
};

// All ranks live in one process and meet on the same few buffers: what is in them does not matter.
class Ranks {
 public:
  Ranks() {
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
  }
  int rank() const { return rank_; }
  int size() const { return size_; }

  void work(double seconds) const {
    smpi_execute_flops(seconds * sg_host_get_speed(sg_host_self()));
  }

  void meet(const std::string& meeting, std::int64_t bytes) const {
    if (size_ == 1) return;
    const auto doubles = static_cast<int>((bytes + 7) / 8);
    const auto size = static_cast<int>(bytes);
    // SimGrid's prefix sums send a message to every other rank; MPIs' take rounds as reductions do.
    if (meeting == "allreduce" || meeting == "scan")
      MPI_Allreduce(buffer(0, bytes), buffer(1, bytes), doubles, MPI_DOUBLE, MPI_SUM,
                    MPI_COMM_WORLD);
    else if (meeting == "broadcast")
      MPI_Bcast(buffer(0, bytes), size, MPI_BYTE, 0, MPI_COMM_WORLD);
    else if (meeting == "gather_at_root")
      MPI_Gather(buffer(0, bytes), size, MPI_BYTE, buffer(1, size_ * bytes), size, MPI_BYTE, 0,
                 MPI_COMM_WORLD);
    else if (meeting == "barrier")
      MPI_Barrier(MPI_COMM_WORLD);
    else if (meeting == "gather" || meeting == "exchange")
      exchange(bytes / size_);
    else if (meeting != "none")
      throw std::runtime_error("no such meeting: " + meeting);
  }

 private:
  // As the communicator does it: lengths first, then a message to every other rank.
  void exchange(std::int64_t bytes) const {
    MPI_Alltoall(buffer(0, 8L * size_), 1, MPI_INT64_T, buffer(1, 8L * size_), 1, MPI_INT64_T,
                 MPI_COMM_WORLD);
    std::vector<MPI_Request> requests;
    for (const bool receives : {true, false})
      for (int other = 0; other < size_; ++other) {
        if (other == rank_) continue;
        MPI_Request& request = requests.emplace_back();
        if (receives)
          MPI_Irecv(buffer(1, bytes), static_cast<int>(bytes), MPI_BYTE, other, 1, MPI_COMM_WORLD,
                    &request);
        else
          MPI_Isend(buffer(0, bytes), static_cast<int>(bytes), MPI_BYTE, other, 1, MPI_COMM_WORLD,
                    &request);
      }
    MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE);
  }

  static void* buffer(std::size_t which, std::int64_t bytes) {
    static std::vector<double> buffers[2];
    auto& mine = buffers[which];
    const auto doubles = static_cast<std::size_t>(bytes / 8 + 1);
    // Grown rarely, before anybody is in a meeting that uses it: see reserve().
    if (mine.size() < doubles) mine.resize(doubles);
    return mine.data();
  }

 public:
  /// Makes the buffers large enough for every line, so that none moves under another rank.
  void reserve(const std::vector<Line>& plan) const {
    std::int64_t most = 8L * size_;
    for (const Line& line : plan)
      most = std::max(most, line.meeting == "gather_at_root" ? line.bytes * size_ : line.bytes);
    buffer(0, most);
    buffer(1, most);
  }

 private:
  int rank_ = 0, size_ = 1;
};

std::vector<Line> read(const char* path) {
  std::ifstream file(path);
  std::vector<Line> plan;
  for (Line line; file >> line.count >> line.meeting >> line.bytes >> line.seconds;)
    plan.push_back(line);
  if (!file.eof() || plan.empty()) throw std::runtime_error(std::string(path) + " is no plan");
  return plan;
}

void run(const char* path, std::int64_t most_rounds) {
  const Ranks ranks;
  const std::vector<Line> plan = read(path);
  ranks.reserve(plan);
  double seconds = 0;
  for (const Line& line : plan) {
    // A meeting that lets the first ranks go on before the last are served is timed alone: in a
    // row, they would overlap, as they do not in a training, where a reduction follows.
    const bool alone =
        line.meeting == "broadcast" || line.meeting == "gather_at_root" || line.meeting == "scan";
    const std::int64_t rounds = alone ? 1 : std::min(line.count, most_rounds);
    const auto more = static_cast<double>(line.count) / static_cast<double>(rounds);
    const auto step = [&] {
      ranks.work(line.seconds);
      ranks.meet(line.meeting, line.bytes);
    };
    // Ranks come to the first as a reduction leaves them: all at once.
    if (alone)
      ranks.meet("allreduce", 8);
    else
      step();
    const double start = MPI_Wtime();
    for (std::int64_t round = 0; round < rounds; ++round) step();
    seconds += (MPI_Wtime() - start) * more;
  }
  double most = seconds;  // SimGrid 3.32 fails at MPI_Reduce on one rank
  if (ranks.size() > 1) MPI_Reduce(&seconds, &most, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
  if (ranks.rank() == 0) std::printf("%.17g\n", most);
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  try {
    if (argc != 3) throw std::runtime_error("usage: svrg_replay PLAN ROUNDS");
    run(argv[1], std::max(1L, std::strtol(argv[2], nullptr, 10)));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "svrg_replay: %s\n", error.what());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  MPI_Finalize();
}
