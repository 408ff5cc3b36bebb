// Moving averages m of the gradient and v of its square: adam, adamax, nadam, ftml, lamb.
#include <cmath>

#include "optimizer/slotted.hpp"

namespace svrg {
namespace {

template <class Real>
class Moments : public SlottedOptimizer<Real> {
 protected:
  Moments(OptionReader& o, double rate, double beta1, double beta2, double epsilon,
          std::vector<std::string> slots = {"mean", "square"})
      : SlottedOptimizer<Real>(o, rate, std::move(slots)),
        beta1_(static_cast<Real>(o.real("beta1", beta1))),
        beta2_(static_cast<Real>(o.real("beta2", beta2))),
        epsilon_(static_cast<Real>(o.real("epsilon", epsilon))) {}
  /// 1 − β^t: what a moving average of t terms has of its weight.
  double weight(Real beta) const {
    return 1 - std::pow(static_cast<double>(beta), static_cast<double>(this->t()));
  }
  Real beta1_, beta2_, epsilon_;
};

/// Kingma and Ba (2015), the form after algorithm 1 with ε̂.
template <class Real>
class Adam : public Moments<Real> {
 public:
  explicit Adam(OptionReader& o) : Moments<Real>(o, 0.001, 0.9, 0.999, 1e-8) {
    this->may_be(SlottedOptimizer<Real>::Lazy::rows, o);
  }

 protected:
  void move(const Parameter& p, Real* w, const Real* g) override {
    const auto lr = static_cast<Real>(this->lr() * std::sqrt(this->weight(this->beta2_)) /
                                      this->weight(this->beta1_));
    const auto seen = this->seen();
    const Real beta1 = this->beta1_, beta2 = this->beta2_, epsilon = this->epsilon_;
    Real *m = this->slot(0), *v = this->slot(1);
    for (Index i = 0; i < p.size; ++i) {
      const Real grad = seen.decayed(g[i], w[i]);
      m[i] = beta1 * m[i] + (1 - beta1) * grad;
      v[i] = beta2 * v[i] + (1 - beta2) * grad * grad;
      w[i] -= lr * m[i] / (std::sqrt(v[i]) + epsilon);
    }
  }
};

/// Kingma and Ba (2015), algorithm 2. A weight whose gradient was always 0 stays.
template <class Real>
class Adamax : public Moments<Real> {
 public:
  explicit Adamax(OptionReader& o) : Moments<Real>(o, 0.002, 0.9, 0.999, 0) {}

 protected:
  void move(const Parameter& p, Real* w, const Real* g) override {
    const auto lr = static_cast<Real>(this->lr() / this->weight(this->beta1_));
    Real *m = this->slot(0), *u = this->slot(1);
    for (Index i = 0; i < p.size; ++i) {
      const Real grad = this->decayed(g[i], w[i]);
      m[i] = this->beta1_ * m[i] + (1 - this->beta1_) * grad;
      u[i] = std::max(this->beta2_ * u[i], std::abs(grad));
      if (u[i] > 0) w[i] -= lr * m[i] / u[i];
    }
  }
};

/// Dozat (2016). The product S of the momentum schedule is one a step, whatever the number of
/// parameters.
template <class Real>
class Nadam : public Moments<Real> {
 public:
  explicit Nadam(OptionReader& o)
      : Moments<Real>(o, 0.001, 0.9, 0.999, 1e-8), decay_(o.real("schedule_decay", 0.004)) {}
  void save(State& state) const override {
    Moments<Real>::save(state);
    state.values["optimizer/schedule"] = schedule_;
  }
  void load(const State& state) override {
    Moments<Real>::load(state);
    schedule_ = state.real("optimizer/schedule");
  }

 protected:
  void move(const Parameter& p, Real* w, const Real* g) override {
    const double now = momentum_at(this->t()), next = momentum_at(this->t() + 1);
    const double product = schedule_ * now, product_next = product * next;
    const auto of_gradient = static_cast<Real>((1 - now) / (1 - product));
    const auto of_mean = static_cast<Real>(next / (1 - product_next));
    const auto lr = static_cast<Real>(this->lr());
    const auto of_square = static_cast<Real>(1 / this->weight(this->beta2_));
    Real *m = this->slot(0), *v = this->slot(1);
    for (Index i = 0; i < p.size; ++i) {
      const Real grad = this->decayed(g[i], w[i]);
      m[i] = this->beta1_ * m[i] + (1 - this->beta1_) * grad;
      v[i] = this->beta2_ * v[i] + (1 - this->beta2_) * grad * grad;
      w[i] -= lr * (of_gradient * grad + of_mean * m[i]) /
              (std::sqrt(v[i] * of_square) + this->epsilon_);
    }
  }
  void end_step() override { schedule_ *= momentum_at(this->t()); }

 private:
  double momentum_at(Index t) const {
    return static_cast<double>(this->beta1_) *
           (1 - 0.5 * std::pow(0.96, static_cast<double>(t) * decay_));
  }
  double decay_, schedule_ = 1;
};

/// Zheng and Kwok (2017), "Follow the moving leader in deep learning".
template <class Real>
class Ftml : public Moments<Real> {
 public:
  explicit Ftml(OptionReader& o)
      : Moments<Real>(o, 0.0025, 0.6, 0.999, 1e-8, {"d", "square", "z"}) {}

 protected:
  void move(const Parameter& p, Real* w, const Real* g) override {
    if (this->lr() == 0) return;  // d, the inverse of the rate, would be infinite
    const auto front = static_cast<Real>(this->weight(this->beta1_) / this->lr());
    const auto of_square = static_cast<Real>(1 / this->weight(this->beta2_));
    Real *d = this->slot(0), *v = this->slot(1), *z = this->slot(2);
    for (Index i = 0; i < p.size; ++i) {
      const Real grad = this->decayed(g[i], w[i]);
      v[i] = this->beta2_ * v[i] + (1 - this->beta2_) * grad * grad;
      const Real d_next = front * (std::sqrt(v[i] * of_square) + this->epsilon_);
      z[i] =
          this->beta1_ * z[i] + (1 - this->beta1_) * grad - (d_next - this->beta1_ * d[i]) * w[i];
      d[i] = d_next;
      w[i] = -z[i] / d[i];
    }
  }
};

/// You et al. (2020): Adam's step, decay added, rescaled to the norm of its layer's weights.
template <class Real>
class Lamb : public Moments<Real> {
 public:
  explicit Lamb(OptionReader& o)
      : Moments<Real>(o, 0.001, 0.9, 0.999, 1e-6, {"mean", "square", "step"}),
        lower_(o.real("lower_bound", 0)),
        upper_(o.real("upper_bound", 0)),
        corrects_(o.flag("bias_correction", true)) {}

 protected:
  void move(const Parameter& p, Real* w, const Real* g) override {
    const auto of_mean = static_cast<Real>(corrects_ ? 1 / this->weight(this->beta1_) : 1);
    const auto of_square = static_cast<Real>(corrects_ ? 1 / this->weight(this->beta2_) : 1);
    Real *m = this->slot(0), *v = this->slot(1), *u = this->slot(2);
    double of_w = 0, of_u = 0;
    for (Index i = 0; i < p.size; ++i) {
      const Real grad = this->plain(g[i]);
      m[i] = this->beta1_ * m[i] + (1 - this->beta1_) * grad;
      v[i] = this->beta2_ * v[i] + (1 - this->beta2_) * grad * grad;
      u[i] = m[i] * of_mean / (std::sqrt(v[i] * of_square) + this->epsilon_) + this->wd() * w[i];
      of_w += static_cast<double>(w[i]) * static_cast<double>(w[i]);
      of_u += static_cast<double>(u[i]) * static_cast<double>(u[i]);
    }
    of_w = std::sqrt(of_w);
    of_u = std::sqrt(of_u);
    double bounded = of_w;
    if (lower_ > 0) bounded = std::max(bounded, lower_);
    if (upper_ > 0) bounded = std::min(bounded, upper_);
    const double ratio = bounded > 0 && of_u > 0 ? bounded / of_u : 1;
    const auto rate = static_cast<Real>(this->lr() * ratio);
    for (Index i = 0; i < p.size; ++i) w[i] -= rate * u[i];
  }

 private:
  double lower_, upper_;
  bool corrects_;
};

}  // namespace

SVRG_DEFINE_OPTIMIZER(Adam)
SVRG_DEFINE_OPTIMIZER(Adamax)
SVRG_DEFINE_OPTIMIZER(Nadam)
SVRG_DEFINE_OPTIMIZER(Ftml)
SVRG_DEFINE_OPTIMIZER(Lamb)

}  // namespace svrg
