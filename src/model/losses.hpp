// The losses, one struct each: what a row contributes as a function of its K margins, and the
// convex conjugate φ*(t) = sup_z t·z − φ(z) on its domain. A new loss of a linear model is one more
// struct here and one more line in with_loss(), and its twin on vectors in kernels/losses-inl.hpp.
#pragma once
#include <algorithm>
#include <cmath>

#include "svrg/model/linear_model.hpp"

namespace svrg::losses {

/// t log t, 0 at 0; rounding may have made t a little negative.
inline double entropy(double t) { return t > 0 ? t * std::log(t) : 0; }

/// ½(z − y)²
struct Squared {
  static constexpr Index fixed_margins = 1;
  static constexpr double bound = 1;
  static double residual(const double* z, double y, Index, double* r) {
    r[0] = z[0] - y;
    return 0.5 * r[0] * r[0];
  }
  static void residual_only(const double* z, double y, Index, double* r) { r[0] = z[0] - y; }
  static void curvature(const double*, double, Index, double* h) { h[0] = 1; }
  static double conjugate(const double* t, double y, Index) { return t[0] * (0.5 * t[0] + y); }
};

/// log(1 + exp(−yz)); exp of a negative number only, so nothing overflows.
struct Logistic {
  static constexpr Index fixed_margins = 1;
  static constexpr double bound = 0.25;
  static double residual(const double* z, double y, Index, double* r) {
    const double m = y * z[0], e = std::exp(-std::fabs(m));
    r[0] = -y * (m > 0 ? e : 1.0) / (1 + e);
    return std::max(0.0, -m) + std::log1p(e);
  }
  static void residual_only(const double* z, double y, Index, double* r) {
    const double m = y * z[0], e = std::exp(-std::fabs(m));
    r[0] = -y * (m > 0 ? e : 1.0) / (1 + e);
  }
  static void curvature(const double* z, double, Index, double* h) {
    const double e = std::exp(-std::fabs(z[0]));
    h[0] = e / ((1 + e) * (1 + e));
  }
  static double conjugate(const double* t, double y, Index) {
    return entropy(-y * t[0]) + entropy(1 + y * t[0]);
  }
};

/// max(0, 1 − yz)²; φ'' from the side that costs.
struct SquaredHinge {
  static constexpr Index fixed_margins = 1;
  static constexpr double bound = 2;
  static double residual(const double* z, double y, Index, double* r) {
    const double short_by = std::max(0.0, 1 - y * z[0]);
    r[0] = -2 * y * short_by;
    return short_by * short_by;
  }
  static void residual_only(const double* z, double y, Index, double* r) {
    r[0] = -2 * y * std::max(0.0, 1 - y * z[0]);
  }
  static void curvature(const double* z, double y, Index, double* h) {
    h[0] = y * z[0] < 1 ? 2 : 0;
  }
  static double conjugate(const double* t, double y, Index) { return t[0] * (0.25 * t[0] + y); }
};

/// ½(z − y)² up to |z − y| = δ, then linear: δ(|z − y| − ½δ). Beyond δ φ'' is 0, and where every
/// row is an outlier (weights 0, labels far from 0) there would be nothing to step by. `curvature`
/// gives such rows 1/50 of that of the quadratic that touches φ from above (iterated reweighting):
/// the whole of it takes 65 passes on casp instead of 18, nothing never moves on housing_scale.
struct Huber {
  static constexpr Index fixed_margins = 1;
  static constexpr double bound = 1;
  double delta = 1;
  double residual(const double* z, double y, Index, double* r) const {
    const double e = z[0] - y;
    r[0] = std::clamp(e, -delta, delta);
    return r[0] * (e - 0.5 * r[0]);
  }
  void residual_only(const double* z, double y, Index, double* r) const {
    r[0] = std::clamp(z[0] - y, -delta, delta);
  }
  void curvature(const double* z, double y, Index, double* h) const {
    const double e = std::fabs(z[0] - y);
    h[0] = e <= delta ? 1 : 0.02 * delta / e;
  }
  static double conjugate(const double* t, double y, Index) { return t[0] * (0.5 * t[0] + y); }
};

/// log Σ exp(z_k) − z_y; φ'' = diag(p) − p pᵀ, of which `curvature` gives p.
struct Softmax {
  static constexpr Index fixed_margins = 0;
  static constexpr double bound = 0.5;
  static double probabilities(const double* z, Index K, double* p) {
    double top = z[0];
    for (Index k = 1; k < K; ++k) top = std::max(top, z[k]);
    double sum = 0;
    for (Index k = 0; k < K; ++k) sum += p[k] = std::exp(z[k] - top);
    const double scale = 1 / sum;
    for (Index k = 0; k < K; ++k) p[k] *= scale;
    return top + std::log(sum);
  }
  static double residual(const double* z, double y, Index K, double* r) {
    const auto label = static_cast<Index>(y);
    const double value = probabilities(z, K, r) - z[label];
    r[label] -= 1;
    return value;
  }
  static void residual_only(const double* z, double y, Index K, double* r) { residual(z, y, K, r); }
  static void curvature(const double* z, double, Index K, double* p) { probabilities(z, K, p); }
  static double conjugate(const double* t, double y, Index K) {
    double sum = 0;
    for (Index k = 0; k < K; ++k) sum += entropy(t[k] + (static_cast<double>(k) == y ? 1 : 0));
    return sum;
  }
};

/// Calls f with an instance of a loss's struct. δ is Huber's.
template <class F>
auto with_loss(Loss loss, double delta, F&& f) {
  switch (loss) {
    case Loss::squared:
      return f(Squared{});
    case Loss::logistic:
      return f(Logistic{});
    case Loss::squared_hinge:
      return f(SquaredHinge{});
    case Loss::huber:
      return f(Huber{delta});
    case Loss::softmax:
      break;
  }
  return f(Softmax{});
}

}  // namespace svrg::losses
