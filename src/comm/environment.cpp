// run() is the only place that ends a program. An exception caught outside the life of boost's
// environment loses its exit code, and a finalize on one rank only hangs the job: so everything is
// caught inside, and an error that only this rank knows of ends in MPI_Abort.
#include "svrg/comm/environment.hpp"

#include <mpi.h>

#include <boost/mpi/environment.hpp>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>

#include "svrg/core/error.hpp"

namespace svrg {
namespace {

std::unique_ptr<boost::mpi::environment>& environment() {
  // Never destroyed: a rank that somebody ends by exit() would finalize alone, and hang the job.
  static auto* const instance = new std::unique_ptr<boost::mpi::environment>;
  return *instance;
}

int launcher_value(std::initializer_list<const char*> names, int otherwise) {
  for (const char* name : names) {
    // Nothing sets variables while this runs. NOLINTNEXTLINE(concurrency-mt-unsafe)
    const char* text = std::getenv(name);
    if (text == nullptr) continue;
    int value = otherwise;
    std::from_chars(text, text + std::strlen(text), value);
    return value;
  }
  return otherwise;
}

constexpr auto rank_names = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};

/// Without a launcher Open MPI starts a daemon of its own, for jobs that start further processes: a
/// third of the time that a short command takes.
void start_alone() {
  constexpr int none = -1;
  // Before any thread. NOLINTNEXTLINE(concurrency-mt-unsafe)
  if (launcher_value(rank_names, none) == none) ::setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
}

[[noreturn]] void abort_job(const std::string& message, ExitCode code) {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  // Whoever cannot write this has nobody to tell. NOLINTBEGIN(cert-err33-c)
  std::fprintf(stderr, "svrg: error: rank %d: %s\n", rank, message.c_str());
  std::fflush(stderr);
  // NOLINTEND(cert-err33-c)
  MPI_Abort(MPI_COMM_WORLD, static_cast<int>(code));
  std::_Exit(static_cast<int>(code));
}

}  // namespace

Environment::Environment(int& argc, char**& argv) : owner_(false) {
  int initialized = 0;
  MPI_Initialized(&initialized);
  if (initialized) return;
  start_alone();
  environment() = std::make_unique<boost::mpi::environment>(
      argc, argv, boost::mpi::threading::funneled, false);  // --threads: they never speak
  owner_ = true;
}

Environment::~Environment() {
  if (owner_) environment().reset();
}

int run(int argc, char** argv, const std::function<int(int, char**)>& body) {
  Environment alive(argc, argv);
  int size = 1;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  try {
    return body(argc, argv);
  } catch (const Error& error) {
    // Agreed on, or made from reduced numbers: every rank is here with the same error, so one line
    // and an orderly end. Any other is known to this rank only.
    const bool collective = dynamic_cast<const CollectiveError*>(&error) != nullptr ||
                            dynamic_cast<const NumericError*>(&error) != nullptr;
    if (!collective && size > 1) abort_job(error.what(), error.code());
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) std::fprintf(stderr, "svrg: error: %s\n", error.what());  // NOLINT(cert-err33-c)
    return static_cast<int>(error.code());
  } catch (const std::bad_alloc&) {
    abort_job("out of memory", ExitCode::limit);
  } catch (const std::exception& error) {
    abort_job(error.what(), ExitCode::internal);
  }
}

int launcher_rank() { return launcher_value(rank_names, 0); }

int launcher_size() {
  return launcher_value({"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_NTASKS"}, 1);
}

}  // namespace svrg
