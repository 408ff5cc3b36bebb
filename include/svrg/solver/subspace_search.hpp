#pragma once
#include <span>
#include <vector>

#include "svrg/objective/margin_objective.hpp"

namespace svrg {

/// A direction and its margins on this rank's rows.
struct Direction {
  Vec<double> step;
  DirectionMargins margins;
};

/// The coefficients of the directions, and what they promise.
struct SearchResult {
  Vec<double> alpha;
  double predicted = 0;  // decrease of F by the quadratic models that were followed
};

/// Minimises α ↦ F(w + Σ α_a p_a) by damped Newton steps on all margins known: no pass over the
/// data. `f`, `g` are F and ∇F at w. Unless `verify`, a step whose predicted decrease is small is
/// taken unchecked, as the sweep that follows measures F anyway. Collective: k² + k + 1 values a
/// step.
SearchResult subspace_search(MarginObjective& objective, double f, ConstVecRef<double> w,
                             ConstVecRef<double> g, std::span<const Direction* const> directions,
                             bool verify);

}  // namespace svrg
