// OpenBLAS where the build found it, for it chooses kernels by the machine's instruction set; Eigen
// otherwise. One thread: ranks share the cores.
#include "model/operators/gemm.hpp"

#ifdef SVRG_OPENBLAS
#include <cblas.h>
#else
#include <Eigen/Core>
#endif

namespace svrg::ops {
namespace {

#ifdef SVRG_OPENBLAS

CBLAS_TRANSPOSE as(Transpose t) { return t == Transpose::yes ? CblasTrans : CblasNoTrans; }
blasint extent(Index n) { return static_cast<blasint>(n); }

template <class Real, class Function>
void call(Function function, Transpose ta, Transpose tb, Index m, Index n, Index k, Real alpha,
          const Real* a, Index lda, const Real* b, Index ldb, Real beta, Real* c, Index ldc) {
  [[maybe_unused]] static const bool once = (openblas_set_num_threads(1), true);
  function(CblasRowMajor, as(ta), as(tb), extent(m), extent(n), extent(k), alpha, a, extent(lda), b,
           extent(ldb), beta, c, extent(ldc));
}

#else

template <class Real>
using Stored = Eigen::Map<const RowMatrix<Real>, 0, Eigen::OuterStride<>>;

template <class Real, class A, class B, class C>
void multiply(const A& a, const B& b, Real alpha, C& c) {
  c.noalias() += alpha * (a * b);
}

#endif

}  // namespace

template <class Real>
void gemm(Transpose a_as, Transpose b_as, Index m, Index n, Index k, Real alpha, const Real* a,
          Index lda, const Real* b, Index ldb, Real beta, Real* c, Index ldc) {
  if (m == 0 || n == 0) return;
#ifdef SVRG_OPENBLAS
  if constexpr (std::is_same_v<Real, float>)
    call(cblas_sgemm, a_as, b_as, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  else
    call(cblas_dgemm, a_as, b_as, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
#else
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
#endif
}

template void gemm<float>(Transpose, Transpose, Index, Index, Index, float, const float*, Index,
                          const float*, Index, float, float*, Index);
template void gemm<double>(Transpose, Transpose, Index, Index, Index, double, const double*, Index,
                           const double*, Index, double, double*, Index);

}  // namespace svrg::ops
