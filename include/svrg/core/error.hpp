#pragma once
#include <stdexcept>
#include <string>

namespace svrg {

/// What the svrg program returns to the shell; the scheduler's scripts act on these.
enum class ExitCode : int {
  done = 0,
  usage = 2,      // a wrong option or configuration
  data = 3,       // data, model or checkpoint unreadable
  diverged = 4,   // numbers went wrong
  tolerance = 5,  // tolerance not reached and --require-tol given
  output = 6,     // output or checkpoint could not be written
  internal = 70,  // a bug
  limit = 71,     // memory or size limit
  in_use = 73,    // run directory locked by another job
  stopped = 75,   // stopped by signal or time limit after a good checkpoint
  stalled = 76,   // watchdog
};

/// Base of every error the library throws: a message that says what, where, and the remedy.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

/// A wrong option or configuration.
struct ConfigError : Error {
  explicit ConfigError(const std::string& m) : Error(ExitCode::usage, m) {}
};
/// Data, a model or a checkpoint that cannot be read.
struct DataError : Error {
  explicit DataError(const std::string& m) : Error(ExitCode::data, m) {}
};
/// Numbers went wrong.
struct NumericError : Error {
  explicit NumericError(const std::string& m) : Error(ExitCode::diverged, m) {}
};
/// A file that could not be written.
struct OutputError : Error {
  explicit OutputError(const std::string& m) : Error(ExitCode::output, m) {}
};
/// More memory or a larger size than there may be.
struct LimitError : Error {
  explicit LimitError(const std::string& m) : Error(ExitCode::limit, m) {}
};
/// Another job holds the run directory.
struct InUseError : Error {
  explicit InUseError(const std::string& m) : Error(ExitCode::in_use, m) {}
};

/// Thrown on every rank by Communicator::agree when the work failed on one of them.
class CollectiveError : public Error {
 public:
  CollectiveError(ExitCode code, int rank, const std::string& message)
      : Error(code, message), rank_(rank) {}
  /// The lowest rank that failed.
  int rank() const noexcept { return rank_; }

 private:
  int rank_;
};

/// Ends a function whose precondition is broken: a bug of the caller, so exit code 70.
[[noreturn]] void fail_expectation(const char* condition, const char* file, int line,
                                   const char* message);

}  // namespace svrg

#define SVRG_EXPECT(condition, message) \
  ((condition) ? void(0) : ::svrg::fail_expectation(#condition, __FILE__, __LINE__, message))
