// One fuzz target of libFuzzer: that of SVRG_FUZZ_TARGET.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "svrg/core/error.hpp"
#include "targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    svrg::fuzz::SVRG_FUZZ_TARGET(std::as_bytes(std::span(data, size)));
  } catch (const svrg::Error&) {  // refused: all that a reader may do beside reading
  } catch (const std::exception& e) {
    std::fprintf(stderr, "not refused, but thrown: %s\n", e.what());
    std::abort();
  }
  return 0;
}
