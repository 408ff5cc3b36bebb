#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "settings.hpp"
#include "svrg/core/options.hpp"
#include "svrg/io/model_file.hpp"
#include "svrg/objective/margin_objective.hpp"
#include "svrg/solver/guarded_svrg.hpp"
#include "svrg/solver/solver.hpp"

namespace svrg::app {

/// A solver with all that it stands on.
class SolverSetup {
 public:
  virtual ~SolverSetup() = default;
  virtual Solver<double>& solver() = 0;
  /// "local-svrg, inner engine row, 2 chains": for the header.
  virtual std::string describe() const = 0;
  /// What the cost model says of the engines there are; empty where there is no choice.
  virtual std::string costs() const { return {}; }
  /// Scores of this rank's training rows at the current weights, where the solver holds them.
  virtual std::optional<std::span<const double>> scores() { return {}; }
  /// Seconds of work by phase.
  virtual PhaseTimes times() const = 0;
  /// The phase of all other work.
  virtual Phase rest() const = 0;
};

/// The solver that --algorithm and its options ask for, of the recorded model (its weights are not
/// used) under the record's penalty. The shard must outlive it. `stands_for`: chooses as so many
/// ranks of one thread would; 0: as those that there are. Collective.
/// @throws CollectiveError (usage)
std::unique_ptr<SolverSetup> make_solver(const Settings& settings, const Communicator& comm,
                                         const io::ModelRecord& record, const Shard& shard,
                                         RequestProbe probe, Index stands_for = 0);

/// --algorithm; of a net, "auto" is sgd. @throws ConfigError
std::string algorithm_of(const Settings& settings, bool net);

/// --optimizer; "auto" is adam for a net, else sgd.
std::string optimizer_of(const Settings& settings, bool net);
/// --optimizer-params as keyword arguments. @throws ConfigError
Options optimizer_options(const Settings& settings);
EngineChoice engine_of(const Settings& settings);
Reduction reduction_of(const Settings& settings);
/// For the cost model: of --rates, else of the instruction set. @throws DataError
Rates rates_from(const Settings& settings);
/// A fixed number of chains, whatever the ranks?
bool chain_per_shard(const Settings& settings);
/// Threads of a rank: those of the option where the algorithm has any.
int threads_of(const Settings& settings);
/// The number of virtual shards that the options ask for; 0: the default. @throws ConfigError
Index virtual_shards_of(const Settings& settings);

}  // namespace svrg::app
