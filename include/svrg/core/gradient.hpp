#pragma once
#include <span>

#include "svrg/core/support.hpp"

namespace svrg {

/// What a gradient is in the rows of row_sparse segments that a step does not touch:
/// factor·along + decay·wd_mult·w, where SVRG's full gradient and a penalty leave something there.
template <class Real>
struct Rest {
  const Real* along = nullptr;  // [P]; null: 0. The same until everything has been settled.
  double factor = 0, decay = 0;
};

/// A gradient over a ParameterLayout: `values` [P] in the support, `rest` elsewhere. What `values`
/// holds there means nothing.
template <class Real>
struct Gradient {
  std::span<const Real> values;
  const Support* support = nullptr;  // null: everywhere
  Rest<Real> rest = {};

  bool whole() const { return !support || support->whole(); }
};

}  // namespace svrg
