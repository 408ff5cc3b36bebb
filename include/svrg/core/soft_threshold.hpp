#pragma once

namespace svrg {

/// The number nearest to 0 that is no further than t from v: argmin_u ½(u − v)² + t|u|.
inline double soft_threshold(double v, double t) { return v > t ? v - t : v < -t ? v + t : 0; }

}  // namespace svrg
