// golden_replay FILE…: compares this library with traces recorded from MXNet's SVRGModule, one line
// a file. Exit status 0 if all that is meant to be compared agrees, within each file's tolerances.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>

#include "golden/comparison.hpp"
#include "svrg/comm/communicator.hpp"
#include "svrg/comm/environment.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/file.hpp"

namespace {

using svrg::io::Document;
using Replay = std::function<void(const Document&, golden::Comparison&)>;

/// What a file is, by what it holds: its name may be anything.
Replay replay_for(const Document& file) {
  const auto any_group = [&](const char* name) {
    for (const auto& [path, attributes] : file.groups)
      if (attributes.count(name)) return true;
    return false;
  };
  const auto any_path = [&](const std::string& part) {
    for (const auto& [path, v] : file.variables)
      if (path.find(part) != std::string::npos) return true;
    return false;
  };
  if (golden::has(file, "symbol_json")) return golden::replay_training;
  if (any_group("optimizer")) return golden::replay_optimizers;
  if (any_group("metric")) return golden::replay_metrics;
  if (any_group("initializer")) return golden::replay_initializers;
  if (golden::has(file, "rule/dequantized")) return golden::replay_compression;
  if (any_path("bytes/")) return golden::replay_checkpoint_bytes;
  if (golden::has(file, "libsvm_text") || any_path("ndarray_")) return golden::replay_iterators;
  if (any_path("/lr")) return golden::replay_schedulers;
  throw svrg::DataError("neither a training case nor a unit file");
}

double number_or(const std::string& text, double otherwise) {
  return text.empty() ? otherwise : std::stod(text);
}

/// Recorded nag traces carry a defect of the size of lr·wd (C18).
double tolerance(const Document& file) {
  const double rtol = number_or(golden::attribute(file, "", "rtol"), 1e-5);
  const std::string config = golden::attribute(file, "", "config");
  const bool nag = config.find("\"nag\"") != std::string::npos;
  return nag && config.find("\"wd\"") != std::string::npos ? 1e-2 : rtol;
}

int replay(int argc, char** argv) {
  const bool root = svrg::Communicator::world().is_root();
  const auto say = [&](const std::string& line) {
    if (root) std::fputs((line + "\n").c_str(), stdout);
  };
  if (argc < 2) throw svrg::ConfigError("usage: golden_replay FILE…");
  say(fmt::format("{:<24} {:<10} {:<28} {:>9} {:>10}  {}", "file", "compared", "original", "values",
                  "error", ""));
  int passed = 0, failed = 0, skipped = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string name = std::filesystem::path(argv[i]).stem().string();
    try {
      const Document file = svrg::io::from_image(svrg::io::read_file(argv[i]), argv[i]);
      const std::string use = golden::attribute(file, "", "use");
      const std::string status = golden::attribute(file, "", "status");
      if (use == "none") {
        ++skipped;
        say(fmt::format("{:<24} {:<10} {:<28} {:>9} {:>10}  skipped", name, "nothing", status, "",
                        ""));
        continue;
      }
      golden::Comparison result(tolerance(file),
                                number_or(golden::attribute(file, "", "atol"), 1e-6));
      replay_for(file)(file, result);
      (result.passed() ? passed : failed) += 1;
      say(fmt::format("{:<24} {:<10} {:<28} {:>9} {:>10.2e}  {}", name, use.empty() ? "unit" : use,
                      status.empty() ? "-" : status, result.compared(), result.worst(),
                      result.passed() ? "ok" : "FAILED"));
      const auto& failures = result.failures();
      for (std::size_t f = 0; f < std::min<std::size_t>(failures.size(), 5); ++f)
        say("    " + failures[f]);
    } catch (const svrg::Error& error) {
      ++failed;
      say(fmt::format("{:<24} FAILED: {}", name, error.what()));
    }
  }
  say(fmt::format("{} passed, {} failed, {} skipped", passed, failed, skipped));
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) { return svrg::run(argc, argv, replay); }
