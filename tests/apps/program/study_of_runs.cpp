// usage: study_of_runs OUT strong|weak|simulated RUN...   Makes a scaling study of real runs,
// repeats of the same numbers of ranks; `simulated` adds a strong study's points of a platform by
// formula.
#include <cmath>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "svrg/core/error.hpp"
#include "svrg/io/run_record.hpp"
#include "svrg/io/scaling_file.hpp"

namespace {

using namespace svrg;

io::MeasuredRun measured(const std::string& run, Index repeat) {
  const io::RunFile file = io::read_run(run + "/run.h5");
  const io::EpochRecord& last = file.epochs.back();
  io::MeasuredRun m;
  m.ranks = static_cast<Index>(last.phase_seconds.size());
  m.repeat = repeat;
  m.rows = nlohmann::json::parse(file.manifest).at("data").at("rows").get<Index>();
  m.epochs = last.epoch;
  m.passes = last.passes;
  m.converged = file.end && file.end->stop_reason == "tolerance";
  m.train_seconds = last.wall_seconds;
  m.bytes_communicated = last.bytes_communicated;
  m.messages = last.messages;
  m.phase_seconds.resize(last.phase_seconds.size());
  for (const auto& epoch : file.epochs)
    for (std::size_t r = 0; r < epoch.phase_seconds.size(); ++r)
      for (std::size_t p = 0; p < phase_names.size(); ++p)
        m.phase_seconds[r][p] += epoch.phase_seconds[r][p];
  return m;
}

// T = γ·work/P + Σ over collectives of (2⌈log₂P⌉ α + 2 (P−1)/P · bytes · β).
void simulate(io::ScalingStudy& study) {
  const io::MeasuredRun& one = study.measured.front();
  study.fit = {5e-6, 1e-10, one.train_seconds / (one.passes * static_cast<double>(one.rows))};
  study.platforms = {"fattree: by formula, latency 5 µs, 10 GB/s"};
  for (Index p = 1; p <= 64; p *= 2) {
    const double ranks = static_cast<double>(p), collectives = 60;
    const double bytes = 8.0 * static_cast<double>(study.columns + 1);
    io::SimulatedRun run;
    run.platform = "fattree";
    run.ranks = p;
    run.rows = one.rows;
    run.epochs = one.epochs;
    run.converged = true;
    run.communication_seconds =
        collectives * (2 * std::ceil(std::log2(ranks)) * study.fit.latency +
                       2 * (ranks - 1) / ranks * bytes * study.fit.seconds_per_byte);
    run.train_seconds = one.train_seconds / ranks + run.communication_seconds;
    run.model_seconds = run.train_seconds;
    study.simulated.push_back(run);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    io::ScalingStudy study;
    const std::string mode = argc > 2 ? argv[2] : "";
    study.mode = mode == "weak" ? "weak" : "strong";
    study.algorithm = "auto";
    study.cores = 2;
    std::map<Index, Index> repeats;
    std::size_t most = 0;
    for (int i = 3; i < argc; ++i) {
      const io::RunFile file = io::read_run(std::string(argv[i]) + "/run.h5");
      const auto manifest = nlohmann::json::parse(file.manifest);
      study.data = manifest.at("data").at("path").get<std::string>();
      study.columns = manifest.at("data").at("columns").get<Index>();
      study.nonzeros = manifest.at("data").at("nonzeros").get<Index>();
      study.solver = manifest.at("solver").get<std::string>();
      study.command = manifest.at("command").get<std::string>();
      const auto ranks = static_cast<Index>(file.epochs.back().phase_seconds.size());
      study.measured.push_back(measured(argv[i], repeats[ranks]++));
      if (file.hostnames.size() > most) study.hostnames = file.hostnames;
      most = study.hostnames.size();
    }
    if (mode == "simulated") simulate(study);
    io::write_scaling(argv[1], study);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "study_of_runs: %s\n", error.what());
    return 1;
  }
}
