// Nets with an embedding whose gradient is row_sparse, in the minibatch scheme.
#include <gtest/gtest.h>

#include "problems.hpp"
#include "svrg/model/symbol_model.hpp"
#include "svrg/solver/minibatch.hpp"

namespace svrg {
namespace {

const test::ProblemSpec spec{.loss = Loss::softmax, .rows = 61, .spread = 8};

/// Numbers that the data hold (of any size, the negative as 0) are rows of an embedding.
Symbol net(bool sparse) {
  auto x = sym::Embedding({{"data", sym::Variable("data")},
                           {"input_dim", 80},
                           {"output_dim", 2},
                           {"sparse_grad", sparse},
                           {"name", "embed"}});
  x = sym::FullyConnected(x, {{"num_hidden", 3}, {"name", "fc"}});
  return sym::SoftmaxOutput(x, {{"name", "softmax"}});
}

struct Method {
  Options params{{"momentum", 0.8}, {"wd", 0.02}};
  std::string optimizer = "sgd";
  double l1 = 0;
  bool reduced = true;
  Reduction reduction = Reduction::plain;
  Compression compression{};
};

/// The scheme with all that it stands on.
struct Training {
  Shard shard;
  SymbolModel<double> model;
  ModelObjective<double> f;
  Sampler sampler;
  SvrgEstimator<double> svrg;
  PlainEstimator<double> plain;
  std::unique_ptr<Optimizer<double>> optimizer;
  MinibatchSolver<double> solver;
  Vec<double> w;
  Training(const Communicator& comm, bool sparse, const Method& s = {}, RequestProbe probe = {})
      : shard(test::make_shard(comm, spec)),
        model(Net::of(net(sparse)), {.inputs = {{"data", {4, spec.features}}}}),
        f(comm, model, shard, Penalty<double>(model.layout(), 0.01, s.l1), s.reduction,
          std::move(probe), s.compression, 6),
        sampler(shard, 6, 1),
        optimizer(make_optimizer<double>(s.optimizer, s.params)),
        solver(comm, model.layout(), f, sampler,
               s.reduced ? static_cast<GradientEstimator<double>&>(svrg) : plain, *optimizer,
               {.learning_rate = 0.05, .convex = false}),
        w(0.1 * test::some_weights(model.layout().size())) {}
  const Vec<double>& run(Index epochs) {
    Outcome at = solver.start(w);
    while (at.epoch < epochs) at = solver.advance(w);
    return w;
  }
};

TEST(RowSparse, steps_are_of_the_rows_that_a_batch_reads_on_any_rank) {
  const auto world = Communicator::world();
  Training here(world, true), alone(Communicator::self(), true);
  const Parameter& embedding = here.model.layout().at("embed_weight");
  EXPECT_TRUE(embedding.row_sparse);
  for (const Batch *batch = here.sampler.next(), *all = alone.sampler.next(); batch;
       batch = here.sampler.next(), all = alone.sampler.next()) {
    const Support &support = here.f.support(*batch), &expected = alone.f.support(*all);
    const auto rows = support.rows_of(embedding), same = expected.rows_of(embedding);
    EXPECT_EQ(std::vector<Index>(rows.begin(), rows.end()),
              std::vector<Index>(same.begin(), same.end()));
    EXPECT_LT(rows.size(), 43);  // 6 rows of 7 numbers
    here.f.accumulate(here.w, nullptr, *batch, Pass{});
    here.f.reduce(nullptr, here.w);
    alone.f.accumulate(alone.w, nullptr, *all, Pass{});
    alone.f.reduce(nullptr, alone.w);
  }
}

TEST(RowSparse, training_gives_what_dense_gradients_give) {
  const auto world = Communicator::world();
  for (const Method& method :
       {Method{}, Method{.params = {}}, Method{.params = {}, .l1 = 1e-3}, Method{.reduced = false},
        Method{.optimizer = "nag"}, Method{.params = {{"lazy_update", false}}, .optimizer = "adam"},
        Method{.reduction = Reduction::fixed_tree},
        Method{.compression = Compression::of("2bit")}}) {
    Training sparse(world, true, method), dense(world, false, method);
    EXPECT_LT((sparse.run(5) - dense.run(5)).norm(), 1e-12 * dense.w.norm()) << method.optimizer;
    EXPECT_EQ(sparse.solver.measure(sparse.w).epoch, 5);
    EXPECT_FALSE(sparse.optimizer->owes());
  }
}

TEST(RowSparse, weights_do_not_depend_on_ranks) {
  const auto world = Communicator::world(), self = Communicator::self();
  Training here(world, true), alone(self, true);
  EXPECT_LT((here.run(6) - alone.run(6)).norm(), 1e-12 * alone.w.norm());
  const Method exact{.reduction = Reduction::fixed_tree};
  Training tree(world, true, exact), tree_alone(self, true, exact);
  EXPECT_EQ(tree.run(6), tree_alone.run(6));
}

TEST(RowSparse, stopped_in_mid_epoch_and_resumed_it_ends_with_the_same_bits) {
  const auto world = Communicator::world();
  Training whole(world, true);
  whole.run(7);
  int calls = 0;
  Training first(world, true, {}, [&] {
    Requests r;
    r.stop = ++calls == 27;
    return r;
  });
  Outcome at = first.solver.start(first.w);
  while (!at.requests.stop) at = first.solver.advance(first.w);
  EXPECT_FALSE(at.epoch_ended);
  EXPECT_TRUE(first.optimizer->owes());
  State state;
  first.solver.save(state);

  Training second(world, true);
  second.w = first.w;
  second.solver.load(state);
  at = second.solver.start(second.w);
  while (at.epoch < 7) at = second.solver.advance(second.w);
  EXPECT_EQ(second.w, whole.w);
  // Nor does the stop leave a trace where the run goes on by itself.
  while (at.epoch > first.solver.advance(first.w).epoch) {
  }
  EXPECT_EQ(first.w, whole.w);
}

TEST(RowSparse, weights_shown_in_mid_epoch_are_those_of_the_dense_run) {
  const auto world = Communicator::world();
  const auto stopped = [&](bool sparse) {
    int calls = 0;
    Training run(world, sparse, {}, [&] {
      Requests r;
      r.stop = ++calls == 27;
      return r;
    });
    Outcome at = run.solver.start(run.w);
    while (!at.requests.stop) at = run.solver.advance(run.w);
    return run.w;
  };
  const Vec<double> dense = stopped(false);
  EXPECT_LT((stopped(true) - dense).norm(), 1e-12 * dense.norm());
}

}  // namespace
}  // namespace svrg
