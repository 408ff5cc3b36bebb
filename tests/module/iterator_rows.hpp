#pragma once
#include <numeric>
#include <vector>

#include "svrg/module/data_iter.hpp"

namespace svrg {

/// Row numbers of what is left of the epoch; padding is left out.
inline std::vector<Index> rows_left(DataIter& iter) {
  std::vector<Index> rows;
  for (const DataBatch& batch : iter)
    rows.insert(rows.end(), batch.rows.begin(), batch.rows.end() - batch.pad);
  return rows;
}
inline std::vector<Index> epoch(DataIter& iter) {
  iter.reset();
  return rows_left(iter);
}
inline std::vector<Index> range(Index begin, Index end) {
  std::vector<Index> rows(static_cast<std::size_t>(end - begin));
  std::iota(rows.begin(), rows.end(), begin);
  return rows;
}

}  // namespace svrg
