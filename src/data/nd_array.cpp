#include "svrg/data/nd_array.hpp"

#include <numeric>

#include "data/store_view.hpp"
#include "svrg/core/error.hpp"

namespace svrg {
namespace {

Index product(std::span<const Index> shape) {
  return std::accumulate(shape.begin(), shape.end(), Index{1}, std::multiplies<>());
}

template <class T>
RowStore checked(const std::vector<Index>& shape, std::vector<T> values) {
  if (product(shape) != static_cast<Index>(values.size()))
    throw ConfigError("an array's shape asks for " + std::to_string(product(shape)) +
                      " values, but " + std::to_string(values.size()) + " are given");
  return DenseStore<T>{std::move(values)};
}

template <class T>
std::vector<double> widened(const DenseStore<T>& store, Index, Index) {
  return {store.data.begin(), store.data.end()};
}
template <class T>
std::vector<double> widened(const CsrStore<T>& store, Index rows, Index columns) {
  std::vector<double> values(static_cast<std::size_t>(rows * columns));
  for (Index i = 0; i < rows; ++i)
    for (auto k = static_cast<std::size_t>(store.starts[static_cast<std::size_t>(i)]);
         k < static_cast<std::size_t>(store.starts[static_cast<std::size_t>(i) + 1]); ++k)
      values[static_cast<std::size_t>(i * columns + store.indices[k])] +=
          static_cast<double>(store.values[k]);
  return values;
}

template <class T>
Index row_count_of(const CsrStore<T>& store) {
  return static_cast<Index>(store.starts.size()) - 1;
}

}  // namespace

NDArray::NDArray(std::vector<Index> s, std::vector<float> values)
    : shape(std::move(s)), store(checked(shape, std::move(values))) {}
NDArray::NDArray(std::vector<Index> s, std::vector<double> values)
    : shape(std::move(s)), store(checked(shape, std::move(values))) {}
NDArray::NDArray(Index columns, CsrStore<float> rows)
    : shape{row_count_of(rows), columns}, store(std::move(rows)) {}
NDArray::NDArray(Index columns, CsrStore<double> rows)
    : shape{row_count_of(rows), columns}, store(std::move(rows)) {}

Index NDArray::row_size() const noexcept {
  return shape.empty() ? 1 : product(std::span(shape).subspan(1));
}

Rows NDArray::view() const {
  return std::visit([&](const auto& s) { return view_of(s, rows(), row_size()); }, store);
}

std::vector<double> NDArray::values() const {
  return std::visit([&](const auto& s) { return widened(s, rows(), row_size()); }, store);
}

}  // namespace svrg
