#pragma once
#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "svrg/core/error.hpp"
#include "svrg/optimizer/optimizer.hpp"

namespace svrg {

/// What all optimizers share: the common options, the count of steps, and slots, arrays as long as
/// the weights. A derived class moves one parameter at a time.
template <class Real>
class SlottedOptimizer : public Optimizer<Real> {
 public:
  double learning_rate() const override { return learning_rate_; }
  Index slots() const override { return static_cast<Index>(slots_.size()); }

  void step(const ParameterLayout& layout, VecRef<Real> w, ConstVecRef<Real> g,
            double learning_rate) override {
    const bool first = slots_.front().size() == 0;
    for (auto& slot : slots_) {
      if (first) slot.setZero(w.size());
      if (slot.size() != w.size())
        throw DataError("the optimizer's state is of " + std::to_string(slot.size()) +
                        " weights, the model has " + std::to_string(w.size()));
    }
    if (first) begin(w);
    ++t_;
    rate_ = learning_rate;
    for (const Parameter& p : layout.all()) {
      if (p.fixed) continue;
      lr_ = learning_rate * p.lr_mult;
      wd_ = static_cast<Real>(decay_ * p.wd_mult);
      at_ = p.offset;
      move(p, w.data() + p.offset, g.data() + p.offset);
    }
    end_step();
  }

  void save(State& state) const override {
    state.values["optimizer/step"] = t_;
    for (std::size_t i = 0; i < slots_.size(); ++i)
      if (slots_[i].size() > 0)
        state.arrays["optimizer/" + names_[i] + "/weights"] = Array::vector<Real>(slots_[i]);
  }
  void load(const State& state) override {
    t_ = state.integer("optimizer/step");
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      const std::string name = "optimizer/" + names_[i] + "/weights";
      if (!state.arrays.count(name)) {  // saved before the first step
        slots_[i].resize(0);
        continue;
      }
      const auto* values = std::get_if<std::vector<Real>>(&state.array(name).data);
      if (!values) throw DataError(name + " is of another precision than this run");
      slots_[i] = Eigen::Map<const Vec<Real>>(values->data(), static_cast<Index>(values->size()));
    }
  }

 protected:
  SlottedOptimizer(OptionReader& options, double default_rate, std::vector<std::string> slots)
      : learning_rate_(options.real("learning_rate", default_rate)),
        decay_(options.real("wd", 0)),
        rescale_(static_cast<Real>(options.real("rescale_grad", 1))),
        clip_(static_cast<Real>(options.real("clip_gradient", 0))),
        t_(options.integer("begin_num_update", 0)),
        names_(std::move(slots)),
        slots_(names_.size()) {
    if (!(decay_ >= 0)) options.fail("wd", "must not be negative");
  }

  /// Moves parameter p from w along g, both [p.size].
  virtual void move(const Parameter& p, Real* w, const Real* g) = 0;
  virtual void begin(ConstVecRef<Real>) {}  // before the first step, slots being 0
  virtual void end_step() {}

  Index t() const { return t_; }         // steps so far, this one included
  double rate() const { return rate_; }  // of this step, for all parameters
  double lr() const { return lr_; }      // of this parameter
  Real wd() const { return wd_; }
  Real* slot(std::size_t i) { return slots_[i].data() + at_; }
  Vec<Real>& whole_slot(std::size_t i) { return slots_[i]; }
  /// What the common options make of a gradient. Loops take a copy: members might change, for all
  /// the compiler knows, with every weight that is written, and would keep it from vectors.
  struct Seen {
    Real rescale, bound, wd;
    Real clipped(Real v) const { return std::clamp(v, -bound, bound); }
    Real rescaled(Real g) const { return rescale * g; }
    /// clip(r·g), and clip(r·g + wd·w) where an optimizer sees the decay as part of the gradient.
    Real plain(Real g) const { return clipped(rescale * g); }
    Real decayed(Real g, Real w) const { return clipped(rescale * g + wd * w); }
  };
  Seen seen() const {
    return {rescale_, clip_ > 0 ? clip_ : std::numeric_limits<Real>::infinity(), wd_};
  }
  Real clipped(Real v) const { return seen().clipped(v); }
  Real rescaled(Real g) const { return seen().rescaled(g); }
  Real plain(Real g) const { return seen().plain(g); }
  Real decayed(Real g, Real w) const { return seen().decayed(g, w); }

 private:
  double learning_rate_, decay_, rate_ = 0, lr_ = 0;
  Real rescale_, clip_, wd_ = 0;
  Index t_, at_ = 0;
  std::vector<std::string> names_;
  std::vector<Vec<Real>> slots_;
};

}  // namespace svrg

/// Ends an optimizer's definition.
#define SVRG_DEFINE_OPTIMIZER(Class)                                             \
  template <class Real>                                                          \
  std::unique_ptr<Optimizer<Real>> make_##Class(OptionReader& options) {         \
    return std::make_unique<Class<Real>>(options);                               \
  }                                                                              \
  template std::unique_ptr<Optimizer<float>> make_##Class<float>(OptionReader&); \
  template std::unique_ptr<Optimizer<double>> make_##Class<double>(OptionReader&);
