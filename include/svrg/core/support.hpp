#pragma once
#include <span>
#include <vector>

#include "svrg/core/parameters.hpp"

namespace svrg {

/// A stretch of a flat vector.
struct Stretch {
  Index begin = 0, size = 0;
};

/// Where a gradient over a layout has values of its own: dense segments as a whole, and of
/// row_sparse ones some rows. Zeroing, summing and stepping cost as much as it is long.
class Support {
 public:
  /// Everywhere.
  explicit Support(const ParameterLayout& layout);
  /// Dense segments, and `rows` of the others, numbered from Parameter::first_row on; ascending.
  Support(const ParameterLayout& layout, std::vector<Index> rows);

  bool whole() const noexcept { return whole_; }
  /// Ascending, with something between any two.
  std::span<const Stretch> stretches() const noexcept { return stretches_; }
  /// Values in them.
  Index size() const noexcept { return size_; }
  /// Those of one row_sparse segment, numbered from its first_row on; none where whole().
  std::span<const Index> rows_of(const Parameter& segment) const;

 private:
  void append(Index begin, Index size);
  bool whole_;
  Index size_ = 0;
  std::vector<Index> rows_;
  std::vector<Stretch> stretches_;
};

/// Ascending, each once. Local.
void sort_rows(std::vector<Index>& rows);

/// Copies a vector's stretches to `packed`, one after the other, and back.
template <class Real>
void pack(const Support& support, const Real* from, Real* packed);
/// The other way.
template <class Real>
void unpack(const Support& support, const Real* packed, Real* to);

}  // namespace svrg
