#include "contained.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <vector>

#include "svrg/core/error.hpp"

// A child must not go on with the other tests: each body ends it.
namespace svrg::app {
namespace {

std::string said_of(const Bounds& bounds, const std::function<int()>& body) {
  try {
    contained("rows.h5", bounds, body);
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(Contained, returns_the_exit_code_of_the_child) {
  EXPECT_EQ(contained("rows.h5", {}, []() -> int { _exit(0); }), 0);
  EXPECT_EQ(contained("rows.h5", {}, []() -> int { _exit(3); }), 3);
}

TEST(Contained, a_crash_is_an_error_that_names_the_file) {
  for (const int number : {SIGSEGV, SIGABRT, SIGFPE, SIGBUS}) {
    const std::string said = said_of({}, [&]() -> int {
      std::signal(number, SIG_DFL);
      std::raise(number);
      _exit(0);
    });
    EXPECT_NE(said.find("rows.h5: HDF5 crashes on it"), std::string::npos) << said;
  }
}

TEST(Contained, an_endless_loop_ends) {
  const std::string said = said_of({.seconds = 1}, []() -> int {
    const std::atomic<bool> ended = false;
    while (!ended) {
    }
    _exit(0);
  });
  EXPECT_NE(said.find("rows.h5: not read within 1 s"), std::string::npos) << said;
}

#ifndef __SANITIZE_ADDRESS__
TEST(Contained, memory_is_bounded) {
  constexpr int refused = 9;
  const int code = contained("rows.h5", {.bytes = 1 << 24}, []() -> int {
    try {
      std::vector<char> too_much(std::size_t{1} << 26, 'x');
      _exit(too_much.back() == 'x' ? 0 : 1);
    } catch (const std::bad_alloc&) {
      _exit(refused);
    }
  });
  EXPECT_EQ(code, refused);
}
#endif

}  // namespace
}  // namespace svrg::app
