#include "model/graph/fed_rows.hpp"

#include <algorithm>

namespace svrg::graph {
namespace {

Index row_of(std::span<const Index> pick, Index i) {
  return pick.empty() ? i : pick[static_cast<std::size_t>(i)];
}

}  // namespace

template <class Real>
template <class T>
void FedRows<Real>::take(const DenseRows<T>& rows, std::span<const Index> pick, Index first,
                         Index count) {
  if constexpr (std::is_same_v<T, Real>) {
    if (pick.empty() && rows.stride == rows.columns) {
      dense_ = rows.data + first * rows.stride;
      return;
    }
  }
  values_.resize(static_cast<std::size_t>(count * rows.columns));
  Real* to = values_.data();
  for (Index i = first; i < first + count; ++i, to += rows.columns) {
    const T* from = rows.data + row_of(pick, i) * rows.stride;
    std::transform(from, from + rows.columns, to, [](T v) { return static_cast<Real>(v); });
  }
  dense_ = values_.data();
}

template <class Real>
template <class T>
void FedRows<Real>::take(const CsrRows<T>& rows, std::span<const Index> pick, Index first,
                         Index count, bool sparse) {
  if (!sparse) {
    values_.assign(static_cast<std::size_t>(count * rows.columns), Real{0});
    for (Index i = 0; i < count; ++i) {
      const Index row = row_of(pick, first + i);
      Real* to = values_.data() + i * rows.columns;
      for (Index e = rows.starts[row]; e < rows.starts[row + 1]; ++e)
        to[rows.indices[e]] += static_cast<Real>(rows.values[e]);
    }
    dense_ = values_.data();
    return;
  }
  values_.clear();
  indices_.clear();
  starts_.assign(1, 0);
  for (Index i = first; i < first + count; ++i) {
    const Index row = row_of(pick, i);
    for (Index e = rows.starts[row]; e < rows.starts[row + 1]; ++e) {
      values_.push_back(static_cast<Real>(rows.values[e]));
      indices_.push_back(rows.indices[e]);
    }
    starts_.push_back(static_cast<Index>(values_.size()));
  }
  dense_ = nullptr;
  csr_ = {values_.data(), indices_.data(), starts_.data(), count, rows.columns};
}

template <class Real>
void FedRows<Real>::load(const Rows& views, std::span<const Index> pick, Index first, Index count,
                         bool sparse) {
  if (const auto* d = std::get_if<DenseRows<double>>(&views)) take(*d, pick, first, count);
  if (const auto* f = std::get_if<DenseRows<float>>(&views)) take(*f, pick, first, count);
  if (const auto* d = std::get_if<CsrRows<double>>(&views)) take(*d, pick, first, count, sparse);
  if (const auto* f = std::get_if<CsrRows<float>>(&views)) take(*f, pick, first, count, sparse);
}

template class FedRows<float>;
template class FedRows<double>;

}  // namespace svrg::graph
