// What operators of nets do beside their matrix products, compiled once for each instruction set
// and chosen when the program starts. Results of one instruction set are the same bits at every
// call.
#pragma once
#include "svrg/core/types.hpp"

namespace svrg::kernels {

/// Windows over the two axes of an image, all of them within it.
struct Windows {
  Index in_height, in_width, out_height, out_width;
  Index height, width, step_y, step_x;
};

/// The elements that each place of a filter meets: window [channels, height, width] times places
/// [out_height, out_width], with zeros around the image.
struct Patches {
  Windows at;
  Index channels, dilate_y, dilate_x, pad_y, pad_x;
};

/// `begins`: the sum that is added to has no value yet, and is written instead.
template <class Real>
struct NetKernels {
  /// y ← max(x, 0), NaN kept; y may be x.
  void (*relu)(const Real* x, Index n, Real* y);
  /// y ← 1/(1 + exp(−x)), and tanh x.
  void (*sigmoid)(const Real* x, Index n, Real* y);
  void (*tanh)(const Real* x, Index n, Real* y);
  /// dx += dy where y > 0.
  void (*relu_slope)(const Real* dy, const Real* y, Index n, bool begins, Real* dx);
  /// Largest value of each window, NaN where there is one. x [images, in…], y [images, out…].
  void (*max_pool)(const Windows& windows, const Real* x, Index images, Real* y);
  /// dx += dy at each window's first largest value, for windows of 2 x 2 in steps of 2.
  void (*max_pool_slope)(const Windows& windows, const Real* x, const Real* y, const Real* dy,
                         Index images, bool begins, Real* dx);
  void (*to_columns)(const Patches& patches, const Real* image, Real* columns);
  /// The other way: image += columns.
  void (*add_columns)(const Patches& patches, const Real* columns, Real* image);
  /// y ← bias in each of `rows` rows; sums += the rows of y.
  void (*repeat)(const Real* bias, Index rows, Index n, Real* y);
  void (*add_rows)(const Real* y, Index rows, Index n, bool begins, Real* sums);
  Real (*sum)(const Real* y, Index n);
  /// p ← exp(x − the row's largest) over rows of n.
  void (*exponentials)(const Real* x, Index rows, Index n, Real* p);
};
template <class Real>
const NetKernels<Real>& nets();

}  // namespace svrg::kernels
