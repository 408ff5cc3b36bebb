#pragma once
#include <array>
#include <deque>
#include <memory>
#include <optional>

#include "svrg/solver/cost_model.hpp"
#include "svrg/solver/engine.hpp"
#include "svrg/solver/solver.hpp"
#include "svrg/solver/subspace_search.hpp"

namespace svrg {

/// Which inner epoch; automatic: the cheapest by the cost model, and changed where it contracts
/// slowly.
enum class EngineChoice { automatic, row, ssn, newton };

/// How the inner epoch is made; the defaults suit all.
struct GuardedSvrgOptions {
  EngineChoice engine = EngineChoice::automatic;
  EngineOptions chains;
  std::optional<Rates>
      rates{};  // that the cost model takes for automatic; those of the instruction set
  /// Chooses engines as so many ranks of one thread would; 0: as those that there are.
  Index stands_for = 0;
};

/// The solver that needs no tuning, for linear models. An outer iteration: full gradient at the
/// snapshot w̃ (with all margins), an inner variance-reduced epoch on every rank without
/// communication, the mean of the displacements, and a search over it and the last steps which
/// takes the place of a step size: the objective cannot rise. Two reductions of P values and a few
/// short ones.
class GuardedSvrg : public Solver<double> {
 public:
  /// @throws ConfigError where the engine is not for this number of parameters. Local.
  static void check(Index parameters, EngineChoice engine);
  /// The objective must outlive this. Collective.
  GuardedSvrg(MarginObjective& objective, GuardedSvrgOptions options);
  Outcome start(VecRef<double> w) override;
  Outcome advance(VecRef<double> w) override;
  Outcome measure(VecRef<double>) override { return now_; }  // always known
  void save(State& state) const override;
  void load(const State& state) override;
  const Engine& engine() const { return *engine_; }
  /// What each engine would take, by the cost model of rank 0. Local.
  const std::array<EngineCost, 3>& costs() const { return costs_; }

 private:
  static constexpr std::size_t ring_size = 5;
  static constexpr Index most_rejected = 3;  // outers running; then nothing more can be gained
  std::array<EngineCost, 3> costs_of_root() const;
  std::unique_ptr<Engine> make_engine(EngineChoice choice);
  void maybe_escalate();
  bool worth_a_hessian() const;
  void maybe_return();
  double contraction() const;
  SearchResult search(ConstVecRef<double> w, const Direction& newest, bool verify);
  Vec<double> step_of(const SearchResult& result, const Direction& newest) const;
  void take(ConstVecRef<double> w, const MarginObjective::Measurement& m);
  void remember_step(ConstVecRef<double> before, ConstVecRef<double> after);

  MarginObjective& f_;
  GuardedSvrgOptions options_;
  std::array<EngineCost, 3> costs_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Engine> rows_;  // while Newton-CG is tried in its place
  bool tried_newton_cg_ = false;
  double first_norm_ = 0;  // of the gradient, at the weights training began with
  Outcome now_;
  Vec<double> g_;
  std::deque<Direction> ring_;        // newest first
  std::deque<Vec<double>> iterates_;  // newest first; ring_[i] = iterates_[i] − iterates_[i + 1]
  std::deque<double> decreases_;      // of F, newest first, at most 3
  Index slow_ = 0, rejected_ = 0;
  bool resumed_ = false;
};

}  // namespace svrg
