#include <exception>
#include <new>

#include "comm/group.hpp"

namespace svrg {

void Communicator::agree(std::string_view task, const std::function<void()>& local_work) const {
  agree_any(task, [&] {
    local_work();
    return false;
  });
}

bool Communicator::agree_any(std::string_view task, const std::function<bool()>& local_work) const {
  bool asked = false;
  auto code = ExitCode::done;
  std::string message;
  const auto failed = [&](ExitCode with, const char* what) {
    code = with;
    message = std::string(task) + (task.empty() ? "" : ": ") + what;
  };
  try {
    asked = local_work();
  } catch (const Error& error) {
    failed(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    failed(ExitCode::limit, "out of memory");
  } catch (const std::exception& error) {
    failed(ExitCode::internal, error.what());
  }
  Group& g = *group_;
  struct {
    int severity, rank;
  } worst{2 * static_cast<int>(code) + (asked ? 1 : 0), g.rank};
  if (const Timed timed(g, Meeting::allreduce, sizeof worst); !g.alone()) {
    check(MPI_Allreduce(MPI_IN_PLACE, &worst, 1, MPI_2INT, MPI_MAXLOC, g.comm), "MPI_Allreduce");
    ++g.traffic.allreduces;
  }
  if (worst.severity <= 1) return worst.severity == 1;
  message = broadcast(message, worst.rank);
  throw CollectiveError(static_cast<ExitCode>(worst.severity / 2), worst.rank, message);
}

}  // namespace svrg
