#pragma once
#include <Eigen/Core>

#include "svrg/core/types.hpp"

namespace svrg {

/// A = L Lᵀ of a symmetric positive definite matrix A [n, n], by OpenBLAS where the build found it
/// and by Eigen otherwise. All of it is local.
class Cholesky {
 public:
  /// Takes A's lower triangle; what is above it is not looked at. False where A is not positive
  /// definite as far as doubles tell: nothing can be solved then.
  bool compute(Eigen::MatrixXd a);
  Index size() const noexcept { return lower_.rows(); }
  /// b ← L⁻¹ b, b [n, m].
  void solve_lower(Eigen::Ref<Eigen::MatrixXd> b) const;
  /// b ← A⁻¹ b, b [n, m].
  void solve(Eigen::Ref<Eigen::MatrixXd> b) const;

 private:
  Eigen::MatrixXd lower_;
};

}  // namespace svrg
