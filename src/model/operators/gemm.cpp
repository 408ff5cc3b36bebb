#include "model/operators/gemm.hpp"

#include <Eigen/Core>

namespace svrg::ops {
namespace {

template <class Real>
using Stored = Eigen::Map<const RowMatrix<Real>, 0, Eigen::OuterStride<>>;

template <class Real, class A, class B, class C>
void multiply(const A& a, const B& b, Real alpha, C& c) {
  c.noalias() += alpha * (a * b);
}

}  // namespace

template <class Real>
void gemm(Transpose a_as, Transpose b_as, Index m, Index n, Index k, Real alpha, const Real* a,
          Index lda, const Real* b, Index ldb, Real beta, Real* c, Index ldc) {
  const bool at = a_as == Transpose::yes, bt = b_as == Transpose::yes;
  const Stored<Real> A(a, at ? k : m, at ? m : k, Eigen::OuterStride<>(lda));
  const Stored<Real> B(b, bt ? n : k, bt ? k : n, Eigen::OuterStride<>(ldb));
  Eigen::Map<RowMatrix<Real>, 0, Eigen::OuterStride<>> C(c, m, n, Eigen::OuterStride<>(ldc));
  if (beta == Real{0})
    C.setZero();
  else if (beta != Real{1})
    C *= beta;
  if (at && bt)
    multiply(A.transpose(), B.transpose(), alpha, C);
  else if (at)
    multiply(A.transpose(), B, alpha, C);
  else if (bt)
    multiply(A, B.transpose(), alpha, C);
  else
    multiply(A, B, alpha, C);
}

template void gemm<float>(Transpose, Transpose, Index, Index, Index, float, const float*, Index,
                          const float*, Index, float, float*, Index);
template void gemm<double>(Transpose, Transpose, Index, Index, Index, double, const double*, Index,
                           const double*, Index, double, double*, Index);

}  // namespace svrg::ops
