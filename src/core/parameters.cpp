#include "svrg/core/parameters.hpp"

#include <algorithm>

#include "svrg/core/error.hpp"

namespace svrg {
namespace {

using ColumnMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor>;

bool needs_transpose(const Parameter& p) { return p.column_major && p.shape.size() == 2; }

}  // namespace

void ParameterLayout::add(Parameter parameter) {
  const auto same = [&](const Parameter& p) { return p.name == parameter.name; };
  if (std::any_of(parameters_.begin(), parameters_.end(), same))
    throw ConfigError("parameter '" + parameter.name + "' is defined twice");
  parameter.offset = size_;
  parameter.size = 1;
  for (const Index extent : parameter.shape) parameter.size *= extent;
  size_ += parameter.size;
  if (parameter.row_sparse) {
    parameter.first_row = sparse_rows_;
    sparse_rows_ += parameter.shape.at(0);
  }
  parameters_.push_back(std::move(parameter));
}

const Parameter& ParameterLayout::at(std::string_view name) const {
  for (const Parameter& p : parameters_)
    if (p.name == name) return p;
  throw ConfigError("there is no parameter '" + std::string(name) + "'");
}

Vec<double> to_row_major(const Parameter& parameter, ConstVecRef<double> segment) {
  if (!needs_transpose(parameter)) return segment;
  Vec<double> values(segment.size());
  const Index rows = parameter.shape[0], columns = parameter.shape[1];
  Eigen::Map<RowMatrix<double>>(values.data(), rows, columns) =
      Eigen::Map<const ColumnMatrix>(segment.data(), rows, columns);
  return values;
}

Vec<double> from_row_major(const Parameter& parameter, ConstVecRef<double> values) {
  if (!needs_transpose(parameter)) return values;
  Vec<double> segment(values.size());
  const Index rows = parameter.shape[0], columns = parameter.shape[1];
  Eigen::Map<ColumnMatrix>(segment.data(), rows, columns) =
      Eigen::Map<const RowMatrix<double>>(values.data(), rows, columns);
  return segment;
}

}  // namespace svrg
