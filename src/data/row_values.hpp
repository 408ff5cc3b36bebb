#pragma once
#include "svrg/data/batch.hpp"

namespace svrg {

/// each(column, value) for what is stored of row i, of dense rows all.
template <class T, class Each>
void each_value(const DenseRows<T>& x, Index i, Each&& each) {
  for (Index j = 0; j < x.columns; ++j) each(j, x.data[i * x.stride + j]);
}
template <class T, class Each>
void each_value(const CsrRows<T>& x, Index i, Each&& each) {
  for (Index e = x.starts[i]; e < x.starts[i + 1]; ++e)
    each(static_cast<Index>(x.indices[e]), x.values[e]);
}

}  // namespace svrg
