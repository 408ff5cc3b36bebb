#pragma once
#include "svrg/solver/solver.hpp"

namespace svrg {

/// A solver in float for a caller in double: every float is a double, so nothing is lost between
/// calls, in checkpoints or on resume.
class Widened : public Solver<double> {
 public:
  /// `inner` must outlive this.
  explicit Widened(Solver<float>& inner) : inner_(inner) {}
  Outcome start(VecRef<double> w) override { return run(&Solver<float>::start, w); }
  Outcome advance(VecRef<double> w) override { return run(&Solver<float>::advance, w); }
  Outcome measure(VecRef<double> w) override { return run(&Solver<float>::measure, w); }
  void collect() override { inner_.collect(); }
  void save(State& state) const override { inner_.save(state); }
  void load(const State& state) override { inner_.load(state); }

 private:
  Outcome run(Outcome (Solver<float>::*step)(VecRef<float>), VecRef<double> w) {
    narrow_ = w.cast<float>();
    // What the inner solver left in w is the last good point also where it throws.
    struct Back {
      Vec<float>& from;
      VecRef<double>& to;
      ~Back() { to = from.cast<double>(); }
    } back{narrow_, w};
    return (inner_.*step)(narrow_);
  }
  Solver<float>& inner_;
  Vec<float> narrow_;
};

}  // namespace svrg
