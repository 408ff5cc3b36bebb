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

/// Visits all places of `shape` in order, with an offset into a second array that has a stride an
/// axis (0 where it is constant along it). f(place, offset)
template <class F>
void for_each_place(std::span<const Index> shape, std::span<const Index> strides, const F& f) {
  constexpr std::size_t most_axes = 16;
  SVRG_EXPECT(shape.size() <= most_axes, "too many axes");
  std::array<Index, most_axes> at{};
  const Index n = size_of(shape);
  const std::size_t axes = shape.size();
  Index offset = 0;
  for (Index place = 0; place < n; ++place) {
    f(place, offset);
    for (std::size_t axis = axes; axis-- > 0;) {
      offset += strides[axis];
      if (++at[axis] < shape[axis]) break;
      offset -= strides[axis] * shape[axis];
      at[axis] = 0;
    }
  }
}

}  // namespace svrg::ops
