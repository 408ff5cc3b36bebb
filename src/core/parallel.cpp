#include "svrg/core/parallel.hpp"

#include <sched.h>

#include <algorithm>
#include <exception>
#include <thread>
#include <vector>

namespace svrg {

void parallel(Index count, const std::function<void(Index)>& f) {
  if (count == 1) return f(0);
  // An exception must not leave the region.
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(count));
#ifdef _OPENMP
#pragma omp parallel for num_threads(static_cast <int>(count)) schedule(static, 1)
#endif
  for (Index i = 0; i < count; ++i) {
    try {
      f(i);
    } catch (...) {
      errors[static_cast<std::size_t>(i)] = std::current_exception();
    }
  }
  for (const auto& error : errors)
    if (error) std::rethrow_exception(error);
}

Index cores_allowed() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1U, std::thread::hardware_concurrency());  // more cores than the set can name
}

}  // namespace svrg
