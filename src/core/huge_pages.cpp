#include "core/huge_pages.hpp"

#include <sys/mman.h>

#include <cstdint>

namespace svrg {

void advise_huge_pages(void* start, std::size_t bytes) noexcept {
#ifdef MADV_HUGEPAGE
  constexpr std::size_t page = std::size_t{2} << 20;
  const auto first = reinterpret_cast<std::uintptr_t>(start);
  const std::size_t before = (page - first % page) % page;
  if (bytes < before + page) return;
  madvise(static_cast<char*>(start) + before, (bytes - before) / page * page, MADV_HUGEPAGE);
#endif
}

}  // namespace svrg
