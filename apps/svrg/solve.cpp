#include "solve.hpp"

#include <fmt/format.h>

#include <bit>
#include <functional>
#include <utility>

#include "svrg/core/error.hpp"
#include "svrg/model/instruction_set.hpp"
#include "svrg/model/symbol_model.hpp"
#include "svrg/solver/guarded_svrg.hpp"
#include "svrg/solver/minibatch.hpp"
#include "svrg/solver/proximal_svrg.hpp"
#include "svrg/solver/widened.hpp"
#include "svrg/train/predictor.hpp"

namespace svrg::app {
namespace {

/// What solvers on margins stand on.
class OnMargins : public SolverSetup {
 public:
  OnMargins(const Communicator& comm, const LinearModel& model, const Shard& shard,
            const io::ModelRecord& record, Reduction reduction, RequestProbe probe, Index threads)
      : model_(model),
        objective_(comm, model_, shard, Penalty<double>(model_.layout(), record.l2, record.l1),
                   reduction, std::move(probe), threads) {}
  std::optional<std::span<const double>> scores() override { return objective_.current_margins(); }
  PhaseTimes times() const override { return objective_.times(); }
  Phase rest() const override { return Phase::other; }

 private:
  LinearModel model_;

 protected:
  MarginObjective objective_;
};

class Guarded : public OnMargins {
 public:
  template <class... Parts>
  explicit Guarded(GuardedSvrgOptions options, Parts&&... parts)
      : OnMargins(std::forward<Parts>(parts)...),
        chains_(objective_.chains(options.chains.chain_per_shard)),
        solver_(objective_, options) {}
  Solver<double>& solver() override { return solver_; }
  std::string costs() const override {
    std::string text;
    for (const EngineCost& c : solver_.costs())
      if (std::isfinite(c.outer))
        text += fmt::format("{}{} {:.0f} x {:.2g} ms", text.empty() ? "" : ", ",
                            engine_name(c.kind), c.outers, 1000 * c.outer);
    return text;
  }
  std::string describe() const override {
    return fmt::format("local-svrg, inner engine {}, {} chain{}, {}", solver_.engine().name(),
                       chains_, chains_ == 1 ? "" : "s", instruction_set());
  }

 private:
  Index chains_;
  GuardedSvrg solver_;
};

class Proximal : public OnMargins {
 public:
  template <class... Parts>
  explicit Proximal(EngineOptions options, Parts&&... parts)
      : OnMargins(std::forward<Parts>(parts)...), solver_(objective_, options) {}
  Solver<double>& solver() override { return solver_; }
  std::string describe() const override {
    return "proximal svrg: Newton steps on a working set, else on rows";
  }

 private:
  ProximalSvrg solver_;
};

template <class Real>
class Minibatch : public SolverSetup {
 public:
  /// `smoothness(batch)` is the expected smoothness of a batch's mean, where it is known.
  Minibatch(const Settings& settings, const Communicator& comm, std::unique_ptr<Model<Real>> model,
            const Shard& shard, const io::ModelRecord& record, RequestProbe probe,
            const std::function<double(Index)>& smoothness)
      : model_(std::move(model)),
        name_(algorithm_of(settings, !record.symbol.empty())),
        batch_(name_ == "gd" ? shard.info().rows
                             : std::min(settings.integer("batch_size"), shard.info().rows)),
        objective_(comm, *model_, shard, Penalty<Real>(model_->layout(), record.l2, record.l1),
                   reduction_of(settings), std::move(probe),
                   name_ == "gd" ? Compression() : Compression::of(settings.text("compression")),
                   batch_),
        sampler_(shard, batch_, static_cast<std::uint64_t>(settings.integer("seed"))) {
    const bool net = !record.symbol.empty();
    if (name_ == "svrg")
      estimator_ = std::make_unique<SvrgEstimator<Real>>(settings.number("svrg_coefficient"));
    else
      estimator_ = std::make_unique<PlainEstimator<Real>>();
    optimizer_name_ = optimizer_of(settings, net);
    comm.agree("", [&] {
      optimizer_ = make_optimizer<Real>(optimizer_name_, optimizer_options(settings));
      // Momentum and adaptive rates have other steps than the one that the threshold is for.
      if (record.l1 > 0 && (optimizer_name_ != "sgd" || settings.has("optimizer_params")))
        throw ConfigError(settings.place("l1") +
                          ": is for --optimizer sgd without further parameters");
    });
    automatic_ = settings.is("learning_rate", "auto");
    const bool by_curvature = automatic_ && smoothness && optimizer_name_ == "sgd";
    rate_ = !automatic_    ? settings.number("learning_rate")
            : by_curvature ? rate_of(smoothness(batch_))
                           : optimizer_->learning_rate();
    freq_ = name_ == "gd" ? 1 : settings.integer("update_freq");
    if (name_ != "gd" && !settings.is("compression", "none"))
      packing_ = ", steps sent as " + settings.text("compression");
    solver_ = std::make_unique<MinibatchSolver<Real>>(
        comm, model_->layout(), objective_, sampler_, *estimator_, *optimizer_,
        MinibatchOptions{
            .learning_rate = rate_, .may_halve = automatic_, .convex = !net, .update_freq = freq_});
    if constexpr (std::is_same_v<Real, float>) widened_ = std::make_unique<Widened>(*solver_);
  }
  Solver<double>& solver() override {
    if constexpr (std::is_same_v<Real, float>)
      return *widened_;
    else
      return *solver_;
  }
  std::string describe() const override {
    return fmt::format("{}{}, batch {}, learning rate {}{:.4g}, {} every {} epoch{}{}", name_,
                       optimizer_name_ == "sgd" ? "" : " by " + optimizer_name_, batch_,
                       automatic_ ? "auto = " : "", rate_,
                       estimator_->needs_snapshot() ? "snapshot" : "measured", freq_,
                       freq_ == 1 ? "" : "s", packing_);
  }
  PhaseTimes times() const override { return objective_.times(); }
  Phase rest() const override { return Phase::inner; }

 private:
  static double rate_of(double smoothness) { return smoothness > 0 ? 1 / (2 * smoothness) : 1; }

  std::unique_ptr<Model<Real>> model_;
  std::string name_, optimizer_name_, packing_;
  Index batch_, freq_ = 1;
  ModelObjective<Real> objective_;
  Sampler sampler_;
  std::unique_ptr<Optimizer<Real>> optimizer_;
  std::unique_ptr<GradientEstimator<Real>> estimator_;
  std::unique_ptr<MinibatchSolver<Real>> solver_;
  std::unique_ptr<Widened> widened_;
  double rate_ = 0;
  bool automatic_ = false;
};

// L(b) between the mean's and the largest row's smoothness as b goes from n to 1 (Gower et al.
// 2019, sampling without replacement).
double expected_smoothness(const Communicator& comm, const LinearModel& model, const Shard& shard,
                           double l2, Reduction reduction, Index batch) {
  MarginObjective margins(comm, model, shard, Penalty<double>(model.layout(), l2), reduction);
  const double largest = margins.smoothness().largest;
  const double mean = std::min(mean_smoothness(comm, model, shard, reduction), largest);
  const auto n = static_cast<double>(shard.info().rows), b = static_cast<double>(batch);
  const double share = n > 1 ? (n - b) / (b * (n - 1)) : 0;
  return (1 - share) * mean + share * largest + l2;
}

template <class Real>
std::unique_ptr<SolverSetup> net_solver(const Settings& settings, const Communicator& comm,
                                        const io::ModelRecord& record, const Shard& shard,
                                        RequestProbe probe) {
  const Net net = net_of(record);
  constexpr Index block = 128;
  ExecutorOptions options;
  options.inputs[net.data] = {block};
  auto& shape = options.inputs[net.data];
  shape.insert(shape.end(), record.input_shape.begin(), record.input_shape.end());
  options.seed = static_cast<std::uint64_t>(settings.integer("seed"));
  std::unique_ptr<Model<Real>> model;
  comm.agree("", [&] {
    model = std::make_unique<SymbolModel<Real>>(net, options);
    SVRG_EXPECT(model->layout().size() == record.layout.size(), "the record is of this net");
  });
  return std::make_unique<Minibatch<Real>>(settings, comm, std::move(model), shard, record,
                                           std::move(probe), nullptr);
}

}  // namespace

Options optimizer_options(const Settings& settings) {
  Options options;
  if (!settings.has("optimizer_params")) return options;
  for (const std::string& item : settings.list("optimizer_params")) {
    const auto equals = item.find('=');
    if (equals == 0 || equals == std::string::npos)
      throw ConfigError(
          fmt::format("{}: must be KEY=VALUE, got '{}'", settings.place("optimizer_params"), item));
    const std::string key = item.substr(0, equals);
    if (key == "learning_rate")
      throw ConfigError(settings.place("optimizer_params") + ": use --learning-rate");
    options[key] = item.substr(equals + 1);
  }
  return options;
}

std::string optimizer_of(const Settings& settings, bool net) {
  if (!settings.is("optimizer", "auto")) return settings.text("optimizer");
  return net ? "adam" : "sgd";
}

EngineChoice engine_of(const Settings& settings) {
  return settings.is("engine", "row")      ? EngineChoice::row
         : settings.is("engine", "ssn")    ? EngineChoice::ssn
         : settings.is("engine", "newton") ? EngineChoice::newton
                                           : EngineChoice::automatic;
}

Rates rates_from(const Settings& settings) {
  if (settings.has("rates")) return read_rates(settings.text("rates"));
  return rates_of(settings.is("instructions", "auto") ? instruction_set()
                                                      : settings.text("instructions"));
}

Reduction reduction_of(const Settings& settings) {
  return settings.flag("deterministic") ? Reduction::fixed_tree : Reduction::plain;
}

bool chain_per_shard(const Settings& settings) {
  return settings.flag("deterministic") || !settings.is("chains", "ranks");
}

int threads_of(const Settings& settings) {
  const bool chains = settings.is("algorithm", "auto") || settings.is("algorithm", "local-svrg");
  return chains && !settings.has("symbol") && !settings.is("model", "mlp")
             ? static_cast<int>(settings.integer("threads"))
             : 1;
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

std::string algorithm_of(const Settings& settings, bool net) {
  std::string asked = settings.text("algorithm");
  if (!net) return asked;
  if (asked == "local-svrg")
    throw ConfigError(settings.place("algorithm") +
                      ": local-svrg is for linear models; a net takes sgd, svrg or gd");
  return asked == "auto" ? "sgd" : asked;
}

std::unique_ptr<SolverSetup> make_solver(const Settings& settings, const Communicator& comm,
                                         const io::ModelRecord& record, const Shard& shard,
                                         RequestProbe probe, Index stands_for) {
  comm.agree("", [&] {
    const std::string asked = algorithm_of(settings, !record.symbol.empty());
    if (!shard.partition().even() && asked != "auto" && asked != "local-svrg")
      throw ConfigError(settings.place("partition") +
                        ": batches need as many rows in every virtual "
                        "shard; nnz is for --algorithm auto and local-svrg");
  });
  comm.agree("", [&] {
    if (!settings.is("instructions", "auto")) use_instruction_set(settings.text("instructions"));
  });
  if (!record.symbol.empty())
    return record.single ? net_solver<float>(settings, comm, record, shard, std::move(probe))
                         : net_solver<double>(settings, comm, record, shard, std::move(probe));
  const std::string algorithm = settings.text("algorithm");
  const Reduction reduction = reduction_of(settings);
  const LinearModel model(loss_from_name(record.kind), record.features,
                          static_cast<Index>(record.classes.size()), record.intercept,
                          record.penalised_intercept, record.huber_delta);
  if (algorithm != "auto" && algorithm != "local-svrg")
    return std::make_unique<Minibatch<double>>(
        settings, comm, std::make_unique<LinearModel>(model), shard, record, std::move(probe),
        [&](Index batch) {
          return expected_smoothness(comm, model, shard, record.l2, reduction, batch);
        });
  GuardedSvrgOptions options;
  options.engine = engine_of(settings);
  options.chains.seed = static_cast<std::uint64_t>(settings.integer("seed"));
  options.chains.chain_per_shard = chain_per_shard(settings);
  options.stands_for = stands_for;
  options.chains.rounded_rows = !settings.is("inner_copy", "none");
  if (record.l1 <= 0) comm.agree("", [&] { options.rates = rates_from(settings); });
  if (record.l1 > 0)
    return std::make_unique<Proximal>(options.chains, comm, model, shard, record, reduction,
                                      std::move(probe), threads_of(settings));
  comm.agree("", [&] { GuardedSvrg::check(model.layout().size(), options.engine); });
  return std::make_unique<Guarded>(options, comm, model, shard, record, reduction, std::move(probe),
                                   threads_of(settings));
}

}  // namespace svrg::app
