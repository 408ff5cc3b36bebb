// Steps along the gradient with a memory of earlier ones: sgd, nag, signum, dcasgd, lars, lbsgd.
// Formulas as MXNet documents them; ĝ is the rescaled and clipped gradient.
#include <cmath>

#include "optimizer/slotted.hpp"

namespace svrg {
namespace {

/// m ← μm − lr(ĝ + wd·w); w ← w + m.
template <class Real>
class Sgd : public SlottedOptimizer<Real> {
 public:
  explicit Sgd(OptionReader& o)
      : SlottedOptimizer<Real>(o, 0.01, {"momentum"}),
        momentum_(static_cast<Real>(o.real("momentum", 0))) {
    this->may_be(SlottedOptimizer<Real>::Lazy::owing, o);
    o.ignore("multi_precision");
  }

 protected:
  IdleStep idle(double lr, double decay, double drift) const override {
    const auto momentum = static_cast<double>(momentum_);
    if (momentum == 0) return {.ww = 1 - lr * decay, .wa = -lr * drift};
    return {momentum, -lr * decay, -lr * drift, momentum, 1 - lr * decay, -lr * drift};
  }
  void move(const Parameter& p, Real* w, const Real* g) override {
    descend(p, w, g, static_cast<Real>(this->lr()), momentum_);
  }
  void descend(const Parameter& p, Real* w, const Real* g, Real lr, Real momentum) {
    const auto seen = this->seen();
    if (momentum == 0) {
      for (Index i = 0; i < p.size; ++i) w[i] -= lr * (seen.plain(g[i]) + seen.wd * w[i]);
      return;
    }
    Real* m = this->slot(0);
    for (Index i = 0; i < p.size; ++i) {
      m[i] = momentum * m[i] - lr * (seen.plain(g[i]) + seen.wd * w[i]);
      w[i] += m[i];
    }
  }
  Real momentum_;
};

/// Nesterov (1983): m ← μm − lr(ĝ + wd·w); w ← w + μm − lr(ĝ + wd·w), all of w as it was before.
template <class Real>
class Nag : public SlottedOptimizer<Real> {
 public:
  explicit Nag(OptionReader& o)
      : SlottedOptimizer<Real>(o, 0.01, {"momentum"}),
        momentum_(static_cast<Real>(o.real("momentum", 0))) {
    o.ignore("multi_precision");
    this->may_be(SlottedOptimizer<Real>::Lazy::owing, o);
  }

 protected:
  IdleStep idle(double lr, double decay, double drift) const override {
    const auto m = static_cast<double>(momentum_), ahead = 1 + m;
    return {m, -lr * decay, -lr * drift, m * m, 1 - ahead * lr * decay, -ahead * lr * drift};
  }
  void move(const Parameter& p, Real* w, const Real* g) override {
    const auto lr = static_cast<Real>(this->lr());
    const auto seen = this->seen();
    const Real momentum = momentum_;
    Real* m = this->slot(0);
    for (Index i = 0; i < p.size; ++i) {
      const Real step = lr * (seen.plain(g[i]) + seen.wd * w[i]);
      m[i] = momentum * m[i] - step;
      w[i] += momentum * m[i] - step;
    }
  }

 private:
  Real momentum_;
};

/// Bernstein et al. (2018): only the sign of the (smoothed) gradient counts.
template <class Real>
class Signum : public SlottedOptimizer<Real> {
 public:
  explicit Signum(OptionReader& o)
      : SlottedOptimizer<Real>(o, 0.01, {"momentum"}),
        momentum_(static_cast<Real>(o.real("momentum", 0.9))),
        decoupled_(static_cast<Real>(o.real("wd_lh", 0))) {}

 protected:
  void move(const Parameter& p, Real* w, const Real* g) override {
    const auto lr = static_cast<Real>(this->lr());
    const auto sign = [](Real v) { return static_cast<Real>((v > 0) - (v < 0)); };
    Real* m = this->slot(0);
    for (Index i = 0; i < p.size; ++i) {
      if (momentum_ == 0) {
        w[i] = (1 - lr * (this->wd() + decoupled_)) * w[i] - lr * sign(this->plain(g[i]));
        continue;
      }
      m[i] = momentum_ * m[i] - (1 - momentum_) * (this->plain(g[i]) + this->wd() * w[i]);
      w[i] = (1 - lr * decoupled_) * w[i] + lr * sign(m[i]);
    }
  }

 private:
  Real momentum_, decoupled_;
};

/// Zheng et al. (2017): the gradient corrected by λĝ²(w − w_prev) for the delay.
template <class Real>
class Dcasgd : public SlottedOptimizer<Real> {
 public:
  explicit Dcasgd(OptionReader& o)
      : SlottedOptimizer<Real>(o, 0.01, {"momentum", "previous"}),
        momentum_(static_cast<Real>(o.real("momentum", 0))),
        lamda_(static_cast<Real>(o.real("lamda", 0.04))) {}

 protected:
  void begin(ConstVecRef<Real> w) override { this->whole_slot(1) = w; }
  void move(const Parameter& p, Real* w, const Real* g) override {
    const auto lr = static_cast<Real>(this->lr());
    Real *m = this->slot(0), *previous = this->slot(1);
    for (Index i = 0; i < p.size; ++i) {
      const Real grad = this->plain(g[i]);
      const Real step =
          -lr * (grad + this->wd() * w[i] + lamda_ * grad * grad * (w[i] - previous[i]));
      m[i] = momentum_ * m[i] + step;
      previous[i] = w[i];
      w[i] += m[i];
    }
  }

 private:
  Real momentum_, lamda_;
};

template <class Real>
double norm(const Real* v, Index n, double scale = 1) {
  double sum = 0;
  for (Index i = 0; i < n; ++i) sum += static_cast<double>(v[i]) * static_cast<double>(v[i]);
  return scale * std::sqrt(sum);
}

/// You, Gitman, Ginsburg (2017): sgd whose rate is η‖w‖/(‖g‖ + wd‖w‖ + ε) a layer.
template <class Real>
class Lars : public Sgd<Real> {
 public:
  explicit Lars(OptionReader& o)
      : Sgd<Real>(o),
        eta_(o.real("eta", 0.001)),
        eps_(o.real("eps", 0)),
        corrects_(o.flag("momentum_correction", true)) {
    this->never_lazy();  // norms are of all rows
  }

 protected:
  void move(const Parameter& p, Real* w, const Real* g) override {
    double trust = 1;
    const auto ends = [&](const char* ending) { return p.name.ends_with(ending); };
    if (!ends("gamma") && !ends("beta") && !ends("bias")) {
      const double of_w = norm(w, p.size);
      const double of_g = norm(g, p.size, std::abs(static_cast<double>(this->rescaled(Real{1}))));
      if (of_w > 0 && of_g > 0)
        trust = eta_ * of_w / (of_g + static_cast<double>(this->wd()) * of_w + eps_);
    }
    // The memory holds steps of the rate before.
    const double correction = corrects_ && last_rate_ > 0 ? this->rate() / last_rate_ : 1;
    this->descend(p, w, g, static_cast<Real>(this->lr() * trust),
                  static_cast<Real>(static_cast<double>(this->momentum_) * correction));
  }
  void end_step() override { last_rate_ = this->rate(); }

 public:
  void save(State& state) const override {
    Sgd<Real>::save(state);
    state.values["optimizer/last_rate"] = last_rate_;
  }
  void load(const State& state) override {
    Sgd<Real>::load(state);
    last_rate_ = state.real("optimizer/last_rate");
  }

 private:
  double eta_, eps_, last_rate_ = 0;
  bool corrects_;
};

/// MXNet's large-batch sgd for a batch_scale of 1, where its warm-up multiplies the rate by 1.
template <class Real>
class Lbsgd : public Sgd<Real> {
 public:
  explicit Lbsgd(OptionReader& o) : Sgd<Real>(o) {
    if (o.integer("batch_scale", 1) != 1 || o.text("warmup_strategy", "linear") == "lars")
      o.fail("batch_scale", "must be 1, and warmup_strategy not lars; use lars or a larger batch");
    for (const char* name :
         {"warmup_strategy", "warmup_epochs", "updates_per_epoch", "begin_epoch", "num_epochs"})
      o.ignore(name);
  }
};

}  // namespace

SVRG_DEFINE_OPTIMIZER(Lbsgd)
SVRG_DEFINE_OPTIMIZER(Sgd)
SVRG_DEFINE_OPTIMIZER(Nag)
SVRG_DEFINE_OPTIMIZER(Signum)
SVRG_DEFINE_OPTIMIZER(Dcasgd)
SVRG_DEFINE_OPTIMIZER(Lars)

}  // namespace svrg
