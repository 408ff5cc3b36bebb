#pragma once
#include <vector>

#include "svrg/core/parameters.hpp"
#include "svrg/data/batch.hpp"

namespace svrg {

/// What an evaluation belongs to; shared by the evaluations at w and at the snapshot, so that a
/// sample sees the same random draws in both.
struct Pass {
  bool training = true;
  std::uint64_t draw = 0;  // key of random layers: one per step
};

/// A function of weights and rows: f_i(w). Local: knows nothing of ranks, holds no weights.
/// Sums, not means: the objective divides once.
template <class Real>
class Model {
 public:
  virtual ~Model() = default;
  virtual const ParameterLayout& layout() const = 0;
  /// Adds Σ σ_i ∇f_i(w) to g, returns Σ σ_i f_i(w); i over one part of the batch.
  virtual double add_gradient(ConstVecRef<Real> w, const Batch& batch, const Part& part,
                              const Pass& pass, VecRef<Real> g) = 0;
  /// Adds Σ σ_i (∇f_i(w) − c ∇f_i(w_snap)) to g, returns Σ σ_i f_i(w). The base class evaluates
  /// twice: the plain twin of a fused override.
  virtual double add_difference(ConstVecRef<Real> w, ConstVecRef<Real> w_snap, double c,
                                const Batch& batch, const Part& part, const Pass& pass,
                                VecRef<Real> g);
  /// Adds the numbers (from Parameter::first_row on, in any order) of the rows of row_sparse
  /// segments that one part of the batch reads, and outside of which its gradient is 0.
  virtual void list_rows(const Batch&, const Part&, std::vector<Index>&) {}
  /// Scores of one part's rows, [count, scores_per_row()], row-major.
  virtual void predict(ConstVecRef<Real> w, const Batch& batch, const Part& part,
                       std::span<double> scores) = 0;
  virtual Index scores_per_row() const = 0;
};

}  // namespace svrg
