#pragma once
#include <array>
#include <string>
#include <string_view>

#include "svrg/data/shard.hpp"
#include "svrg/model/linear_model.hpp"

namespace svrg {

/// What one rank and the network do in a second. Nothing is timed in a run, since the same command
/// has to choose alike each time: these come from a small table or from a file.
struct Rates {
  double bandwidth = 0;  // bytes of dense rows read
  double entries = 0;    // stored values of sparse rows, each for one class: a dot and an update
  double products = 0;   // multiply-adds of dense matrices of rows
  double updates = 0;    // of sparse rows with themselves, scattered over a matrix
  double factoring = 0;  // multiply-adds of a factorisation and of solves with it
  double latency = 0;    // seconds of a short reduction among ranks
  double network = 0;    // bytes of a long one
};
/// Measured on one core of a server of 2023, for "avx512", "avx2" and "plain". Local.
Rates rates_of(std::string_view instruction_set);
/// What `svrg bench --rates` wrote: one "name value" a line. Local.
/// @throws DataError for a file that cannot be read or is not one, with the line
Rates read_rates(const std::string& path);
/// The way back; whoever opens the stream writes it. Local.
std::string to_text(const Rates& rates);

/// The sizes that decide what an outer iteration costs.
struct Workload {
  Loss loss = Loss::logistic;
  Index rows = 0, stored = 0;  // of all ranks: rows, and values stored of them
  Index parameters = 0, classes = 1;
  bool sparse = false;
  Index value_bytes = 8;
  Index ranks = 1, chains = 1;
};
/// Of a linear model with so many margins a row on the rows of all ranks. Local: what it reads of
/// the shard is the same on all of them.
Workload workload_of(const Shard& shard, Loss loss, Index parameters, Index classes, Index ranks,
                     Index chains);

/// What can be in the middle of an outer iteration of guarded SVRG.
enum class EngineKind { row, ssn, newton };
/// "row", "ssn", "newton"
std::string_view engine_name(EngineKind kind);
/// Of one engine.
struct EngineCost {
  EngineKind kind;
  double outer = 0;   // seconds of one
  double outers = 0;  // that it usually takes at λ = 1/n
  double seconds() const { return outer * outers; }
};
/// In the order of EngineKind. An engine that cannot take so many parameters costs infinity.
/// Local.
std::array<EngineCost, 3> engine_costs(const Workload& work, const Rates& rates);
/// Which takes the fewest seconds. Local.
EngineKind cheapest(const std::array<EngineCost, 3>& costs);

}  // namespace svrg
