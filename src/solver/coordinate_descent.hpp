#pragma once
#include "svrg/core/types.hpp"

namespace svrg {

/// argmin_u gᵀ(u − w) + ½(u − w)ᵀH(u − w) + Σ_j t_j|u_j| from u = w: sweeps of coordinate descent
/// find which coordinates are not 0, Newton steps on those alone do the rest. H is given by its
/// lower triangle and positive definite. Stops when a whole sweep gains less than `tolerance` of
/// all that was gained, or than `least`. Local; the same bits wherever it runs.
/// Source: Friedman, Hastie, Tibshirani (2010), "Regularization paths for generalized linear models
/// via coordinate descent".
Vec<double> coordinate_descent(const Eigen::MatrixXd& lower, ConstVecRef<double> g,
                               ConstVecRef<double> w, ConstVecRef<double> t, double tolerance,
                               double least);

}  // namespace svrg
