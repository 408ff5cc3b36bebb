// Preloaded into the program: one rank ends, stops or throws instead of making its k-th MPI call.
//   FAULT_RANK  which rank
//   FAULT_CALL  k, from 1; 0 for never
//   FAULT       "kill", "segv", "abort", "exit0", "exit1", "throw" or "stop"
//   FAULT_LOG   a file that is made just before; where nothing failed, it gets the number of calls
#include <mpi.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>

namespace {

std::string setting(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? "" : text;
}

class Fault {
 public:
  ~Fault() {
    if (chosen_ && calls_ > 0) std::ofstream(log_) << calls_ << '\n';
  }

  void meet() {
    if (!chosen_ || ++calls_ != call_) return;
    std::ofstream(log_) << calls_ << '\n';
    if (how_ == "kill") std::raise(SIGKILL);
    if (how_ == "stop") std::raise(SIGSTOP);
    if (how_ == "segv") std::raise(SIGSEGV);
    if (how_ == "abort") std::abort();
    if (how_ == "exit0" || how_ == "exit1") std::exit(how_ == "exit1" ? 1 : 0);
    if (how_ == "throw") throw std::runtime_error("a fault at call " + std::to_string(calls_));
  }

 private:
  std::string log_ = setting("FAULT_LOG"), how_ = setting("FAULT");
  // A launcher is preloaded, too, and is no rank.
  bool chosen_ =
      !setting("FAULT_RANK").empty() && setting("FAULT_RANK") == setting("OMPI_COMM_WORLD_RANK");
  int call_ = std::atoi(setting("FAULT_CALL").c_str()), calls_ = 0;
};

void meet() {
  static Fault fault;
  fault.meet();
}

}  // namespace

extern "C" {

int MPI_Allreduce(const void* from, void* to, int count, MPI_Datatype type, MPI_Op op,
                  MPI_Comm comm) {
  meet();
  return PMPI_Allreduce(from, to, count, type, op, comm);
}

int MPI_Bcast(void* buffer, int count, MPI_Datatype type, int root, MPI_Comm comm) {
  meet();
  return PMPI_Bcast(buffer, count, type, root, comm);
}

int MPI_Gather(const void* from, int count, MPI_Datatype type, void* to, int each, MPI_Datatype as,
               int root, MPI_Comm comm) {
  meet();
  return PMPI_Gather(from, count, type, to, each, as, root, comm);
}

int MPI_Allgatherv(const void* from, int count, MPI_Datatype type, void* to, const int counts[],
                   const int places[], MPI_Datatype as, MPI_Comm comm) {
  meet();
  return PMPI_Allgatherv(from, count, type, to, counts, places, as, comm);
}

int MPI_Alltoall(const void* from, int count, MPI_Datatype type, void* to, int each,
                 MPI_Datatype as, MPI_Comm comm) {
  meet();
  return PMPI_Alltoall(from, count, type, to, each, as, comm);
}

int MPI_Exscan(const void* from, void* to, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {
  meet();
  return PMPI_Exscan(from, to, count, type, op, comm);
}

int MPI_Isend(const void* buffer, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm,
              MPI_Request* request) {
  meet();
  return PMPI_Isend(buffer, count, type, to, tag, comm, request);
}

int MPI_Barrier(MPI_Comm comm) {
  meet();
  return PMPI_Barrier(comm);
}

}  // extern "C"
