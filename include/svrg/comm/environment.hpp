#pragma once
#include <functional>

namespace svrg {

/// MPI's life. The first line of every program that does not use run().
/// Wraps boost::mpi::environment; a second one in a process does nothing.
class Environment {
 public:
  Environment(int& argc, char**& argv);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  bool owner_;
};

/// The whole of main(): starts MPI, runs body(argc, argv), and turns whatever it throws into one
/// line on stderr and the right exit code. An error that all ranks agreed on leaves through
/// finalize; one that only this rank knows of ends the job by MPI_Abort, so that nobody waits for
/// it.
int run(int argc, char** argv, const std::function<int(int, char**)>& body);

/// The rank that a launcher gave this process, before MPI_Init (OMPI_COMM_WORLD_RANK, PMIX_RANK,
/// PMI_RANK, SLURM_PROCID); 0 without a launcher.
int launcher_rank();
/// The number of ranks that the launcher started; 1 without one.
int launcher_size();

}  // namespace svrg
