#pragma once
#include <array>
#include <vector>

#include "model/operators/operator.hpp"

namespace svrg::ops {

/// Position of an axis that may count from the end. @throws ConfigError
inline std::size_t axis_at(Index axis, std::size_t axes) {
  const Index at = axis < 0 ? axis + static_cast<Index>(axes) : axis;
  if (at < 0 || at >= static_cast<Index>(axes))
    throw ConfigError("axis: " + std::to_string(axis) + " is out of range of " +
                      std::to_string(axes) + " axes");
  return static_cast<std::size_t>(at);
}

/// Steps from element to element along each axis of a row-major array.
inline std::vector<Index> strides_of(std::span<const Index> shape) {
  std::vector<Index> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

/// An array as (before, along, after) an axis: element (b, a, i) is at (b·along + a)·after + i.
struct AxisView {
  Index before, along, after;
  AxisView(std::span<const Index> shape, std::size_t axis)
      : before(size_of(shape.first(axis))),
        along(shape[axis]),
        after(size_of(shape.subspan(axis + 1))) {}
};

/// Visits the lines along the last axis of `shape`, in order, beside arrays that have a stride an
/// axis each (0 where they are constant along it): f(place of the line's first element, its offset
/// in each array)
template <std::size_t arrays, class F>
void for_each_line(std::span<const Index> shape,
                   const std::array<std::span<const Index>, arrays>& strides, const F& f) {
  constexpr std::size_t most_axes = 16;
  SVRG_EXPECT(!shape.empty() && shape.size() <= most_axes, "too many axes");
  std::array<Index, most_axes> at{};
  std::array<Index, arrays> offset{};
  const Index n = size_of(shape);
  for (Index place = 0; place < n; place += shape.back()) {
    f(place, offset);
    for (std::size_t axis = shape.size() - 1; axis-- > 0;) {
      for (std::size_t k = 0; k < arrays; ++k) offset[k] += strides[k][axis];
      if (++at[axis] < shape[axis]) break;
      for (std::size_t k = 0; k < arrays; ++k) offset[k] -= strides[k][axis] * shape[axis];
      at[axis] = 0;
    }
  }
}

/// Visits all places of `shape` in order, beside one such array: f(place, offset)
template <class F>
void for_each_place(std::span<const Index> shape, std::span<const Index> strides, const F& f) {
  const Index length = shape.back(), step = strides.back();
  for_each_line<1>(shape, {strides}, [&](Index place, const std::array<Index, 1>& offset) {
    const Index first = offset[0];
    if (step == 1) {
      for (Index i = 0; i < length; ++i) f(place + i, first + i);
    } else {
      for (Index i = 0; i < length; ++i) f(place + i, first + i * step);
    }
  });
}

}  // namespace svrg::ops
