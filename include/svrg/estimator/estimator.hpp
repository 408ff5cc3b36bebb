#pragma once
#include <memory>

#include "svrg/core/state.hpp"
#include "svrg/objective/objective.hpp"

namespace svrg {

/// Makes a gradient of the data term from a batch. Every estimate is one collective reduction.
template <class Real>
class GradientEstimator {
 public:
  virtual ~GradientEstimator() = default;
  /// g ← estimate of the mean gradient at w. Collective.
  virtual Report estimate(Objective<Real>& f, ConstVecRef<Real> w, const Batch& batch,
                          const Pass& pass, VecRef<Real> g) = 0;
  /// g ← full gradient at w (data term), kept by estimators that want a snapshot. Collective.
  virtual Report measure(Objective<Real>& f, ConstVecRef<Real> w, VecRef<Real> g) = 0;
  /// What estimates are outside of their batch's support.
  virtual Rest<Real> rest() const { return {}; }
  /// Evaluations of ∇f_i a row of a batch costs, and whether measure() is part of the method.
  virtual double evaluations_per_row() const = 0;
  virtual bool needs_snapshot() const = 0;
  /// What must survive a restart. Local.
  virtual void save(State&) const {}
  /// Goes on from what save() left. Local.
  virtual void load(const State&) {}
};

/// ∇f_B(w) − α(∇f_B(w̃) − μ) with the snapshot taken by measure().
/// Source: Johnson & Zhang (2013), "Accelerating stochastic gradient descent using predictive
/// variance reduction"; α: Yin et al. (2023), "A coefficient makes SVRG effective".
template <class Real>
class SvrgEstimator : public GradientEstimator<Real> {
 public:
  explicit SvrgEstimator(double coefficient = 1) { snapshot_.coefficient = coefficient; }
  Report estimate(Objective<Real>& f, ConstVecRef<Real> w, const Batch& batch, const Pass& pass,
                  VecRef<Real> g) override;
  Report measure(Objective<Real>& f, ConstVecRef<Real> w, VecRef<Real> g) override;
  Rest<Real> rest() const override {
    return {snapshot_.full_gradient.data(), snapshot_.coefficient};
  }
  double evaluations_per_row() const override { return 2; }
  bool needs_snapshot() const override { return true; }
  const Snapshot<Real>& snapshot() const noexcept { return snapshot_; }
  void save(State& state) const override;
  void load(const State& state) override;

 private:
  Snapshot<Real> snapshot_;
};

/// ∇f_B(w): the control.
template <class Real>
class PlainEstimator : public GradientEstimator<Real> {
 public:
  Report estimate(Objective<Real>& f, ConstVecRef<Real> w, const Batch& batch, const Pass& pass,
                  VecRef<Real> g) override;
  Report measure(Objective<Real>& f, ConstVecRef<Real> w, VecRef<Real> g) override;
  double evaluations_per_row() const override { return 1; }
  bool needs_snapshot() const override { return false; }
};

}  // namespace svrg
