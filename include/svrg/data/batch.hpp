#pragma once
#include <span>
#include <string_view>
#include <variant>

#include "svrg/core/types.hpp"

namespace svrg {

class ReadAhead;

/// Row-major rows of equal length, not owned. Row i starts at data + i·stride.
template <class T>
struct DenseRows {
  using Value = T;
  const T* data = nullptr;
  Index rows = 0, columns = 0, stride = 0;
  ReadAhead* ahead = nullptr;  // of rows that stay in their file: wants to know what is read
};

/// Compressed sparse rows, not owned. Row i: values[starts[i] … starts[i+1]), indices ascending.
template <class T>
struct CsrRows {
  using Value = T;
  const T* values = nullptr;
  const std::int32_t* indices = nullptr;
  const Index* starts = nullptr;
  Index rows = 0, columns = 0;
  ReadAhead* ahead = nullptr;
};

using Rows = std::variant<DenseRows<double>, DenseRows<float>, CsrRows<double>, CsrRows<float>>;

/// Of whichever kind.
inline Index row_count(const Rows& rows) {
  return std::visit([](const auto& r) { return r.rows; }, rows);
}
/// Likewise; null: rows in memory.
inline ReadAhead* read_ahead(const Rows& rows) {
  return std::visit([](const auto& r) { return r.ahead; }, rows);
}
/// Likewise.
inline Index column_count(const Rows& rows) {
  return std::visit([](const auto& r) { return r.columns; }, rows);
}

/// Values of a batch that a model knows by name.
struct Input {
  std::string_view name;  // "data"
  Rows rows;
  std::span<const Index> item_shape;  // e.g. (1, 28, 28) for an image; empty: (columns)
};

/// A stretch of a batch that belongs to one virtual shard.
struct Part {
  Index virtual_shard;  // 0 … owned − 1: position among this rank's own
  Index first, count;   // into Batch::pick; into the rows themselves where pick is empty
};

/// This rank's part of a global batch, as views: nothing is copied. May be empty.
struct Batch {
  std::span<const Input> inputs;       // a linear model reads inputs[0]
  std::span<const double> labels;      // per row of the views
  std::span<const double> weights;     // per row of the views; empty: all 1
  std::span<const Index> pick;         // rows of the views, in order; empty: all rows, in order
  std::span<const Index> global_rows;  // per row of the views: its number in the data set
  std::span<const Part> parts;
};

}  // namespace svrg
