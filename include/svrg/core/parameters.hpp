#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "svrg/core/types.hpp"

namespace svrg {

/// A named segment of the flat weight vector.
struct Parameter {
  std::string name;            // MXNet's form: "fc1_weight"
  std::vector<Index> shape;    // logical, e.g. (classes, features)
  Index offset = 0, size = 0;  // set by ParameterLayout::add
  double lr_mult = 1, wd_mult = 1;
  bool fixed = false;
  bool row_sparse = false;    // a batch's gradient is 0 but for a few rows (axis 0), stored by rows
  Index first_row = 0;        // set by ParameterLayout::add: its row 0 among all row_sparse rows
  bool column_major = false;  // stored with the first axis fastest: files show it transposed
  std::string group;
};

/// How named parameters lie in the flat vector that solvers, reductions and checkpoints see.
class ParameterLayout {
 public:
  /// Appends a segment. @throws Error on a second use of a name.
  void add(Parameter parameter);
  Index size() const noexcept { return size_; }
  /// Rows of all row_sparse segments, numbered through in their order.
  Index sparse_rows() const noexcept { return sparse_rows_; }
  /// @throws Error naming the unknown parameter.
  const Parameter& at(std::string_view name) const;
  std::span<const Parameter> all() const noexcept { return parameters_; }

 private:
  std::vector<Parameter> parameters_;
  Index size_ = 0, sparse_rows_ = 0;
};

/// The values of one segment in logical, row-major order (undoes column_major), and back.
Vec<double> to_row_major(const Parameter& parameter, ConstVecRef<double> segment);
/// Likewise, the other way.
Vec<double> from_row_major(const Parameter& parameter, ConstVecRef<double> values);

}  // namespace svrg
