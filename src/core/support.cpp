#include "svrg/core/support.hpp"

#include <algorithm>

#include "svrg/core/error.hpp"

namespace svrg {

Support::Support(const ParameterLayout& layout) : whole_(true) { append(0, layout.size()); }

Support::Support(const ParameterLayout& layout, std::vector<Index> rows)
    : whole_(layout.sparse_rows() == 0), rows_(std::move(rows)) {
  for (const Parameter& p : layout.all()) {
    if (!p.row_sparse) {
      append(p.offset, p.size);
      continue;
    }
    const Index columns = p.size / std::max<Index>(p.shape[0], 1);
    for (const Index row : rows_of(p)) append(p.offset + (row - p.first_row) * columns, columns);
  }
}

std::span<const Index> Support::rows_of(const Parameter& segment) const {
  SVRG_EXPECT(segment.row_sparse, "rows are listed of row_sparse segments");
  const auto begin = std::lower_bound(rows_.begin(), rows_.end(), segment.first_row);
  return {begin, std::lower_bound(begin, rows_.end(), segment.first_row + segment.shape[0])};
}

void Support::append(Index begin, Index size) {
  if (size == 0) return;
  size_ += size;
  if (!stretches_.empty() && stretches_.back().begin + stretches_.back().size == begin)
    stretches_.back().size += size;
  else
    stretches_.push_back({begin, size});
}

void sort_rows(std::vector<Index>& rows) {
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
}

template <class Real>
void pack(const Support& support, const Real* from, Real* packed) {
  for (const Stretch& s : support.stretches()) packed = std::copy_n(from + s.begin, s.size, packed);
}

template <class Real>
void unpack(const Support& support, const Real* packed, Real* to) {
  for (const Stretch& s : support.stretches()) {
    std::copy_n(packed, s.size, to + s.begin);
    packed += s.size;
  }
}

template void pack(const Support&, const float*, float*);
template void pack(const Support&, const double*, double*);
template void unpack(const Support&, const float*, float*);
template void unpack(const Support&, const double*, double*);

}  // namespace svrg
