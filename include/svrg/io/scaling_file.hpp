#pragma once
#include <array>
#include <string>
#include <vector>

#include "svrg/core/clock.hpp"
#include "svrg/core/types.hpp"

namespace svrg::io {

/// One measured training on so many ranks.
struct MeasuredRun {
  Index ranks = 0, repeat = 0;
  Index rows = 0;  // of the whole problem: weak scaling has more on more ranks
  Index epochs = 0;
  double passes = 0;
  bool converged = false;                      // before its epochs were over
  double load_seconds = 0, train_seconds = 0;  // of the slowest rank
  Index bytes_communicated = 0, messages = 0;  // of root
  /// Of loading ("data") and the whole training, by rank.
  std::vector<std::array<double, phase_names.size()>> phase_seconds;
  bool operator==(const MeasuredRun&) const = default;
};

/// What a platform that is not there would do, by simulation: never a measurement.
struct SimulatedRun {
  std::string platform;  // "fattree"
  Index ranks = 0;
  Index rows = 0, epochs = 0;
  bool converged = false;
  double train_seconds = 0;
  double communication_seconds = 0;  // the part of them that is not this rank's own work
  double model_seconds = 0;          // train_seconds by the fitted model; NaN: none
  Index bytes_communicated = 0, messages = 0;
  bool operator==(const SimulatedRun&) const = default;
};

/// T = γ·work/P + fixed + Σ over collectives of (2⌈log₂P⌉ α + 2 (P−1)/P · bytes · β).
struct CostFit {
  double latency = 0;           // α, s
  double seconds_per_byte = 0;  // β
  double seconds_per_row = 0;   // γ, of one pass
  bool operator==(const CostFit&) const = default;
};

/// A scaling study: one problem, one algorithm, several numbers of ranks.
struct ScalingStudy {
  std::string mode = "strong";  // or "weak": rows grow with the ranks
  std::string data;             // "covtype.h5", "synthetic 1000000,54"
  std::string algorithm;        // "local-svrg", "svrg", …
  std::string solver;           // as the header of train describes it
  std::string command;
  Index columns = 0, nonzeros = 0;
  Index cores = 0;                     // of the node with the fewest
  std::vector<std::string> hostnames;  // by rank of the whole job
  std::vector<MeasuredRun> measured;
  std::vector<SimulatedRun> simulated;
  CostFit fit;
  std::vector<std::string> platforms;  // what each simulated platform is, "NAME: text"
  bool operator==(const ScalingStudy&) const = default;
};

/// Writes `study` as a file of format svrg-bench: /scaling (ranks, repeat, rank, phase) for what
/// was measured, /simulated (platform, ranks) for what was not. Every measured number of ranks has
/// the same repeats. Local. @throws OutputError
void write_scaling(const std::string& path, const ScalingStudy& study);
/// The inverse. Local. @throws DataError
ScalingStudy read_scaling(const std::string& path);

}  // namespace svrg::io
