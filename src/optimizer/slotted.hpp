#pragma once
#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "optimizer/owed_steps.hpp"
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

  using Optimizer<Real>::step;
  void step(const ParameterLayout& layout, VecRef<Real> w, const Gradient<Real>& g,
            double learning_rate) override {
    const bool first = slots_.front().size() == 0;
    for (auto& slot : slots_) {
      if (first) slot.setZero(w.size());
      if (slot.size() != w.size())
        throw DataError("the optimizer's state is of " + std::to_string(slot.size()) +
                        " weights, the model has " + std::to_string(w.size()));
    }
    if (first) begin(w);
    const Rest<Real>& rest = g.rest;
    const bool clips = clip_ > 0 && lazy_ == Lazy::owing;
    const bool alone = !g.whole() && lazy_ != Lazy::never && !(clips && rest.decay != 0);
    // A clipped constant is one for as long as its factor is the same.
    const bool full = !alone || owed_.count() >= most_owed || (clips && rest.factor != factor_);
    settle(layout, w, rest.along, full ? nullptr : g.support);
    factor_ = rest.factor;
    const Real* values = g.values.data();
    if (!alone && !g.whole()) values = everywhere(layout, w, g);
    ++t_;
    rate_ = learning_rate;
    owing_.clear();
    for (const Parameter& p : layout.all()) {
      lr_ = learning_rate * p.lr_mult;
      wd_ = static_cast<Real>(decay_ * p.wd_mult);
      at_ = p.offset;
      if (alone && p.row_sparse) owing_.push_back(p.fixed ? IdleStep{} : idle_step(p, rest));
      if (p.fixed) continue;
      if (alone && p.row_sparse)
        move_rows(p, g.support->rows_of(p), w.data(), values);
      else
        move(p, w.data() + p.offset, values + p.offset);
    }
    if (alone) owe(layout, *g.support);
    end_step();
  }

  void settle(const ParameterLayout& layout, VecRef<Real> w, const Real* along,
              const Support* support = nullptr) override {
    if (!owed_.any()) return;
    check_debts(layout);
    const bool all = !support || support->whole();
    each_row(layout, all ? nullptr : support, [&](const Parameter& p, std::size_t s, Index row) {
      take(p, owed_.owed(s, row), row, w.data(), along, slots_.front().data());
      owed_.pay(row);
    });
    if (all) owed_.clear();
  }
  bool owes() const override { return owed_.any(); }
  void settle_copy(const ParameterLayout& layout, VecRef<Real> w,
                   const Real* along) const override {
    if (!owed_.any()) return;
    check_debts(layout);
    each_row(layout, nullptr, [&](const Parameter& p, std::size_t s, Index row) {
      take(p, owed_.owed(s, row), row, w.data(), along, nullptr);
    });
  }

  void save(State& state) const override {
    state.values["optimizer/step"] = t_;
    for (std::size_t i = 0; i < slots_.size(); ++i)
      if (slots_[i].size() > 0)
        state.arrays["optimizer/" + names_[i] + "/weights"] = Array::vector<Real>(slots_[i]);
    owed_.save(state);
    if (owed_.any()) state.values["optimizer/owed_factor"] = factor_;
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
    owed_.load(state);
    if (owed_.any()) factor_ = state.real("optimizer/owed_factor");
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

  /// What becomes of the rows that a gradient's support leaves out.
  enum class Lazy { never, rows, owing };  // moved like all; left as they are; owed idle() steps
  /// Takes lazy_update, where leaving rows alone is possible.
  void may_be(Lazy lazy, OptionReader& options) {
    lazy_ = options.flag("lazy_update", true) ? lazy : Lazy::never;
  }
  void never_lazy() { lazy_ = Lazy::never; }
  /// One step at lr with decay·w + drift·a as gradient, of Lazy::owing optimizers; m is slot 0.
  virtual IdleStep idle(double /*lr*/, double /*decay*/, double /*drift*/) const { return {}; }

  /// Moves parameter p from w along g, both [p.size]; of row_sparse ones, where they are Lazy, a
  /// few rows by themselves.
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
  /// Steps are owed up to here, which bounds what they take of memory and checkpoints.
  static constexpr Index most_owed = 4096;

  static Index columns_of(const Parameter& p) { return p.size / std::max<Index>(p.shape[0], 1); }

  /// f(parameter, its number among row_sparse ones, row) for each row that owes a step.
  template <class Body>
  void each_row(const ParameterLayout& layout, const Support* support, const Body& body) const {
    std::size_t segment = 0;
    for (const Parameter& p : layout.all()) {
      if (!p.row_sparse) continue;
      const auto visit = [&](Index row) {
        if (owed_.owes(row)) body(p, segment, row);
      };
      if (support)
        for (const Index row : support->rows_of(p)) visit(row);
      else
        for (Index row = p.first_row; row < p.first_row + p.shape[0]; ++row) visit(row);
      ++segment;
    }
  }

  /// Row `row` of w, and of the memory where `m` is given, after `owed`.
  void take(const Parameter& p, const IdleStep& owed, Index row, Real* w, const Real* along,
            Real* m) const {
    if (owed == IdleStep{}) return;
    const Index columns = columns_of(p), begin = p.offset + (row - p.first_row) * columns;
    const auto mm = static_cast<Real>(owed.mm), mw = static_cast<Real>(owed.mw),
               ma = static_cast<Real>(owed.ma), wm = static_cast<Real>(owed.wm),
               ww = static_cast<Real>(owed.ww), wa = static_cast<Real>(owed.wa);
    const Real* memory = slots_.front().data();
    const Real factor = rescale_ * static_cast<Real>(factor_);
    for (Index i = begin; i < begin + columns; ++i) {
      Real a = along ? along[i] : Real{0};
      if (clip_ > 0) a = std::clamp(factor * a, -clip_, clip_);
      const Real before = memory[i];
      if (m) m[i] = mm * before + mw * w[i] + ma * a;
      w[i] = wm * before + ww * w[i] + wa * a;
    }
  }

  IdleStep idle_step(const Parameter& p, const Rest<Real>& rest) const {
    if (lazy_ != Lazy::owing) return {};
    const auto rescale = static_cast<double>(rescale_);
    return idle(lr_, static_cast<double>(wd_) + rescale * rest.decay * p.wd_mult,
                clip_ > 0 ? 1 : rescale * rest.factor);
  }

  /// Neighbouring rows go together.
  void move_rows(const Parameter& p, std::span<const Index> rows, Real* w, const Real* g) {
    const Index columns = columns_of(p);
    Parameter& piece = piece_;
    if (piece.name != p.name) piece = p;
    for (std::size_t i = 0; i < rows.size();) {
      std::size_t end = i + 1;
      while (end < rows.size() && rows[end] == rows[end - 1] + 1) ++end;
      piece.shape[0] = static_cast<Index>(end - i);
      piece.size = piece.shape[0] * columns;
      at_ = p.offset + (rows[i] - p.first_row) * columns;
      move(piece, w + at_, g + at_);
      i = end;
    }
  }

  /// What rows outside of the support have still to do.
  void owe(const ParameterLayout& layout, const Support& support) {
    if (std::all_of(owing_.begin(), owing_.end(),
                    [](const IdleStep& s) { return s == IdleStep{}; }) &&
        !owed_.any())
      return;
    owed_.add(layout, owing_);
    for (const Parameter& p : layout.all())
      if (p.row_sparse)
        for (const Index row : support.rows_of(p)) owed_.pay(row);
  }

  /// The gradient with its rest written out.
  const Real* everywhere(const ParameterLayout& layout, ConstVecRef<Real> w,
                         const Gradient<Real>& g) {
    dense_.resize(w.size());
    for (const Parameter& p : layout.all()) {
      const auto decay = static_cast<Real>(g.rest.decay * p.wd_mult);
      const auto factor = static_cast<Real>(g.rest.factor);
      for (Index i = p.offset; i < p.offset + p.size; ++i)
        dense_[i] = (g.rest.along ? factor * g.rest.along[i] : Real{0}) + decay * w[i];
    }
    for (const Stretch& s : g.support->stretches())
      std::copy_n(g.values.data() + s.begin, s.size, dense_.data() + s.begin);
    return dense_.data();
  }

  void check_debts(const ParameterLayout& layout) const {
    if (!owed_.is_of(layout))
      throw DataError("the optimizer's state owes steps to rows of another model");
  }

  Lazy lazy_ = Lazy::never;
  OwedSteps owed_;
  double factor_ = 0;            // Rest's, of the steps owed
  std::vector<IdleStep> owing_;  // of this step, by row_sparse segment
  Parameter piece_;              // some rows of a parameter
  Vec<Real> dense_;
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
