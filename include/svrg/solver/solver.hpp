#pragma once
#include <limits>
#include <string>

#include "svrg/core/requests.hpp"
#include "svrg/core/state.hpp"
#include "svrg/core/types.hpp"
#include "svrg/objective/penalty.hpp"

namespace svrg {

/// Where a solver stands; made from reduced numbers, equal on all ranks.
struct Outcome {
  Index epoch = 0;    // whole epochs or outer iterations done
  Index step = 0;     // updates of the weights done
  double passes = 0;  // evaluations of ∇f_i over rows, both points counted
  double learning_rate = 0;
  bool measured = false;    // objective and gradient norm are those of the weights returned
  bool epoch_ended = true;  // false: broken off inside an epoch by a request
  double objective = std::numeric_limits<double>::quiet_NaN();
  double grad_norm = objective;  // 2-norm of ∇F, penalty included
  double gap = objective;        // bound on F(w) − F*; NaN where there is none
  Requests requests;
  bool finished = false;  // the solver can get no further; `note` says why
  std::string note;       // for the log: what was adapted, switched, rolled back
};

/// Moves the weights towards the minimum of an objective.
template <class Real>
class Solver {
 public:
  virtual ~Solver() = default;
  /// Measures at w, or finds its place again after load(). Collective.
  virtual Outcome start(VecRef<Real> w) = 0;
  /// One epoch or outer iteration, less if a request comes in. Collective.
  /// @throws NumericError on all ranks where numbers go wrong and nothing can be halved any more;
  ///         w is then the last good point.
  virtual Outcome advance(VecRef<Real> w) = 0;
  /// Measures at w, after the end of training: what was to come is lost. Collective.
  virtual Outcome measure(VecRef<Real> w) = 0;
  /// Brings to root what save() needs of other ranks. Collective.
  virtual void collect() {}
  /// What must survive a restart, after collect(): a resumed run goes on bit for bit. On root.
  /// Local.
  virtual void save(State& state) const = 0;
  /// Takes up what save() left; start() comes after. @throws DataError
  virtual void load(const State& state) = 0;
};

/// What unpenalised intercepts are to a bound: their number (the last coordinates), their least
/// curvature h, and the smoothness L̄ of the mean of rows, c·mean σ‖x‖².
struct FreeIntercepts {
  Index count = 0;
  double curvature = 0, smoothness = 0;
};

/// F(w) − F* ≤ (√G + |g_b| √(L̄/h)/√(2λ₂))² + g_b²/2h, G = Σ_j [R_j(w_j) + v_j w_j + R_j*(−v_j)],
/// the duality gap whose dual point is the residuals at w; v is the gradient of the data term, R_j
/// the penalty. `gradient` is that of the smooth part, v + λ₂ w; without L1 G is ‖g_w‖²/(2λ₂). The
/// terms in g_b, the intercepts' gradient, are what residuals cost that do not sum to 0: shifted by
/// their curvature's share they do, which moves v by at most |g_b| √(L̄/h) (Jensen). They take the
/// curvature at w, and are exact for squared losses. NaN where a coordinate has no λ₂.
double optimality_gap(const Penalty<double>& penalty, ConstVecRef<double> w,
                      ConstVecRef<double> gradient, const FreeIntercepts& intercepts);

}  // namespace svrg
