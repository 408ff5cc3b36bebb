// Sizes times rates. The numbers of outer iterations are what the engines took to a relative error
// of 1e-9 on problems with λ = 1/n of every shape that was tried (tests/benchmarks/README.md); the
// rest follows from what the engines do.
#include "svrg/solver/cost_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <utility>

#include "svrg/core/error.hpp"
#include "svrg/solver/engine.hpp"

namespace svrg {
namespace {

constexpr std::array<std::pair<const char*, double Rates::*>, 7> names = {
    {{"bandwidth", &Rates::bandwidth},
     {"entries", &Rates::entries},
     {"products", &Rates::products},
     {"updates", &Rates::updates},
     {"factoring", &Rates::factoring},
     {"latency", &Rates::latency},
     {"network", &Rates::network}}};

/// Outer iterations to a relative error of 1e-9.
constexpr double row_outers = 10, ssn_outers = 6, newton_outers = 4;

double real(Index i) { return static_cast<double>(i); }

}  // namespace

Rates rates_of(std::string_view set) {
  // One core of a Zen 4 (tests/benchmarks/kernels_bench); plain is what it does without vectors.
  Rates r{.bandwidth = 13e9,
          .entries = 450e6,
          .products = 16e9,
          .updates = 0.8e9,
          .factoring = 4e9,
          .latency = 10e-6,
          .network = 1e9};
  if (set == "avx2") r.products = 12e9;
  if (set == "plain") {
    r.bandwidth = 6e9;
    r.entries = 350e6;
    r.products = 1.5e9;
  }
  return r;
}

Rates read_rates(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw DataError("cannot read " + path + ": write one with svrg bench --rates " + path);
  Rates rates;
  std::array<bool, names.size()> found{};
  std::string name;
  double value = 0;
  for (int line = 1; file >> name; ++line) {
    const auto at = std::find_if(names.begin(), names.end(),
                                 [&](const auto& known) { return name == known.first; });
    if (at == names.end() || !(file >> value) || !(value > 0) || !std::isfinite(value))
      throw DataError(path + ":" + std::to_string(line) +
                      ": expected one of bandwidth, entries, products, updates, factoring, "
                      "latency and network, and a positive number");
    rates.*at->second = value;
    found[static_cast<std::size_t>(at - names.begin())] = true;
  }
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!found[i]) throw DataError(path + ": has no " + names[i].first);
  return rates;
}

std::string to_text(const Rates& rates) {
  std::string text;
  for (const auto& [name, member] : names) text += fmt::format("{} {:.4g}\n", name, rates.*member);
  return text;
}

Workload workload_of(const Shard& shard, Loss loss, Index parameters, Index classes, Index ranks,
                     Index chains) {
  Workload work;
  work.loss = loss;
  work.rows = shard.info().rows;
  work.sparse = shard.sparse();
  work.stored = work.sparse ? shard.info().nonzeros : work.rows * shard.info().columns;
  work.parameters = parameters;
  work.classes = classes;
  work.value_bytes = std::visit(
      [](const auto& x) {
        return static_cast<Index>(sizeof(typename std::decay_t<decltype(x)>::Value));
      },
      shard.all().inputs[0].rows);
  work.ranks = ranks;
  work.chains = chains;
  return work;
}

std::string_view engine_name(EngineKind kind) {
  return kind == EngineKind::row ? "row" : kind == EngineKind::ssn ? "ssn" : "newton";
}

std::array<EngineCost, 3> engine_costs(const Workload& w, const Rates& rates) {
  constexpr double never = std::numeric_limits<double>::infinity();
  const double n = std::max(real(w.rows), 1.0), P = real(w.parameters), K = real(w.classes);
  const double stored = real(w.stored) / real(w.ranks);
  // A sweep: dots and the gradient's sum. Dense rows wait for memory, or for K classes' products.
  const double bytes = stored * real(w.value_bytes);
  const double sweep = w.sparse
                           ? stored * (1 + (K - 1) / 4) / rates.entries
                           : std::max(bytes / rates.bandwidth, 4 * stored * K / rates.products);
  const double reduction = w.ranks > 1 ? rates.latency + 8 * P / rates.network : 0;
  const double search = w.ranks > 1 ? 2 * rates.latency : 0;
  const double outside = 1.5 * sweep + 2 * reduction + search;  // gradient, a direction's margins

  const EngineCost row{EngineKind::row, outside + (w.sparse ? 1.2 : 1.0) * sweep, row_outers};
  EngineCost ssn{EngineKind::ssn, never, ssn_outers};
  EngineCost newton{EngineKind::newton, never, newton_outers};
  if (w.parameters <= SubsampledNewtonEngine::most_parameters) {
    // Products of a row with itself in a Hessian's lower triangle, classes in pairs.
    const double length = real(w.stored) / n;
    const double row_products =
        w.sparse ? 0.5 * length * length * K * K / (rates.updates * (K > 1 ? 2 : 1))
                 : 0.25 * length * length * K * (K + 1) / rates.products;
    const double factor = P * P * P / 6 / rates.factoring;
    const double hessian_reduction = w.ranks > 1 ? rates.latency + 4 * P * P / rates.network : 0;
    const auto plan = SubsampledNewtonEngine::plan(w.loss, w.parameters, w.rows, w.chains, false);
    const double share = real(plan.epoch_rows()) * real(w.chains) / n;
    const double solves = real(plan.epoch_rows() / std::max<Index>(plan.batch, 1)) * P * P;
    const double probes = std::max(32.0, 256 / K) * K * P * P / 2;
    const double build = real(plan.samples) / real(w.ranks) * row_products + factor +
                         probes / rates.factoring + hessian_reduction;
    ssn.outer = outside + share * sweep + solves / rates.factoring + 0.6 * build;
    newton.outer = outside + n / real(w.ranks) * row_products + factor + hessian_reduction;
    if (w.loss == Loss::squared) newton.outers = 1;
  }
  return {row, ssn, newton};
}

EngineKind cheapest(const std::array<EngineCost, 3>& costs) {
  return std::min_element(costs.begin(), costs.end(),
                          [](const auto& a, const auto& b) { return a.seconds() < b.seconds(); })
      ->kind;
}

}  // namespace svrg
