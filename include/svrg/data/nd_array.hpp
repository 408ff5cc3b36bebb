#pragma once
#include <vector>

#include "svrg/data/shard.hpp"

namespace svrg {

/// An array of float or double, owned; row-major, axis 0 counts rows. Dense of any rank, or CSR of
/// rank 2. What the module interface takes and gives, as MXNet's NDArray.
struct NDArray {
  std::vector<Index> shape;
  RowStore store;

  NDArray() : NDArray({0}, std::vector<float>()) {}
  /// @throws ConfigError where the number of values is not the product of the shape.
  NDArray(std::vector<Index> shape, std::vector<float> values);
  NDArray(std::vector<Index> shape, std::vector<double> values);
  /// CSR, [rows, columns].
  NDArray(Index columns, CsrStore<float> rows);
  NDArray(Index columns, CsrStore<double> rows);

  Index rows() const noexcept { return shape.empty() ? 1 : shape[0]; }
  /// Values of one row, were it dense: the product of the other axes.
  Index row_size() const noexcept;
  Index size() const noexcept { return rows() * row_size(); }
  bool sparse() const noexcept { return store.index() >= 2; }
  /// Not owned: valid while this is neither changed nor moved.
  Rows view() const;
  /// All values in row-major order, zeros of a CSR array included.
  std::vector<double> values() const;
};

}  // namespace svrg
