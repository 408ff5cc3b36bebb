#pragma once
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "svrg/core/cholesky.hpp"
#include "svrg/core/random.hpp"
#include "svrg/model/model.hpp"

namespace svrg {

/// φ(z, y) of a row's margins and label.
enum class Loss {
  squared,        // ½(z − y)²
  logistic,       // log(1 + exp(−yz)), y ∈ {−1, +1}
  softmax,        // log Σ_k exp(z_k) − z_y, y ∈ {0, …, K−1}
  squared_hinge,  // max(0, 1 − yz)², y ∈ {−1, +1}
  huber,          // ½(z − y)² where |z − y| ≤ δ, else δ(|z − y| − ½δ)
};
/// Labels are values, not classes.
constexpr bool takes_numbers(Loss loss) { return loss == Loss::squared || loss == Loss::huber; }
/// Labels are -1 and +1.
constexpr bool takes_two_classes(Loss loss) {
  return loss == Loss::logistic || loss == Loss::squared_hinge;
}
/// "linear", "logistic", "softmax", "svm-sq", "huber": as on the command line and in model files.
std::string_view loss_name(Loss loss);
/// The way back. @throws ConfigError for another name
Loss loss_from_name(std::string_view name);

/// The rows a chain of variance-reduced steps runs on, and what is known of them at the snapshot.
struct ChainRows {
  const Batch* batch = nullptr;
  Index first = 0, count = 0;         // rows of the views
  const double* margins = nullptr;    // z at the snapshot, of all rows of the views, K a row
  const double* residuals = nullptr;  // φ'(z), unweighted, likewise
  double mean_weight = 1;
};

/// How a chain steps: u ← u − η(∇f_i(u) − ∇f_i(w̃) + ∇F(w̃) + λ(u − w̃)) on penalised coordinates.
struct ChainStep {
  double eta = 0, l2 = 0;
  Index block = 64;  // rows are visited in blocks in random order, in order inside a block
  Index run = 1;     // neighbouring blocks that the order keeps together
  Index group = 1;   // rows of a block whose steps are taken at once from the same u, up to 4
  CounterRandom order{0, 0};
};

/// Sums of the objective's data term along w + Σ α_a p_a: for the subspace search.
struct LineSums {
  double value = 0;
  Vec<double> gradient;     // [k]
  Eigen::MatrixXd hessian;  // [k, k]
};

/// A generalised linear model f_i(w) = φ(y_i, W x_i + b), K margins a row (K = 1 but for softmax).
/// Weights are stored feature-major, w[j·K + k], then the K intercepts: a sparse row touches one
/// contiguous stretch a non-zero. Dense and CSR rows, float or double; arithmetic in double.
/// Functions on margins take the rows of `part` from the views themselves (pick is not used) and
/// index z, r and q by row of the views.
class LinearModel : public Model<double> {
 public:
  /// `classes` is K for softmax, ignored otherwise. A penalised intercept is the weight of a
  /// feature that is always 1. `huber_delta` is δ, beyond which errors count linearly.
  LinearModel(Loss loss, Index features, Index classes, bool intercept,
              bool penalise_intercept = false, double huber_delta = 1);

  Loss loss() const noexcept { return loss_; }
  Index features() const noexcept { return features_; }
  Index margins_per_row() const noexcept { return margins_; }
  bool intercept() const noexcept { return intercept_; }
  /// Coordinates without a penalty, the last ones: K or none.
  Index free_intercepts() const noexcept { return intercept_ && !penalised_ ? margins_ : 0; }
  Index scores_per_row() const override { return margins_; }
  const ParameterLayout& layout() const override { return layout_; }

  double add_gradient(ConstVecRef<double> w, const Batch&, const Part&, const Pass&,
                      VecRef<double> g) override;
  /// One sweep over the rows for both evaluations.
  double add_difference(ConstVecRef<double> w, ConstVecRef<double> w_snap, double c, const Batch&,
                        const Part&, const Pass&, VecRef<double> g) override;
  void predict(ConstVecRef<double> w, const Batch&, const Part&, std::span<double> scores) override;

  /// z ← X w, r ← φ'(z), g += Σ σ_i r_i x_i in one sweep; returns Σ σ_i φ. A function of w alone:
  /// the same bits whenever it is called with the same w.
  double sweep(ConstVecRef<double> w, const Batch&, const Part&, double* z, double* r,
               VecRef<double> g) const;
  /// r ← φ'(z).
  void residuals(const Batch&, const Part&, const double* z, double* r) const;
  /// z ← X w.
  void margins(ConstVecRef<double> w, const Batch&, const Part&, double* z) const;
  /// q ← X p, rounded to float: the margins of a direction.
  void direction_margins(ConstVecRef<double> p, const Batch&, const Part&, float* q) const;
  /// Adds value, gradient and Hessian of α ↦ Σ σ_i φ(z_i + Σ_a α_a q_a,i) to sums.
  void add_line_sums(const Batch&, const Part&, const double* z, std::span<const float* const> q,
                     std::span<const double> alpha, LineSums& sums) const;
  /// Adds Σ σ_i x_i φ''(z_i) (x_i·p) to g: a product of the Hessian with the direction p.
  void add_hessian_product(ConstVecRef<double> p, const Batch&, const Part&, const double* z,
                           VecRef<double> g) const;
  /// Adds Σ σ_i φ''(z_i) x_i x_iᵀ (its lower triangle) to h, [P, P], over rows [first,
  /// first+count).
  void add_curvature(const Batch&, Index first, Index count, const double* z,
                     Eigen::MatrixXd& h) const;
  /// The same for some coordinates: number s of them goes to row and column s of h; `slot` has the
  /// number of each coordinate, −1 for the others. Numbers ascend with the coordinates.
  void add_curvature(const Batch&, Index first, Index count, const double* z,
                     std::span<const std::int32_t> slot, Eigen::MatrixXd& h) const;
  /// Adds Σ σ_i h_i x_i x_iᵀ (its lower triangle), h_i the mean of φ''_kk over classes, to h over
  /// features and, last, the intercept, [d + 1, d + 1] or [d, d].
  void add_feature_curvature(const Batch&, Index first, Index count, const double* z,
                             Eigen::MatrixXd& h) const;
  /// Adds c Σ σ_i x_ij² to the coordinates of column j: a bound of the Hessian's diagonal.
  void add_curvature_bounds(const Batch&, const Part&, VecRef<double> h) const;
  /// Σ σ_i φ*(s·r_i), φ* the convex conjugate of the loss, r = φ'(z), 0 ≤ s ≤ 1.
  double conjugate_sum(const Batch&, const Part&, const double* r, double s) const;
  /// Adds Σ σ_i φ''_kk(z_i) to h, [K].
  void add_diagonal_curvature(const Batch&, const Part&, const double* z,
                              std::span<double> h) const;
  /// The largest Σ_k φ''_kk(z_i) ‖L⁻¹ x_i e_k‖² σ_i: how smooth rows are in the metric L Lᵀ (a
  /// bound).
  double largest_row_curvature(const Batch&, const Part&, const double* z,
                               const Cholesky& metric) const;
  /// Adds Σ ω_i (φ'(z_i + x_i·u) − r_i) x_i, ω = σ/mean weight, over rows [first, first+count).
  void add_displaced(const ChainRows&, Index first, Index count, ConstVecRef<double> u,
                     VecRef<double> g) const;
  /// Runs one chain over all its rows from the snapshot; u ← its displacement. `gradient` is ∇F(w̃).
  void run_chain(const ChainRows&, const ChainStep&, ConstVecRef<double> gradient,
                 VecRef<double> u) const;

  /// The same under soft thresholds, [P], η times which end every step; `start` is w̃, and exact
  /// zeros of w̃ + u are −w̃ in u.
  void run_proximal_chain(const ChainRows&, const ChainStep&, ConstVecRef<double> start,
                          ConstVecRef<double> gradient, ConstVecRef<double> threshold,
                          VecRef<double> u) const;

  /// Largest and summed row smoothness c‖x_i‖²σ_i, c = 1, ¼, ½, 2, 1 (intercept counted as a
  /// feature).
  struct Smoothness {
    double largest = 0, sum = 0;
  };
  /// Over the rows of a part. Local.
  Smoothness smoothness(const Batch&, const Part&) const;
  /// c: the bound of φ''.
  double curvature_bound() const;

 private:
  template <class T>
  void add_dense_curvature(const DenseRows<T>& x, const Batch&, Index first, Index count,
                           const double* z, Eigen::MatrixXd& h) const;
  template <class T>
  void add_sparse_curvature(const CsrRows<T>& x, const Batch&, Index first, Index count,
                            const double* z, Eigen::MatrixXd& h) const;
  /// h ← σ_i φ''(z_i) of the rows from `first` on, one margin a row. [count]
  void curvatures_of(const Batch&, Index first, Index count, const double* z, double* h) const;

  Loss loss_;
  double delta_;
  Index features_, margins_;
  bool intercept_, penalised_;
  ParameterLayout layout_;
};

}  // namespace svrg
