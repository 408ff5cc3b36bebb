// The sizes are those of the vectors that objective, solver and trainer hold; a test compares them
// with what runs take and send.
#include "needs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model_choice.hpp"
#include "quantity.hpp"
#include "solve.hpp"
#include "svrg/comm/packed_sum.hpp"
#include "svrg/core/clock.hpp"
#include "svrg/optimizer/optimizer.hpp"
#include "svrg/solver/guarded_svrg.hpp"
#include "svrg/solver/proximal_svrg.hpp"

namespace svrg::app {
namespace {

constexpr Index tail = 6;  // numbers behind a gradient

/// Bytes that root sends in one reduction.
class Reductions {
 public:
  Reductions(const Settings& settings, int ranks, const Shard& shard)
      : others_(ranks - 1),
        threads_(threads_of(settings)),
        tree_(reduction_of(settings) == Reduction::fixed_tree),
        owned_(shard.owned_shards()),
        shards_(shard.partition().virtual_shards()) {}
  double sent(Index values, Index behind, Index value_size = 8) const {
    if (others_ == 0) return 0;
    constexpr Index joint = 1 << 16;  // shorter ones travel as doubles
    const Index size = values <= joint ? 8 : value_size;
    return static_cast<double>((tree_ ? others_ * owned_ : 1) * (values * size + behind * 8));
  }
  double broadcast(Index bytes) const { return others_ == 0 ? 0 : static_cast<double>(bytes); }
  /// What the record of an epoch gathers.
  double record() const { return broadcast(static_cast<Index>(8 * (phase_names.size() + 1))); }
  /// Buffers for a sum of so many bytes.
  Index buffer(Index bytes) const { return (tree_ ? owned_ + 2 * shards_ : threads_) * bytes; }

 private:
  Index others_, threads_;
  bool tree_;
  Index owned_, shards_;
};

/// Vectors as long as the weights in a checkpoint: it is there as state, as document and as image.
Index checkpoint_bytes(const Settings& settings, Index vectors, Index parameters, Index size) {
  if (!settings.has("run_dir")) return 0;
  return 3 * (8 + vectors * size) * parameters;
}

bool shard_is_single(const Shard& shard) {
  return std::visit(
      [](const auto& x) {
        return std::is_same_v<typename std::decay_t<decltype(x)>::Value, float>;
      },
      shard.all().inputs[0].rows);
}

/// Values stored on this rank.
Index values_of(const Shard& shard) {
  return std::visit(
      [](const auto& x) {
        if constexpr (requires { x.starts; })
          return x.starts[x.rows];
        else
          return x.rows * x.columns;
      },
      shard.all().inputs[0].rows);
}

/// What chains of row steps read.
void add_rounded_rows(Needs& needs, const Settings& settings, const Shard& shard) {
  if (!shard_is_single(shard) && !shard.streamed() && !settings.is("inner_copy", "none"))
    needs.add("copy of the rows in single precision", values_of(shard) * 4);
}

void add_guarded(Needs& needs, const Settings& settings, int ranks, const Shard& shard,
                 const io::ModelRecord& model) {
  using Ssn = SubsampledNewtonEngine;
  const Loss loss = loss_from_name(model.kind);
  const Index P = model.layout.size(), n = shard.info().rows;
  const Index K = loss == Loss::softmax ? static_cast<Index>(model.classes.size()) : 1;
  const Index shards = shard.partition().virtual_shards();
  const Index threads = threads_of(settings), workers = ranks * threads;
  const Index chains = chain_per_shard(settings) ? shards : std::min(workers, shards);
  const EngineChoice choice = engine_of(settings);
  const Workload work =
      workload_of(shard, loss, P, K, chain_per_shard(settings) ? 1 : workers, chains);
  const EngineKind kind = choice == EngineChoice::row   ? EngineKind::row
                          : choice == EngineChoice::ssn ? EngineKind::ssn
                          : choice == EngineChoice::newton
                              ? EngineKind::newton
                              : cheapest(engine_costs(work, rates_from(settings)));
  const bool ssn = kind != EngineKind::row;
  const bool may_be_ssn = ssn || (choice == EngineChoice::automatic && P <= Ssn::most_parameters);
  const Reductions reduction(settings, ranks, shard);
  constexpr Index doubles_a_margin = 3, floats_a_margin = 7, vectors = 24, factors = 5;
  needs.add("margins and directions",
            shard.rows() * K * (doubles_a_margin * 8 + floats_a_margin * 4));
  needs.add("vectors of weights", (vectors + 3 * threads) * P * 8 + reduction.buffer(P * 8) +
                                      checkpoint_bytes(settings, 9, P, 8));
  if (may_be_ssn)
    needs.add("Hessian and factor",
              (factors - 2 + threads) * P * P * 8 + reduction.buffer(P * P * 8));

  if (const Index m = P / K; K > 1 && !may_be_ssn && m <= Ssn::most_parameters)
    needs.add("preconditioner of CG", (2 + threads) * m * m * 8 + reduction.buffer(m * m * 8));
  if (!ssn) add_rounded_rows(needs, settings, shard);

  needs.unit = "outer iteration";
  constexpr Index line = 6 * 6 + 6 + 1;  // of the search, 1 to 5 times
  const double always = reduction.sent(P, tail + K + 3) + reduction.broadcast(6 * 8) +
                        reduction.record() + reduction.sent(line / 3, 0);
  const double search = 5 * reduction.sent(line, 0);
  const auto cost = [&](double passes, double more_passes, double sent, double more_sent) {
    const bool first = needs.most_passes == 0;
    needs.least_passes = first ? passes : std::min(needs.least_passes, passes);
    needs.most_passes = std::max(needs.most_passes, passes + more_passes);
    needs.least_sent = first ? sent : std::min(needs.least_sent, sent);
    needs.most_sent = std::max(needs.most_sent, sent + more_sent);
  };
  constexpr double measured = 1.5;  // gradient and the new direction's margins
  if (!ssn) cost(1 + measured, 0, always + reduction.sent(P, 0), search);
  if (!may_be_ssn) return;
  const Ssn::Plan plan = Ssn::plan(loss, P, n, chains, kind == EngineKind::newton);
  const auto rows = static_cast<double>(n);
  const double build = 0.5 * static_cast<double>(plan.samples) / rows;
  const double steps = plan.newton ? 0 : static_cast<double>(plan.epoch_rows() * chains) / rows;
  const double chain = plan.newton ? reduction.broadcast(P * 8) : reduction.sent(P, 0);
  cost(steps + measured, build, always + chain, search + reduction.sent(P * (P + 1) / 2, 1));
}

void add_proximal(Needs& needs, const Settings& settings, int ranks, const Shard& shard,
                  const io::ModelRecord& model) {
  const Index P = model.layout.size();
  const Index K = model.kind == "softmax" ? static_cast<Index>(model.classes.size()) : 1;
  const Index set =
      P <= ProximalSvrg::most_parameters ? P : std::min(P, ProximalSvrg::largest_working_set);
  const Reductions reduction(settings, ranks, shard);
  constexpr Index doubles_a_margin = 3, floats_a_margin = 1, vectors = 16;
  const Index matrices = 4 + threads_of(settings);
  needs.add("margins and directions",
            shard.rows() * K * (doubles_a_margin * 8 + floats_a_margin * 4));
  needs.add("vectors of weights",
            vectors * P * 8 + reduction.buffer(P * 8) + checkpoint_bytes(settings, 1, P, 8));
  if (P > ProximalSvrg::most_parameters) add_rounded_rows(needs, settings, shard);
  needs.add("Hessian of a working set", matrices * set * set * 8 + reduction.buffer(set * set * 8));
  needs.unit = "outer iteration";
  const double always = reduction.sent(P, tail + K + 3) + reduction.broadcast(P * 8) +
                        reduction.record() + 4 * reduction.sent(3, 0);
  needs.least_passes = 1.5;
  needs.most_passes = 2.5;
  needs.least_sent = always + reduction.sent(std::min(P, set), 0);
  needs.most_sent = always + std::max(reduction.sent(set * set, 1), reduction.sent(P, 0)) +
                    20 * reduction.sent(3, 0);
}

template <class Real>
void add_minibatch(Needs& needs, const Settings& settings, int ranks, const Shard& shard,
                   const io::ModelRecord& model) {
  const bool net = !model.symbol.empty();
  const std::string name = algorithm_of(settings, net);
  const Index P = model.layout.size(), n = shard.info().rows;
  constexpr auto size = static_cast<Index>(sizeof(Real));
  const Index slots =
      make_optimizer<Real>(optimizer_of(settings, net), optimizer_options(settings))->slots();
  const bool svrg = name == "svrg";
  const Reductions reduction(settings, ranks, shard);
  if (net) {
    constexpr Index block = 128;
    // Values and gradients of the trained net, values of the one that scores rows.
    needs.add("the net on a block of rows", values_per_row(model) * block * size * 3 / 2);
  } else {
    const Index K = model.kind == "softmax" ? static_cast<Index>(model.classes.size()) : 1;
    needs.add("margins for the learning rate", shard.rows() * K * 16);
  }
  // The trainer's and the scorer's weights are doubles; the solver's, its gradient, the last good
  // point and, for nets, a second gradient are of its own kind.
  const Index own = 4 + (svrg ? 2 : 0);
  needs.add("parameters and gradients",
            P * (16 + own * size) + reduction.buffer(P * size) +
                checkpoint_bytes(settings, 1 + (svrg ? 2 : 0) + slots, P, size));
  if (slots > 0)
    needs.add(fmt::format("{} of {}", slots == 1 ? "a slot" : fmt::format("{} slots", slots),
                          optimizer_of(settings, net)),
              slots * P * size);

  const Index batch = name == "gd" ? n : std::min(settings.integer("batch_size"), n);
  const double steps = std::ceil(static_cast<double>(n) / static_cast<double>(batch));
  const double measures =
      name == "gd" ? 1 : 1 / static_cast<double>(settings.integer("update_freq"));
  const double exact = reduction.sent(P, tail, size);
  double step = exact;
  if (const auto packing = Compression::of(settings.text("compression")); packing && name != "gd") {
    const Index owned = shard.owned_shards(), bytes = packed_bytes(packing, model.layout);
    // Contributions and residuals of own shards, the residuals of all for a checkpoint, messages.
    needs.add("packed steps",
              (2 * owned + 1) * P * size + (shard.partition().virtual_shards() + owned) * bytes +
                  checkpoint_bytes(settings, shard.partition().virtual_shards(), P, size));
    step = ranks == 1 ? 0 : static_cast<double>(owned * bytes + tail * 8);
  }
  needs.least_passes = needs.most_passes = svrg ? 2 + measures : 1;
  needs.least_sent = needs.most_sent =
      steps * step + measures * (exact + reduction.broadcast(P * size) + reduction.record());
}

}  // namespace

void Needs::add(std::string_view what, Index bytes) {
  Use& use = memory.emplace_back();
  use.what = what;
  use.bytes = bytes;
}

Index Needs::bytes() const {
  Index sum = 0;
  for (const Use& use : memory) sum += use.bytes;
  return sum;
}

Needs training_needs(const Settings& settings, int ranks, const Shard& shard,
                     const io::ModelRecord& model) {
  Needs needs;
  const bool net = !model.symbol.empty();
  const std::string algorithm = algorithm_of(settings, net);
  if (!net && (algorithm == "auto" || algorithm == "local-svrg"))
    (model.l1 > 0 ? add_proximal : add_guarded)(needs, settings, ranks, shard, model);
  else if (model.single)
    add_minibatch<float>(needs, settings, ranks, shard, model);
  else
    add_minibatch<double>(needs, settings, ranks, shard, model);
  constexpr Index hdf5 = 6 << 20;  // and code that is first called when it is written
  if (settings.has("run_dir")) needs.add("writing files", hdf5);
  return needs;
}

std::vector<std::pair<std::string, std::string>> in_words(const Needs& needs, Index rows, Index now,
                                                          Index reading) {
  const auto size = [](auto bytes) { return format_count(static_cast<double>(bytes)) + "B"; };
  const auto range = [](const std::string& least, const std::string& most) {
    return least == most ? least : least + " to " + most;
  };
  std::string uses;
  for (const auto& use : needs.memory)
    uses += fmt::format("{}{} {}", uses.empty() ? "" : ", ", size(use.bytes), use.what);
  return {{"memory", fmt::format("{} at most on a rank: {} with the rows read ({}), {} for "
                                 "training; reading took {}",
                                 size(std::max(reading, now + needs.bytes())), size(now),
                                 size(rows), size(needs.bytes()), size(reading))},
          {"needs", uses},
          {"cost", fmt::format("{} passes over the rows and {} sent by a rank in an {}",
                               range(fmt::format("{:.3g}", needs.least_passes),
                                     fmt::format("{:.3g}", needs.most_passes)),
                               range(size(needs.least_sent), size(needs.most_sent)), needs.unit)}};
}

}  // namespace svrg::app
