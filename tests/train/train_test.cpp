#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>

#include "problems.hpp"
#include "svrg/core/error.hpp"
#include "svrg/data/text_reader.hpp"
#include "svrg/solver/guarded_svrg.hpp"
#include "svrg/train/label_map.hpp"
#include "svrg/train/metric.hpp"
#include "svrg/train/signals.hpp"
#include "svrg/train/trainer.hpp"

namespace svrg {
namespace {

namespace fs = std::filesystem;
using test::make_model;
using test::make_shard;
using test::ProblemSpec;

constexpr double l2 = 0.01;

/// A folder of the job's own, the same on all ranks; gone at the end.
class RunFolder {
 public:
  explicit RunFolder(const Communicator& comm)
      : comm_(comm),
        path_(comm.broadcast(
            (fs::temp_directory_path() / ("svrg_train_test." + std::to_string(getpid())))
                .string())) {
    remove();
  }
  ~RunFolder() { remove(); }
  const std::string& path() const { return path_; }

 private:
  void remove() {
    comm_.barrier();
    if (comm_.is_root()) fs::remove_all(path_);
    comm_.barrier();
  }
  Communicator comm_;
  std::string path_;
};

struct Job {
  ProblemSpec spec{.rows = 300};
  Shard shard;
  LinearModel model;
  MarginObjective f;
  GuardedSvrg solver;
  Vec<double> w;
  TrainerOptions options;
  Job(const Communicator& comm, const std::string& folder, RequestProbe probe = {})
      : shard(make_shard(comm, spec)),
        model(make_model(spec)),
        f(comm, model, shard, Penalty<double>(model.layout(), l2), Reduction::plain,
          std::move(probe)),
        solver(f, {EngineChoice::row, {}}),
        w(Vec<double>::Zero(model.layout().size())) {
    options.run_dir = folder;
    options.checkpoint_epochs = 1;
    options.checkpoint_interval = 0;
    options.identity = "l2=0.01\n";
  }
  TrainResult fit(const Communicator& comm) {
    io::ModelRecord record;
    record.kind = "logistic";
    record.layout = model.layout();
    record.features = model.features();
    record.classes = {-1, 1};
    record.l2 = l2;
    return Trainer(comm, solver, record, shard.info().rows, options, {}).fit(w);
  }
};

TEST(Trainer, stops_for_the_first_reason_that_holds) {
  const auto world = Communicator::world();
  Job tolerance(world, ""), epochs(world, ""), passes(world, "");
  tolerance.options.tol_grad = 1e-4;
  const auto a = tolerance.fit(world);
  EXPECT_EQ(a.stop_reason, "tolerance");
  EXPECT_LE(a.last.grad_norm, 1e-4 * a.first_grad_norm);
  epochs.options.epochs = 3;
  epochs.options.tol_grad = 0;
  const auto b = epochs.fit(world);
  EXPECT_EQ(b.stop_reason, "epochs");
  EXPECT_EQ(b.last.epoch, 3);
  passes.options.passes = 4;
  passes.options.tol_grad = 0;
  const auto c = passes.fit(world);
  EXPECT_EQ(c.stop_reason, "passes");
  EXPECT_GE(c.last.passes, 4);
}

TEST(Trainer, broken_off_by_a_request_goes_on_from_its_checkpoint_to_the_same_bits) {
  const auto world = Communicator::world();
  Job whole(world, "");
  whole.options.tol_grad = 1e-10;
  const auto expected = whole.fit(world);

  const RunFolder folder(world);
  int calls = 0;
  Job first(world, folder.path(), [&] {
    Requests r;
    r.stop = ++calls >= 5;
    return r;
  });
  first.options.tol_grad = 1e-10;
  const auto stopped = first.fit(world);
  EXPECT_EQ(stopped.stop_reason, "signal");
  EXPECT_EQ(stopped.code, ExitCode::stopped);
  EXPECT_LT(stopped.last.epoch, expected.last.epoch);

  Job second(world, folder.path());
  second.options.tol_grad = 1e-10;
  second.options.resume_newest = true;
  const auto resumed = second.fit(world);
  EXPECT_EQ(resumed.last.epoch, expected.last.epoch);
  EXPECT_EQ(std::memcmp(second.w.data(), whole.w.data(),
                        sizeof(double) * static_cast<std::size_t>(whole.w.size())),
            0);
  if (world.is_root()) {
    EXPECT_EQ(io::read_history(folder.path() + "/run.h5").size(),
              static_cast<std::size_t>(expected.last.epoch) + 1);
  }
}

TEST(Trainer, measures_a_good_start_against_zero_weights) {
  const auto world = Communicator::world();
  Job cold(world, ""), warm(world, "");
  cold.options.tol_grad = 1e-8;
  const auto a = cold.fit(world);
  warm.options.tol_grad = 1e-7;
  warm.options.reference_at_zero = true;
  warm.w = cold.w;
  const auto b = warm.fit(world);
  EXPECT_EQ(b.first_grad_norm, a.first_grad_norm);
  EXPECT_EQ(b.stop_reason, "tolerance");
  EXPECT_EQ(b.last.epoch, 0);
  EXPECT_EQ(b.last.passes, 2);  // at zero and at the start
  EXPECT_EQ(warm.w, cold.w);
}

TEST(Trainer, keeps_the_weights_at_which_the_best_figure_was_measured) {
  const auto world = Communicator::world();
  Job job(world, "");
  job.options.epochs = 6;
  job.options.tol_grad = 0;
  job.options.save_best = true;
  job.options.monitor = {"figure", true};
  job.options.patience = 2;
  // Best at the third measurement; equal later ones and NaN do not take its place.
  const std::vector<double> figures = {0.1, std::nan(""), 0.9, 0.9, std::nan(""), 2, 3};
  std::vector<Vec<double>> seen;
  io::ModelRecord record;
  record.kind = "logistic";
  record.layout = job.model.layout();
  record.features = job.model.features();
  record.classes = {-1, 1};
  Trainer trainer(world, job.solver, record, job.shard.info().rows, job.options, {});
  trainer.set_metrics([&](ConstVecRef<double> w) {
    seen.push_back(w);
    return std::map<std::string, double>{{"figure", figures.at(seen.size() - 1)}};
  });
  const auto result = trainer.fit(job.w);
  EXPECT_EQ(result.stop_reason, "patience");
  EXPECT_EQ(result.last.epoch, 4);
  ASSERT_TRUE(result.best);
  EXPECT_EQ(result.best->at().epoch, 2);
  EXPECT_EQ(result.best->value(), 0.9);
  if (world.is_root()) {
    EXPECT_EQ(result.best_weights, seen.at(2));
    EXPECT_NE(result.best_weights, job.w);
  }
}

TEST(Trainer, refuses_to_resume_another_problem) {
  const auto world = Communicator::world();
  const RunFolder folder(world);
  Job first(world, folder.path());
  first.options.epochs = 2;
  first.options.tol_grad = 0;
  first.fit(world);
  Job other(world, folder.path());
  other.options.resume_newest = true;
  other.options.identity = "l2=0.5\n";
  try {
    other.fit(world);
    ADD_FAILURE() << "resumed";
  } catch (const CollectiveError& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    EXPECT_NE(std::string(error.what()).find("l2 is 0.5, the checkpoint's run had 0.01"),
              std::string::npos)
        << error.what();
  }
}

std::unique_ptr<Predictor> predictor_of(const LinearModel& model, const Vec<double>& w) {
  io::ModelRecord record;
  record.kind = loss_name(model.loss());
  record.features = model.features();
  record.intercept = model.intercept();
  const Index classes = model.loss() == Loss::softmax ? model.margins_per_row() : 2;
  for (Index k = 0; k < classes && !takes_numbers(model.loss()); ++k)
    record.classes.push_back(static_cast<double>(k));
  record.layout = model.layout();
  record.weights = w;
  return make_predictor(record);
}

TEST(Metrics, are_those_of_all_rows_whatever_the_ranks) {
  const auto world = Communicator::world();
  for (const Loss loss : {Loss::squared, Loss::logistic, Loss::softmax}) {
    const ProblemSpec spec{.loss = loss, .weighted = true};
    LinearModel model = make_model(spec);
    const Vec<double> w = test::some_weights(model.layout().size());
    const auto predictor = predictor_of(model, w);
    const std::vector<Metric> metrics =
        loss == Loss::squared ? std::vector{Metric::of("mae"), Metric::of("rmse"), Metric::of("r2")}
        : loss == Loss::logistic
            ? std::vector{Metric::of("acc"), Metric::of("ce"), Metric::of("auc"), Metric::of("f1")}
            : std::vector{Metric::of("acc"), Metric::of("ce"), Metric::of("f1"),
                          Metric::of("top_k:2")};
    const Shard here = make_shard(world, spec), all = make_shard(Communicator::self(), spec);
    const auto a = evaluate(world, *predictor, loss, here, metrics, Reduction::plain);
    const auto b = evaluate(Communicator::self(), *predictor, loss, all, metrics, Reduction::plain);
    for (const auto& [name, value] : a) EXPECT_NEAR(value, b.at(name), 1e-12 * (1 + value));
    std::vector<double> z(static_cast<std::size_t>(here.rows() * model.margins_per_row()));
    for (const Part& part : here.all().parts) model.margins(w, here.all(), part, z.data());
    EXPECT_EQ(
        evaluate_scores(world, loss, model.margins_per_row(), z, here, metrics, Reduction::plain),
        a);
  }
}

TEST(Metrics, accuracy_counts_right_labels) {
  const std::vector<double> x = {1, -1, 2, -2};
  LinearModel model(Loss::logistic, 1, 2, false);
  DataInfo info;
  info.rows = 4;
  info.columns = 1;
  const Partition partition(4, 1, RowOrder::file);
  const Shard shard(info, partition, 0, 1, DenseStore<double>{x}, {1, -1, -1, -1}, {});
  const Metric acc[] = {Metric::of("acc")};
  const auto values = evaluate(Communicator::self(), *predictor_of(model, Vec<double>::Ones(1)),
                               model.loss(), shard, acc, Reduction::plain);
  EXPECT_DOUBLE_EQ(values.at("acc"), 0.75);
  EXPECT_THROW(require_suitable(Metric::of("rmse"), Loss::logistic), ConfigError);
  EXPECT_THROW(Metric::of("accuracy"), ConfigError);
}

/// Rows of one feature, which is the score; owned by this rank alone.
std::map<std::string, double> metrics_of(Loss loss, const std::vector<double>& scores, Index K,
                                         std::vector<double> labels, std::vector<double> weights,
                                         std::initializer_list<const char*> names) {
  DataInfo info;
  info.rows = static_cast<Index>(labels.size());
  info.columns = 1;
  info.weighted = !weights.empty();
  DenseStore<double> store{std::vector<double>(labels.size())};
  const Shard shard(info, Partition(info.rows, 1, RowOrder::file), 0, 1, std::move(store),
                    std::move(labels), std::move(weights));
  std::vector<Metric> metrics;
  for (const char* name : names) metrics.push_back(Metric::of(name));
  return evaluate_scores(Communicator::self(), loss, K, scores, shard, metrics, Reduction::plain);
}

TEST(Metrics, have_the_values_of_their_definitions) {
  // In order of scores: − + − + (a tie) + ; pairs in order: 3 positives, 2 negatives.
  const auto two = metrics_of(Loss::logistic, {-2, -1, 0.5, 0.5, 3}, 1, {-1, 1, -1, 1, 1}, {},
                              {"auc", "f1", "acc"});
  EXPECT_DOUBLE_EQ(two.at("auc"), (1 + 1.5 + 2) / 6);
  EXPECT_DOUBLE_EQ(two.at("f1"), 2 * 2.0 / (3 + 3));  // 2 hits, 3 taken for +, 3 that are
  EXPECT_DOUBLE_EQ(two.at("acc"), 0.6);
  const auto twice = metrics_of(Loss::logistic, {-2, -1, -1, 0.5, 0.5, 3}, 1, {-1, 1, 1, -1, 1, 1},
                                {}, {"auc", "f1"});
  const auto weighted = metrics_of(Loss::logistic, {-2, -1, 0.5, 0.5, 3}, 1, {-1, 1, -1, 1, 1},
                                   {1, 2, 1, 1, 1}, {"auc", "f1"});
  for (const auto& [name, value] : twice) EXPECT_DOUBLE_EQ(weighted.at(name), value) << name;
  EXPECT_TRUE(std::isnan(metrics_of(Loss::logistic, {1, 2}, 1, {1, 1}, {}, {"auc"}).at("auc")));

  const auto three = metrics_of(Loss::softmax, {3, 2, 1, 3, 2, 1, 1, 3, 2}, 3, {0, 1, 0}, {},
                                {"top_k:1", "top_k:2", "top_k:3", "f1"});
  EXPECT_DOUBLE_EQ(three.at("top_k_1"), 1.0 / 3);
  EXPECT_DOUBLE_EQ(three.at("top_k_2"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(three.at("top_k_3"), 1);
  EXPECT_DOUBLE_EQ(three.at("f1"), (2 * 1.0 / (2 + 2) + 0 + 0) / 3);

  const double far = 1e6;  // a large offset must not eat the deviation
  const auto numbers = metrics_of(Loss::squared, {far + 1, far + 2, far + 4}, 1,
                                  {far + 1, far + 2, far + 3}, {}, {"r2", "mae"});
  EXPECT_NEAR(numbers.at("r2"), 0.5, 1e-9);
  EXPECT_DOUBLE_EQ(numbers.at("mae"), 1.0 / 3);
  EXPECT_THROW(Metric::of("top_k:0"), ConfigError);
  EXPECT_THROW(Metric::of("acc:3"), ConfigError);
  EXPECT_THROW(require_suitable(Metric::of("auc"), Loss::softmax), ConfigError);
}

TEST(Metrics, confusion_counts_every_row_once) {
  const auto world = Communicator::world();
  const ProblemSpec spec{.loss = Loss::softmax};
  const Shard shard = make_shard(world, spec);
  LinearModel model = make_model(spec);
  const auto predictor = predictor_of(model, test::some_weights(model.layout().size()));
  const auto table = confusion(world, *predictor, spec.loss, shard, Reduction::plain);
  EXPECT_EQ(table.sum(), static_cast<double>(spec.rows));
  const Metric acc[] = {Metric::of("acc")};
  const auto values = evaluate(world, *predictor, spec.loss, shard, acc, Reduction::plain);
  EXPECT_DOUBLE_EQ(table.trace() / table.sum(), values.at("acc"));
}

Shard labelled(std::vector<double> labels) {
  DataInfo info;
  info.path = "made";
  info.rows = static_cast<Index>(labels.size());
  info.columns = 1;
  const Partition partition(info.rows, 1, RowOrder::file);
  DenseStore<double> ones{std::vector<double>(labels.size(), 1)};
  return Shard(info, partition, 0, 1, std::move(ones), std::move(labels), {});
}

TEST(LabelMap, chooses_the_model_by_the_labels) {
  const auto self = Communicator::self();
  EXPECT_EQ(LabelMap::choose(self, labelled({3, 7, 3}), "auto", {}).loss, Loss::logistic);
  EXPECT_EQ(LabelMap::choose(self, labelled({0, 1, 2}), "auto", {}).loss, Loss::softmax);
  EXPECT_EQ(LabelMap::choose(self, labelled({0.5, 1, 2}), "auto", {}).loss, Loss::squared);
  EXPECT_THROW(LabelMap::choose(self, labelled({0, 1, 2}), "logistic", {}), CollectiveError);
  EXPECT_THROW(LabelMap::choose(self, labelled({1, 1}), "logistic", {}), CollectiveError);
  EXPECT_THROW(LabelMap::choose(self, labelled({1, 2}), "auto", {5}), CollectiveError);
}

TEST(LabelMap, maps_any_values_and_remembers_them) {
  const auto self = Communicator::self();
  Shard two = labelled({7, 3, 3});
  const LabelMap map = LabelMap::choose(self, two, "auto", {});
  map.apply(self, two);
  EXPECT_EQ(std::vector<double>(two.labels().begin(), two.labels().end()),
            (std::vector<double>{1, -1, -1}));
  const double up = 0.1, down = -0.1;
  EXPECT_EQ(map.label_of(&up), 7);
  EXPECT_EQ(map.label_of(&down), 3);
  Shard unknown = labelled({7, 4});
  EXPECT_THROW(map.apply(self, unknown), CollectiveError);
  Shard rest = labelled({0, 5, 9, 2});
  const LabelMap positive = LabelMap::choose(self, rest, "auto", {9, 2});
  positive.apply(self, rest);
  EXPECT_EQ(std::vector<double>(rest.labels().begin(), rest.labels().end()),
            (std::vector<double>{-1, -1, 1, 1}));
}

TEST(SignalWatch, ignores_signals_when_told_to) {
  const SignalWatch watch;
  SignalWatch::ignore();
  raise(SIGTERM);
  raise(SIGUSR1);
  EXPECT_FALSE(SignalWatch::poll().stop);
}

TEST(SignalWatch, turns_signals_into_requests) {
  SignalWatch watch;
  EXPECT_FALSE(watch.poll().any());
  raise(SIGUSR2);
  EXPECT_TRUE(watch.poll().save);
  EXPECT_FALSE(watch.poll().save);
  raise(SIGUSR1);
  EXPECT_TRUE(watch.poll().stop);
  EXPECT_TRUE(watch.poll().stop);
}

}  // namespace
}  // namespace svrg
