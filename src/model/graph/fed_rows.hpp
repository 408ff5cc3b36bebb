#pragma once
#include <span>
#include <vector>

#include "svrg/data/batch.hpp"

namespace svrg::graph {

/// The rows of an input as Real: pointed to where they already lie so, copied and widened where
/// not. Memory is kept from call to call.
template <class Real>
class FedRows {
 public:
  /// @param sparse  CSR rows may stay CSR; otherwise they are written out with their zeros
  void load(const Rows& views, std::span<const Index> pick, Index first, Index count, bool sparse);
  /// The rows of another one, which keeps them.
  void share(const FedRows& other) {
    dense_ = other.dense_;
    csr_ = other.csr_;
  }
  const Real* dense() const noexcept { return dense_; }
  const CsrRows<Real>* csr() const noexcept { return dense_ ? nullptr : &csr_; }

 private:
  template <class T>
  void take(const DenseRows<T>& rows, std::span<const Index> pick, Index first, Index count);
  template <class T>
  void take(const CsrRows<T>& rows, std::span<const Index> pick, Index first, Index count,
            bool sparse);

  const Real* dense_ = nullptr;
  CsrRows<Real> csr_;
  std::vector<Real> values_;
  std::vector<std::int32_t> indices_;
  std::vector<Index> starts_;
};

}  // namespace svrg::graph
