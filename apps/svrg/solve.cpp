#include "solve.hpp"

#include <fmt/format.h>

#include <bit>

#include "svrg/core/error.hpp"
#include "svrg/solver/guarded_svrg.hpp"
#include "svrg/solver/minibatch.hpp"

namespace svrg::app {
namespace {

class Guarded : public SolverSetup {
 public:
  Guarded(const Communicator& comm, const LinearModel& model, const Shard& shard, double l2,
          Reduction reduction, RequestProbe probe, GuardedSvrgOptions options)
      : objective_(comm, model, shard, Penalty<double>(model.layout(), l2), reduction,
                   std::move(probe)),
        chains_(objective_.chains(options.chains.chain_per_shard)),
        solver_(objective_, options) {}
  Solver<double>& solver() override { return solver_; }
  std::string describe() const override {
    return fmt::format("local-svrg, inner engine {}, {} chain{}", solver_.engine().name(), chains_,
                       chains_ == 1 ? "" : "s");
  }
  std::optional<std::span<const double>> scores() override { return objective_.current_margins(); }
  PhaseTimes times() override { return objective_.times(); }
  bool knows_phases() const override { return true; }

 private:
  MarginObjective objective_;
  Index chains_;
  GuardedSvrg solver_;
};

class Minibatch : public SolverSetup {
 public:
  Minibatch(const Communicator& comm, LinearModel& model, const Shard& shard, double l2,
            Reduction reduction, RequestProbe probe, const Settings& settings)
      : name_(settings.text("algorithm")),
        batch_(name_ == "gd" ? shard.info().rows
                             : std::min(settings.integer("batch_size"), shard.info().rows)),
        objective_(comm, model, shard, Penalty<double>(model.layout(), l2), reduction,
                   std::move(probe)),
        sampler_(shard, batch_, static_cast<std::uint64_t>(settings.integer("seed"))) {
    if (name_ == "svrg")
      estimator_ = std::make_unique<SvrgEstimator<double>>(settings.number("svrg_coefficient"));
    else
      estimator_ = std::make_unique<PlainEstimator<double>>();
    MinibatchOptions options;
    options.update_freq = name_ == "gd" ? 1 : settings.integer("update_freq");
    automatic_ = settings.is("learning_rate", "auto");
    options.may_halve = automatic_;
    options.learning_rate = automatic_ ? automatic_rate(comm, model, shard, l2, reduction)
                                       : settings.number("learning_rate");
    rate_ = options.learning_rate;
    freq_ = options.update_freq;
    solver_ = std::make_unique<MinibatchSolver<double>>(comm, model.layout(), objective_, sampler_,
                                                        *estimator_, *optimizer_, options);
  }
  Solver<double>& solver() override { return *solver_; }
  std::string describe() const override {
    return fmt::format("{}, batch {}, learning rate {}{:.4g}, {} every {} epoch{}", name_, batch_,
                       automatic_ ? "auto = " : "", rate_,
                       estimator_->needs_snapshot() ? "snapshot" : "measured", freq_,
                       freq_ == 1 ? "" : "s");
  }
  PhaseTimes times() override { return {}; }
  bool knows_phases() const override { return false; }

 private:
  // 1/(2L(b)), L(b) the expected smoothness of a batch's mean (Gower et al. 2019, sampling without
  // replacement): between the largest row's and the mean's as b goes from 1 to n.
  double automatic_rate(const Communicator& comm, const LinearModel& model, const Shard& shard,
                        double l2, Reduction reduction) const {
    MarginObjective margins(comm, model, shard, Penalty<double>(model.layout(), l2), reduction);
    const double largest = margins.smoothness().largest;
    const double mean = std::min(mean_smoothness(comm, model, shard, reduction), largest);
    const auto n = static_cast<double>(shard.info().rows), b = static_cast<double>(batch_);
    const double share = n > 1 ? (n - b) / (b * (n - 1)) : 0;
    const double expected = (1 - share) * mean + share * largest + l2;
    return expected > 0 ? 1 / (2 * expected) : 1;
  }

  std::string name_;
  Index batch_, freq_ = 1;
  ModelObjective<double> objective_;
  Sampler sampler_;
  std::unique_ptr<Optimizer<double>> optimizer_ = make_optimizer<double>("sgd");
  std::unique_ptr<GradientEstimator<double>> estimator_;
  std::unique_ptr<MinibatchSolver<double>> solver_;
  double rate_ = 0;
  bool automatic_ = false;
};

}  // namespace

Reduction reduction_of(const Settings& settings) {
  return settings.flag("deterministic") ? Reduction::fixed_tree : Reduction::plain;
}

bool chain_per_shard(const Settings& settings) {
  return settings.flag("deterministic") || !settings.is("chains", "ranks");
}

Index virtual_shards_of(const Settings& settings) {
  // A fixed number of chains is one on each virtual shard.
  const bool fixed_chains = !settings.is("chains", "ranks");
  const char* name = fixed_chains ? "chains" : "virtual_shards";
  const Index shards = settings.integer(name);
  if (shards == 0) return 0;
  if (!std::has_single_bit(static_cast<std::uint64_t>(shards)))
    throw ConfigError(
        fmt::format("{}: must be a power of two, got {}", settings.place(name), shards));
  if (fixed_chains && settings.given("virtual_shards") &&
      settings.integer("virtual_shards") != shards)
    throw ConfigError(
        "--chains n runs one chain on each virtual shard: leave out "
        "--virtual-shards or give the same number");
  return shards;
}

std::unique_ptr<SolverSetup> make_solver(const Settings& settings, const Communicator& comm,
                                         LinearModel& model, const Shard& shard, double l2,
                                         RequestProbe probe) {
  const std::string algorithm = settings.text("algorithm");
  const Reduction reduction = reduction_of(settings);
  if (algorithm != "auto" && algorithm != "local-svrg")
    return std::make_unique<Minibatch>(comm, model, shard, l2, reduction, std::move(probe),
                                       settings);
  GuardedSvrgOptions options;
  const std::string engine = settings.text("engine");
  options.engine = engine == "row"   ? EngineChoice::row
                   : engine == "ssn" ? EngineChoice::ssn
                                     : EngineChoice::automatic;
  options.chains.seed = static_cast<std::uint64_t>(settings.integer("seed"));
  options.chains.chain_per_shard = chain_per_shard(settings);
  comm.agree("", [&] { GuardedSvrg::check(model.layout().size(), options.engine); });
  return std::make_unique<Guarded>(comm, model, shard, l2, reduction, std::move(probe), options);
}

}  // namespace svrg::app
