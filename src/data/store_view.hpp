#pragma once
#include "svrg/data/shard.hpp"

namespace svrg {

template <class T>
Rows view_of(const DenseStore<T>& store, Index rows, Index columns) {
  return DenseRows<T>{store.data.data(), rows, columns, columns};
}
template <class T>
Rows view_of(const CsrStore<T>& store, Index rows, Index columns) {
  return CsrRows<T>{store.values.data(), store.indices.data(), store.starts.data(), rows, columns};
}

}  // namespace svrg
