#pragma once
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "svrg/core/types.hpp"

namespace svrg {

/// A named array's value: row-major, shape [] is a scalar. The product of shape is data's size.
struct Array {
  using Data =
      std::variant<std::vector<double>, std::vector<float>, std::vector<std::int64_t>,
                   std::vector<std::int32_t>, std::vector<std::uint8_t>, std::vector<std::string>>;
  std::vector<Index> shape;
  Data data;

  /// One axis with these values.
  template <class T>
  static Array vector(std::vector<T> values) {
    return {{static_cast<Index>(values.size())}, std::move(values)};
  }
  /// Likewise a copy of a vector's.
  template <class T>
  static Array vector(ConstVecRef<T> v) {
    return vector(std::vector<T>(v.data(), v.data() + v.size()));
  }
};

/// All that a checkpoint knows of an object: arrays by HDF5 path ("params/linear/weight",
/// "solver/ring_weights") and scalars by name ("epoch"). Two states are merged by `insert`.
struct State {
  using Value = std::variant<std::int64_t, double, std::string>;
  std::map<std::string, Array> arrays;
  std::map<std::string, Value> values;

  /// @throws DataError naming the missing or mistyped entry.
  const Array& array(const std::string& name) const;
  /// Scalars by name, likewise.
  std::int64_t integer(const std::string& name) const;
  /// Likewise.
  double real(const std::string& name) const;
  /// Likewise.
  const std::string& text(const std::string& name) const;
  /// The array as a vector of `size` numbers. @throws DataError on another type or size.
  Vec<double> vector(const std::string& name, Index size) const;
  /// The array as whole numbers, likewise.
  std::vector<std::int64_t> integers(const std::string& name) const;
};

}  // namespace svrg
