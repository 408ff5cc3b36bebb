#pragma once
#include <functional>
#include <string>

#include "svrg/core/types.hpp"

namespace svrg::app {

/// What a process may take to read a stranger's file.
struct Bounds {
  Index bytes = Index{1} << 30;  // of memory, beyond what it has
  Index seconds = 60;            // of CPU time
};

/// Does `body` in a child process, since the library that reads a file may crash on it, or run for
/// ever. Returns what the body does, twice: in the child, where the body has run, and here, once
/// the child has ended with that as its exit code; an error of the body leaves the child by
/// whatever catches it there. The caller must do nothing after it but end. Before MPI and threads.
/// @throws DataError naming `path` where the child crashed or took too long; LimitError, in the
/// child, where it had too little memory. Local.
int contained(const std::string& path, const Bounds& bounds, const std::function<int()>& body);

}  // namespace svrg::app
