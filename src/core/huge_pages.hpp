#pragma once
#include <cstddef>
#include <vector>

namespace svrg {

/// Asks the system to back what lies in [start, start + bytes) by pages of 2 MiB, before it is
/// first written: fewer faults, and fewer misses of the table of pages in random access. Advice
/// only, and only about whole pages of that size.
void advise_huge_pages(void* start, std::size_t bytes) noexcept;

/// values.resize(size) of an empty vector, on huge pages where it is large.
template <class T>
void resize_on_huge_pages(std::vector<T>& values, std::size_t size) {
  values.reserve(size);
  advise_huge_pages(values.data(), values.capacity() * sizeof(T));
  values.resize(size);
}

}  // namespace svrg
