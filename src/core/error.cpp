#include "svrg/core/error.hpp"

namespace svrg {

void fail_expectation(const char* condition, const char* file, int line, const char* message) {
  throw Error(ExitCode::internal, std::string(message) + " (expected " + condition + " at " + file +
                                      ":" + std::to_string(line) + ")");
}

}  // namespace svrg
