#include "training_problem.hpp"

#include <fmt/format.h>

#include <cmath>

#include "stream_guard.hpp"
#include "svrg/core/error.hpp"
#include "svrg/data/selection.hpp"
#include "svrg/data/synthetic.hpp"
#include "svrg/data/weights.hpp"
#include "svrg/train/warm_start.hpp"
#include "text.hpp"

namespace svrg::app {
namespace {

/// --synthetic. Collective. @throws CollectiveError (usage)
std::optional<Synthetic> synthetic_problem(const Settings& settings, const Communicator& comm,
                                           double share) {
  if (!settings.has("synthetic")) return {};
  Synthetic problem;
  comm.agree("", [&] {
    const auto fields = numbers(settings, "synthetic");
    const auto whole = [](double v) { return v >= 1 && v <= 1e12 && v == std::floor(v); };
    if (fields.size() < 2 || fields.size() > 3 || !whole(fields[0]) || !whole(fields[1]) ||
        (fields.size() == 3 && !(fields[2] > 0 && fields[2] <= 1)))
      throw ConfigError(fmt::format(
          "{}: must be ROWS,COLUMNS or ROWS,COLUMNS,DENSITY such as 1e6,54 or 1e5,50000,0.001",
          settings.place("synthetic")));
    if (settings.has("train"))
      throw ConfigError(settings.place("synthetic") + ": DATA names other rows already");
    problem.rows = std::max<Index>(1, std::llround(share * fields[0]));
    problem.columns = static_cast<Index>(fields[1]);
    if (fields.size() == 3) problem.density = fields[2];
    problem.seed = static_cast<std::uint64_t>(settings.integer("seed"));
    if (problem.columns > settings.integer("max_features"))
      throw ConfigError(settings.place("synthetic") + ": more columns than --max-features");
  });
  return problem;
}

RowOrder row_order_of(const Settings& settings) {
  return settings.is("row_order", "file") || settings.is("load", "stream") ? RowOrder::file
                                                                           : RowOrder::shuffled;
}

/// Rows that stay in their file are neither moved nor changed. @throws ConfigError
void require_streamable(const Settings& settings, double share) {
  const auto refuse = [&](const char* option, const char* why) {
    throw ConfigError(fmt::format("{}: not with --load stream; {}", settings.place(option), why));
  };
  if (settings.given("row_order") && !settings.is("row_order", "file"))
    refuse("row_order",
           "rows stay in the file's order: 'svrg convert --shuffle' writes a good one");
  if (settings.is("partition", "nnz")) refuse("partition", "each rank takes as many rows");
  for (const char* name : {"standardize", "x_scale"})
    if (settings.given(name) && !settings.is(name, "none"))
      refuse(name, "'svrg convert' does so once and for all");
  for (const char* name : {"valid_fraction", "calibrate_fraction"})
    if (settings.number(name) > 0)
      refuse(name, "'svrg convert --valid-fraction' writes two files; give one as --valid");
  if (settings.has("synthetic")) refuse("synthetic", "made-up rows are made in memory");
  if (share < 1) refuse("load", "weak scaling takes a part of the rows, which stay in the file");
}

/// What a resumed run must share with the one it goes on with.
std::string identity(const Settings& settings, const Problem& p) {
  const DataInfo& info = p.train.info();
  std::string text = fmt::format("data={} rows x {} columns, fingerprint {:016x}\n", info.rows,
                                 info.columns, info.fingerprint);
  text += fmt::format("model={}\nintercept={}\nl2={:.17g}\nl1={:.17g}\npositive={}\n",
                      loss_name(p.labels.loss),
                      p.record.penalised_intercept ? "penalised"
                      : p.record.intercept         ? "yes"
                                                   : "no",
                      p.record.l2, p.record.l1, settings.text("positive"));
  text += path_identity(settings);
  if (!p.record.symbol.empty()) text += fmt::format("net={:016x}\n", fingerprint(p.record.symbol));
  // The default solver takes its own path on each number of ranks; for the others the virtual
  // shards are part of what is computed.
  const std::string algorithm = algorithm_of(settings, !p.record.symbol.empty());
  if ((algorithm != "auto" && algorithm != "local-svrg") || chain_per_shard(settings))
    text += fmt::format("virtual-shards={}\n", p.train.partition().virtual_shards());
  return text;
}

}  // namespace

std::string path_identity(const Settings& settings) {
  std::string text;
  for (const char* name :
       {"algorithm",     "engine",         "batch_size",       "update_freq",   "svrg_coefficient",
        "learning_rate", "seed",           "chains",           "deterministic", "row_order",
        "dtype",         "optimizer",      "optimizer_params", "standardize",   "x_scale",
        "input_shape",   "valid_fraction", "class_weight",     "huber_delta",   "partition",
        "inner_copy",    "compression"})
    text += fmt::format("{}={}\n", replaced(name, '_', '-'), settings.text(name));
  text +=
      fmt::format("row-order={}\n", row_order_of(settings) == RowOrder::file ? "file" : "shuffled");
  return text;
}

ReadOptions training_read_options(const Settings& settings, const ModelChoice& choice, int ranks) {
  ReadOptions options = read_options(settings, ranks);
  if (const Index shards = virtual_shards_of(settings)) options.virtual_shards = shards;
  if (settings.has("n_features")) options.columns = settings.integer("n_features");
  if (settings.is("partition", "nnz")) options.balance = Balance::entries;
  options.row_order = row_order_of(settings);
  if (options.stream) guard_stream(settings.text("train"));
  if (choice.is_net() && !options.stream) {
    // A matrix product of dense rows costs less than one of sparse rows down to a few per cent.
    options.dense_from = 0.05;
    if (options.dtype == Storage::automatic) options.dtype = Storage::f32;
  }
  return options;
}

Shard load_rows(const Settings& settings, const ReadOptions& options, const Communicator& comm,
                double share) {
  const auto synthetic = synthetic_problem(settings, comm, share);
  comm.agree("", [&] {
    if (!synthetic && (!settings.has("train") || settings.text("train").empty()))
      throw ConfigError("no training data: svrg train DATA, or train = \"…\" in [data]");
  });
  Shard rows = synthetic ? make_synthetic(comm, *synthetic, options)
                         : read_data(comm, settings.text("train"), options);
  if (settings.has("weights")) read_weights(comm, settings.text("weights"), rows);
  return rows;
}

Problem make_problem(const Settings& settings, const ModelChoice& choice, const Communicator& comm,
                     const LabelMap& labels, Shard train, std::optional<Shard> valid) {
  Problem p{std::move(train), std::move(valid), {}, labels, {}};
  comm.agree("", [&] { p.record = choice.record(labels, p.train.info()); });
  apply_class_weights(settings, comm, labels, p.train, reduction_of(settings));
  const Scaling scaling = chosen_scaling(settings, comm, p.train, reduction_of(settings));
  apply(scaling, p.train);
  if (p.valid) apply(scaling, *p.valid);
  p.record.mean = scaling.mean;
  p.record.scale = scaling.scale;
  p.record.huber_delta = settings.number("huber_delta");
  set_penalty(settings, comm, p);
  return p;
}

Penalties penalties_of(const Settings& settings, Index rows, double weights) {
  return {settings.has("C") ? 1 / (settings.number("C") * weights)
                            : settings.scaled("l2").resolve(rows),
          settings.scaled("l1").resolve(rows)};
}

void set_penalty(const Settings& settings, const Communicator& comm, Problem& p) {
  const double weights =
      settings.has("C") ? sum_of_weights(comm, p.train, reduction_of(settings)) : 0;
  const Penalties penalties = penalties_of(settings, p.train.info().rows, weights);
  p.record.l2 = penalties.l2;
  p.record.l1 = penalties.l1;
}

Problem load_problem(const Settings& settings, const ModelChoice& choice, const Communicator& comm,
                     Screen& screen, double share) {
  const double start = now();
  const Heartbeat::Within loading(comm.heartbeat(), Phase::data);
  ReadOptions options;
  comm.agree("", [&] {
    options = training_read_options(settings, choice, comm.size());
    if (options.stream) require_streamable(settings, share);
  });
  Shard train = load_rows(settings, options, comm, share);
  std::optional<Shard> valid;
  const auto seed = static_cast<std::uint64_t>(settings.integer("seed"));
  if (share < 1 && !settings.has("synthetic"))
    train = split(comm, train, share, options.row_order, seed).second;
  if (const double out = settings.number("valid_fraction"); out > 0) {
    comm.agree("", [&] {
      if (settings.has("valid"))
        throw ConfigError(settings.place("valid_fraction") + ": --valid names other rows already");
    });
    auto parts = split(comm, train, out, options.row_order, seed);
    train = std::move(parts.first);
    valid = std::move(parts.second);
  }
  std::optional<Shard> held_out;
  if (const double out = settings.number("calibrate_fraction"); out > 0) {
    constexpr std::uint64_t other_rows = 0x63616c;  // than those of --valid-fraction
    auto parts = split(comm, train, out, options.row_order, seed ^ other_rows);
    train = std::move(parts.first);
    held_out = std::move(parts.second);
  }
  screen.fact("data", app::describe(train, comm, now() - start));
  const LabelMap labels = choice.labels(comm, train);
  labels.apply(comm, train);
  if (valid) {
    labels.apply(comm, *valid);
    screen.fact("valid", fmt::format("{} rows held out of these", grouped(valid->info().rows)));
  }
  Problem p = make_problem(settings, choice, comm, labels, std::move(train), std::move(valid));
  if (held_out) {
    labels.apply(comm, *held_out);
    apply({p.record.mean, p.record.scale}, *held_out);
    p.held_out = std::move(held_out);
  }
  if (settings.has("valid")) {
    const double before = now();
    options.columns = p.train.info().columns;
    options.feature_names = p.train.info().feature_names;
    if (!p.record.mean.empty()) options.dense_from = 0;
    p.valid = read_data(comm, settings.text("valid"), options);
    p.labels.apply(comm, *p.valid);
    apply_scaling(comm, p.record, *p.valid);
    screen.fact("valid", app::describe(*p.valid, comm, now() - before));
  }
  return p;
}

double sum_of_weights(const Communicator& comm, const Shard& shard, Reduction reduction) {
  return mean_weight(comm, shard, reduction) * static_cast<double>(shard.info().rows);
}

Vec<double> start_weights(const Settings& settings, const Communicator& comm,
                          const ModelChoice& choice, const io::ModelRecord& record,
                          Screen& screen) {
  Vec<double> w = Vec<double>::Zero(record.layout.size());
  const std::string path = settings.text("warm_start");
  if (path.empty()) {
    comm.agree("", [&] {
      if (choice.is_net())
        w = initial_weights(record, static_cast<std::uint64_t>(settings.integer("seed")));
    });
    return w;
  }
  const LoadedModel model = load_model(comm, path);
  comm.agree(settings.place("warm_start") + ": " + path,
             [&] { w = warm_start(model.record, record); });
  screen.fact("start", fmt::format("weights of {}{}", path,
                                   settings.is("resume", "no")
                                       ? ""
                                       : ", unless there is a checkpoint to resume from"));
  if (model.record.penalised_intercept && !record.penalised_intercept && record.intercept)
    screen.message(LogLevel::info, path +
                                       ": its intercept was penalised; for the same objective "
                                       "use --intercept penalised");
  return w;
}

TrainerOptions trainer_options(const Settings& settings, const Problem& p,
                               const std::string& manifest, bool bounded) {
  TrainerOptions o;
  o.epochs = settings.integer("epochs");
  if (settings.has("passes")) o.passes = settings.number("passes");
  if (settings.has("tol_gap") && bounded) o.tol_gap = settings.number("tol_gap");
  o.reference_at_zero = settings.has("warm_start") && p.record.symbol.empty();
  if (settings.has("patience")) o.patience = settings.integer("patience");
  o.tol_grad = o.tol_gap > 0 && !settings.given("tol_grad") ? 0 : settings.number("tol_grad");
  if (settings.has("run_dir")) o.run_dir = settings.text("run_dir");
  const Period period = settings.period("checkpoint_every");
  o.checkpoint_epochs = period.epochs;
  o.checkpoint_seconds = period.seconds;
  if (settings.given("checkpoint_every")) o.checkpoint_interval = 0;
  o.keep = static_cast<int>(std::min<Index>(settings.integer("keep"), 1 << 30));
  o.save_best = settings.flag("save_best");
  o.overwrite = settings.flag("overwrite");
  o.tensorboard = settings.flag("tensorboard");
  o.resume_newest = settings.is("resume", "auto");
  if (!o.resume_newest && !settings.is("resume", "no")) o.resume_file = settings.text("resume");
  o.identity = identity(settings, p);
  o.config = settings.to_toml();
  o.manifest = manifest;
  return o;
}

std::map<std::string, double> metrics_at(ConstVecRef<double> w, const Settings& settings,
                                         const Communicator& comm, const Problem& problem,
                                         Predictor& predictor, SolverSetup& setup,
                                         const std::vector<Metric>& train_metrics,
                                         const std::vector<Metric>& valid_metrics) {
  std::map<std::string, double> values;
  const auto add = [&](const char* prefix, const std::map<std::string, double>& computed) {
    for (const auto& [name, value] : computed) values[prefix + name] = value;
  };
  const Reduction reduction = reduction_of(settings);
  const Loss loss = problem.labels.loss;
  const auto scores = setup.scores();
  predictor.set_weights(w);
  add("train_", scores ? evaluate_scores(comm, loss, predictor.scores_per_row(), *scores,
                                         problem.train, train_metrics, reduction)
                       : evaluate(comm, predictor, loss, problem.train, train_metrics, reduction));
  if (problem.valid)
    add("valid_", evaluate(comm, predictor, loss, *problem.valid, valid_metrics, reduction));
  return values;
}

}  // namespace svrg::app
