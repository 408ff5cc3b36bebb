// OpenBLAS chooses kernels by the machine's instruction set, which Eigen in a portable build does
// not: several times as fast from a few hundred rows on.
#include "svrg/core/cholesky.hpp"

#include <mutex>
#include <utility>

#include "svrg/core/error.hpp"

#include <Eigen/Cholesky>
#ifdef SVRG_OPENBLAS
#include <cblas.h>
extern "C" void dpotrf_(const char* triangle, const blasint* n, double* a, const blasint* stride,
                        blasint* info, std::size_t triangle_length);
#endif

namespace svrg {
namespace {

#ifdef SVRG_OPENBLAS
/// OpenBLAS without threads of its own takes one call at a time.
class Exclusive {
 public:
  Exclusive() : lock_(mutex_) { openblas_set_num_threads(1); }

 private:
  static inline std::mutex mutex_;
  std::lock_guard<std::mutex> lock_;
};
#endif

/// b ← L⁻¹ b, or L⁻ᵀ b. One column waits for memory, whatever the instructions.
void solve_triangle(const Eigen::MatrixXd& lower, bool transpose, Eigen::Ref<Eigen::MatrixXd>& b) {
#ifdef SVRG_OPENBLAS
  const auto n = static_cast<blasint>(lower.rows());
  if (b.cols() > 1) {
    const Exclusive turn;
    return cblas_dtrsm(CblasColMajor, CblasLeft, CblasLower, transpose ? CblasTrans : CblasNoTrans,
                       CblasNonUnit, n, static_cast<blasint>(b.cols()), 1, lower.data(), n,
                       b.data(), static_cast<blasint>(b.outerStride()));
  }
#endif
  if (transpose)
    lower.transpose().triangularView<Eigen::Upper>().solveInPlace(b);
  else
    lower.triangularView<Eigen::Lower>().solveInPlace(b);
}

}  // namespace

bool Cholesky::compute(Eigen::MatrixXd a) {
  SVRG_EXPECT(a.rows() == a.cols(), "a matrix to be factored is square");
  lower_ = std::move(a);
#ifdef SVRG_OPENBLAS
  const Exclusive turn;
  const auto n = static_cast<blasint>(lower_.rows());
  blasint info = 0;
  if (n > 0) dpotrf_("L", &n, lower_.data(), &n, &info, 1);
  const bool factored = info == 0;
#else
  const Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>> in_place(lower_);
  const bool factored = in_place.info() == Eigen::Success;
#endif
  return factored && lower_.diagonal().allFinite();  // a NaN passes comparisons
}

void Cholesky::solve_lower(Eigen::Ref<Eigen::MatrixXd> b) const {
  SVRG_EXPECT(b.rows() == size(), "as many rows as the factor has");
  if (b.size() > 0) solve_triangle(lower_, false, b);
}

void Cholesky::solve(Eigen::Ref<Eigen::MatrixXd> b) const {
  solve_lower(b);
  if (b.size() > 0) solve_triangle(lower_, true, b);
}

}  // namespace svrg
