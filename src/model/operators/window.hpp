#pragma once
#include "model/operators/operator.hpp"

namespace svrg::ops {

/// Two axes of space for convolution and pooling; one axis is two with the first of extent 1.
struct Plane {
  Index height = 1, width = 1;
};

inline Plane plane(const std::vector<Index>& given, Index otherwise) {
  if (given.empty()) return {otherwise, otherwise};
  if (given.size() == 1) return {otherwise, given[0]};
  return {given[0], given[1]};
}

/// Space of a shape (rows, channels, [height,] width).
inline Plane space_of(std::span<const Index> shape) {
  return shape.size() == 3 ? Plane{1, shape[2]} : Plane{shape[2], shape[3]};
}

inline void require_space(const Shape& x, std::size_t kernel_axes) {
  if (x.size() != kernel_axes + 2 || kernel_axes < 1 || kernel_axes > 2)
    throw ConfigError("data: shape " + text(x) + " does not go with a kernel of " +
                      std::to_string(kernel_axes) + " axes (1 and 2 are supported)");
}

}  // namespace svrg::ops
