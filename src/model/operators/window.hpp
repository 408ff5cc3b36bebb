#pragma once
#include "model/operators/operator.hpp"

namespace svrg::ops {

/// Two axes of space for convolution and pooling; one axis is two with the first of extent 1.
struct Plane {
  Index height = 1, width = 1;
};

/// An attribute of as many numbers as the kernel has axes, none below `least`.
inline Plane plane(OptionReader& o, const char* name, std::size_t axes, Index otherwise,
                   Index least) {
  const auto given = o.tuple(name, {});
  if (given.empty()) return {otherwise, otherwise};
  if (axes > 0 && given.size() != axes) o.fail(name, "must have as many numbers as kernel");
  for (const Index n : given)
    if (n < least) o.fail(name, "must not be below " + std::to_string(least));
  return given.size() == 1 ? Plane{otherwise, given[0]} : Plane{given[0], given[1]};
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
