// Rates of their own for every weight, from the history of its gradient: adagrad, groupadagrad,
// rmsprop, adadelta, ftrl.
#include <cmath>

#include "optimizer/slotted.hpp"

namespace svrg {
namespace {

/// Duchi, Hazan, Singer (2011): h ← h + ĝ²; w ← w − lr(ĝ/√(h + ε) + wd·w).
template <class Real>
class AdaGrad : public SlottedOptimizer<Real> {
 public:
  explicit AdaGrad(OptionReader& o)
      : SlottedOptimizer<Real>(o, 0.01, {"history"}), eps_(static_cast<Real>(o.real("eps", 1e-7))) {
    this->may_be(SlottedOptimizer<Real>::Lazy::rows, o);
  }

 protected:
  void move(const Parameter& p, Real* w, const Real* g) override {
    const auto lr = static_cast<Real>(this->lr());
    Real* h = this->slot(0);
    for (Index i = 0; i < p.size; ++i) {
      const Real grad = this->plain(g[i]);
      h[i] += grad * grad;
      w[i] -= lr * (grad / std::sqrt(h[i] + eps_) + this->wd() * w[i]);
    }
  }

 private:
  Real eps_;
};

/// One history a row, of the mean square of its gradient; kept in the row's first place.
template <class Real>
class GroupAdaGrad : public SlottedOptimizer<Real> {
 public:
  explicit GroupAdaGrad(OptionReader& o)
      : SlottedOptimizer<Real>(o, 0.01, {"history"}), eps_(static_cast<Real>(o.real("eps", 1e-5))) {
    if (o.real("wd", 0) != 0) o.fail("wd", "is not supported by groupadagrad");
    this->may_be(SlottedOptimizer<Real>::Lazy::rows, o);
  }

 protected:
  void move(const Parameter& p, Real* w, const Real* g) override {
    const auto lr = static_cast<Real>(this->lr());
    if (p.size == 0) return;
    const Index rows = p.shape.empty() ? 1 : p.shape[0], columns = p.size / rows;
    const Index to_next = p.column_major ? rows : 1;  // value of the same row
    for (Index r = 0; r < rows; ++r) {
      const Index begin = p.column_major ? r : r * columns, end = begin + columns * to_next;
      Real& h = this->slot(0)[begin];
      Real sum = 0;
      for (Index i = begin; i < end; i += to_next) sum += this->plain(g[i]) * this->plain(g[i]);
      h += sum / static_cast<Real>(columns);
      const Real rate = lr / std::sqrt(h + eps_);
      for (Index i = begin; i < end; i += to_next) w[i] -= rate * this->plain(g[i]);
    }
  }

 private:
  Real eps_;
};

/// Tieleman and Hinton (2012); centred: Graves (2013), equations 38 to 45.
template <class Real>
class RmsProp : public SlottedOptimizer<Real> {
 public:
  explicit RmsProp(OptionReader& o)
      : SlottedOptimizer<Real>(o, 0.001, {"square", "mean", "delta"}),
        gamma1_(static_cast<Real>(o.real("gamma1", 0.9))),
        gamma2_(static_cast<Real>(o.real("gamma2", 0.9))),
        epsilon_(static_cast<Real>(o.real("epsilon", 1e-8))),
        bound_(static_cast<Real>(o.real("clip_weights", 0))),
        centered_(o.flag("centered", false)) {}

 protected:
  void move(const Parameter& p, Real* w, const Real* g) override {
    const auto lr = static_cast<Real>(this->lr());
    Real *n = this->slot(0), *a = this->slot(1), *delta = this->slot(2);
    for (Index i = 0; i < p.size; ++i) {
      const Real grad = this->decayed(g[i], w[i]);
      n[i] = gamma1_ * n[i] + (1 - gamma1_) * grad * grad;
      if (centered_) {
        a[i] = gamma1_ * a[i] + (1 - gamma1_) * grad;
        // A constant gradient's variance is 0 but for rounding, which may leave it negative.
        const Real variance = std::max(n[i] - a[i] * a[i], Real{0});
        delta[i] = gamma2_ * delta[i] - lr * grad / std::sqrt(variance + epsilon_);
        w[i] += delta[i];
      } else {
        w[i] -= lr * grad / std::sqrt(n[i] + epsilon_);
      }
      if (bound_ > 0) w[i] = std::clamp(w[i], -bound_, bound_);
    }
  }

 private:
  Real gamma1_, gamma2_, epsilon_, bound_;
  bool centered_;
};

/// Zeiler (2012); no learning rate.
template <class Real>
class AdaDelta : public SlottedOptimizer<Real> {
 public:
  explicit AdaDelta(OptionReader& o)
      : SlottedOptimizer<Real>(o, 1, {"square", "delta"}),
        rho_(static_cast<Real>(o.real("rho", 0.9))),
        epsilon_(static_cast<Real>(o.real("epsilon", 1e-5))) {}

 protected:
  void move(const Parameter& p, Real* w, const Real* g) override {
    Real *e = this->slot(0), *d = this->slot(1);
    for (Index i = 0; i < p.size; ++i) {
      const Real grad = this->plain(g[i]);
      e[i] = rho_ * e[i] + (1 - rho_) * grad * grad;
      const Real delta = std::sqrt(d[i] + epsilon_) / std::sqrt(e[i] + epsilon_) * grad;
      d[i] = rho_ * d[i] + (1 - rho_) * delta * delta;
      w[i] -= delta + this->wd() * w[i];
    }
  }

 private:
  Real rho_, epsilon_;
};

/// McMahan et al. (2013), "Ad click prediction": FTRL-proximal, algorithm 1.
template <class Real>
class Ftrl : public SlottedOptimizer<Real> {
 public:
  explicit Ftrl(OptionReader& o)
      : SlottedOptimizer<Real>(o, 0.1, {"z", "square"}),
        lamda1_(static_cast<Real>(o.real("lamda1", 0.01))),
        beta_(static_cast<Real>(o.real("beta", 1))) {
    this->may_be(SlottedOptimizer<Real>::Lazy::rows, o);
  }

 protected:
  void move(const Parameter& p, Real* w, const Real* g) override {
    if (this->lr() == 0) return;  // z sums weights over rates
    const auto lr = static_cast<Real>(this->lr());
    Real *z = this->slot(0), *n = this->slot(1);
    for (Index i = 0; i < p.size; ++i) {
      const Real grad = this->plain(g[i]);
      const Real grown = n[i] + grad * grad;
      z[i] += grad - (std::sqrt(grown) - std::sqrt(n[i])) * w[i] / lr;
      n[i] = grown;
      const Real shrunk = z[i] > 0 ? lamda1_ - z[i] : -lamda1_ - z[i];
      w[i] = std::abs(z[i]) > lamda1_ ? shrunk / ((beta_ + std::sqrt(n[i])) / lr + this->wd())
                                      : Real{0};
    }
  }

 private:
  Real lamda1_, beta_;
};

}  // namespace

SVRG_DEFINE_OPTIMIZER(AdaGrad)
SVRG_DEFINE_OPTIMIZER(GroupAdaGrad)
SVRG_DEFINE_OPTIMIZER(RmsProp)
SVRG_DEFINE_OPTIMIZER(AdaDelta)
SVRG_DEFINE_OPTIMIZER(Ftrl)

}  // namespace svrg
