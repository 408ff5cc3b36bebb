// OpenBLAS chooses kernels by the machine's instruction set, which Eigen in a portable build does
// not: several times as fast from a few hundred rows on.
#include "svrg/core/cholesky.hpp"

#include <utility>

#include "svrg/core/error.hpp"

#ifdef SVRG_OPENBLAS
#include <cblas.h>
extern "C" void dpotrf_(const char* triangle, const blasint* n, double* a, const blasint* stride,
                        blasint* info, std::size_t triangle_length);
#else
#include <Eigen/Cholesky>
#endif

namespace svrg {

#ifdef SVRG_OPENBLAS

namespace {

/// b ← L⁻¹ b, or L⁻ᵀ b.
void solve_triangle(const Eigen::MatrixXd& lower, CBLAS_TRANSPOSE transpose,
                    Eigen::Ref<Eigen::MatrixXd>& b) {
  const auto n = static_cast<blasint>(lower.rows());
  if (b.cols() == 1)
    cblas_dtrsv(CblasColMajor, CblasLower, transpose, CblasNonUnit, n, lower.data(), n, b.data(),
                1);
  else
    cblas_dtrsm(CblasColMajor, CblasLeft, CblasLower, transpose, CblasNonUnit, n,
                static_cast<blasint>(b.cols()), 1, lower.data(), n, b.data(),
                static_cast<blasint>(b.outerStride()));
}

}  // namespace

bool Cholesky::compute(Eigen::MatrixXd a) {
  SVRG_EXPECT(a.rows() == a.cols(), "a matrix to be factored is square");
  [[maybe_unused]] static const bool once =
      (openblas_set_num_threads(1), true);  // ranks have cores
  lower_ = std::move(a);
  const auto n = static_cast<blasint>(lower_.rows());
  blasint info = 0;
  if (n > 0) dpotrf_("L", &n, lower_.data(), &n, &info, 1);
  return info == 0 && lower_.diagonal().allFinite();  // a NaN passes its comparisons
}

void Cholesky::solve_lower(Eigen::Ref<Eigen::MatrixXd> b) const {
  SVRG_EXPECT(b.rows() == size(), "as many rows as the factor has");
  if (b.size() > 0) solve_triangle(lower_, CblasNoTrans, b);
}

void Cholesky::solve(Eigen::Ref<Eigen::MatrixXd> b) const {
  solve_lower(b);
  if (b.size() > 0) solve_triangle(lower_, CblasTrans, b);
}

#else

bool Cholesky::compute(Eigen::MatrixXd a) {
  SVRG_EXPECT(a.rows() == a.cols(), "a matrix to be factored is square");
  lower_ = std::move(a);
  const Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>> in_place(lower_);
  return in_place.info() == Eigen::Success && lower_.diagonal().allFinite();
}

void Cholesky::solve_lower(Eigen::Ref<Eigen::MatrixXd> b) const {
  SVRG_EXPECT(b.rows() == size(), "as many rows as the factor has");
  lower_.triangularView<Eigen::Lower>().solveInPlace(b);
}

void Cholesky::solve(Eigen::Ref<Eigen::MatrixXd> b) const {
  solve_lower(b);
  lower_.transpose().triangularView<Eigen::Upper>().solveInPlace(b);
}

#endif

}  // namespace svrg
