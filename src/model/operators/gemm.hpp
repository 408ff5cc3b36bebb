#pragma once
#include "svrg/core/types.hpp"

namespace svrg::ops {

enum class Transpose : bool { no, yes };

/// C ← αAB + βC on row-major matrices, A and B transposed first where asked: C is [m, n], op(A)
/// [m, k], op(B) [k, n]; ld* are the lengths of stored rows.
template <class Real>
void gemm(Transpose a_as, Transpose b_as, Index m, Index n, Index k, Real alpha, const Real* a,
          Index lda, const Real* b, Index ldb, Real beta, Real* c, Index ldc);

}  // namespace svrg::ops
