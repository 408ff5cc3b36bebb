// Laws of Module and SVRGModule; run on 1, 2 and 3 ranks, each beside a module of one rank alone.
#include "svrg/module/module.hpp"

#include <gtest/gtest.h>
#include <cmath>

#include "module/nets.hpp"
#include "svrg/core/error.hpp"
#include "svrg/module/iterators.hpp"
#include "svrg/module/svrg_module.hpp"

namespace svrg {
namespace {

/// Weights and metrics after three epochs.
struct Trained {
  std::vector<double> params, aux;
  double loss;
};
Trained trained(const Communicator& comm, const Symbol& symbol, ModuleOptions options,
                Index batch = 12) {
  options.update_freq = 2;
  SVRGModule module(symbol, options, comm);
  auto data = iterator(batch);
  const auto history = module.fit(data, fit_options(3));
  const auto params = module.get_params();
  return {flat(params.arg), flat(params.aux), history.epochs.back().train.at("cross-entropy")};
}

TEST(SVRGModule, gives_the_same_numbers_on_any_number_of_ranks) {
  const auto world = Communicator::world();
  const auto alone = Communicator::self();
  for (const auto& [dtype, tolerance] :
       {std::pair{Dtype::float32, 1e-5}, {Dtype::float64, 1e-12}}) {
    const auto a = trained(world, net(), {.dtype = dtype});
    const auto b = trained(alone, net(), {.dtype = dtype});
    EXPECT_LE(std::abs(a.loss - b.loss), tolerance * b.loss);
    EXPECT_LE(largest_difference(a.params, b.params), 10 * tolerance);
  }
}

TEST(SVRGModule, with_batch_norm_and_dropout_the_virtual_shards_decide_not_the_ranks) {
  const ModuleOptions four{.context = {cpu(0), cpu(1), cpu(2), cpu(3)}, .dtype = Dtype::float64};
  const auto a = trained(Communicator::world(), net(true, 0.3), four);
  const auto b = trained(Communicator::self(), net(true, 0.3), four);
  EXPECT_LE(largest_difference(a.params, b.params), 1e-11);
  EXPECT_LE(largest_difference(a.aux, b.aux), 1e-11);
}

TEST(SVRGModule, a_batch_smaller_than_the_ranks_leaves_some_without_rows) {
  const auto a = trained(Communicator::world(), net(), {.dtype = Dtype::float64}, 2);
  const auto b = trained(Communicator::self(), net(), {.dtype = Dtype::float64}, 2);
  EXPECT_LE(largest_difference(a.params, b.params), 1e-11);
}

TEST(SVRGModule, replicas_are_bit_identical) {
  const auto world = Communicator::world();
  auto mine = trained(world, net(), {}).params;
  auto roots = mine;
  world.broadcast(std::span(roots));
  EXPECT_EQ(mine, roots);
}

TEST(SVRGModule, at_the_snapshot_every_step_sees_the_full_gradient) {
  SVRGModule module(net(), {.dtype = Dtype::float64, .update_freq = 1}, Communicator::world());
  auto data = iterator();
  module.bind(data.provide_data(), data.provide_label());
  module.init_params({.initializer = initializer::Xavier()});
  module.init_optimizer({.optimizer_params = {{"learning_rate", 0.0}}});
  module.update_full_grads(data);
  const auto mu = flat(module.get_full_grads());
  data.reset();
  for (const auto& batch : data) {
    module.forward_backward(batch);
    module.update();
    auto sum = flat(module.get_gradients());
    for (double& v : sum) v /= static_cast<double>(batch.data[0].rows());
    EXPECT_LE(largest_difference(sum, mu), 1e-14);
  }
}

TEST(SVRGModule, the_full_gradient_is_the_mean_over_rows_without_padding) {
  std::vector<std::vector<double>> means;
  for (const Index batch : {12, 53, 10}) {  // padded by 7, not at all, by 7
    SVRGModule module(net(), {.dtype = Dtype::float64, .update_freq = 1}, Communicator::world());
    auto data = iterator(batch);
    module.bind(data.provide_data(), data.provide_label());
    module.init_params({.initializer = initializer::Xavier()});
    for (int again = 0; again < 3; ++again) module.update_full_grads(data);
    means.push_back(flat(module.get_full_grads()));
  }
  EXPECT_LE(largest_difference(means[0], means[1]), 1e-15);
  EXPECT_LE(largest_difference(means[2], means[1]), 1e-15);
}

TEST(SVRGModule, update_freq_must_be_a_whole_number_above_0) {
  for (const Value& wrong : {Value(), Value(1.0), Value("2"), Value(0), Value(-1), Value(true)})
    EXPECT_THROW(SVRGModule(net(), {.update_freq = wrong}, Communicator::world()), ConfigError)
        << wrong.text();
}

TEST(Module, another_shape_of_batches_keeps_weights_and_optimizer) {
  const auto run = [](bool reshapes) {
    Module module(net(), {.dtype = Dtype::float64}, Communicator::world());
    auto data = iterator(10);
    module.fit(data, fit_options(1));
    if (reshapes) {
      module.reshape({{"data", {6, features}}}, {{"softmax_label", {6}}});
      module.bind({{"data", {10, features}}}, {{"softmax_label", {10}}}, {.force_rebind = true});
    }
    module.fit(data, fit_options(2, 1));
    return flat(module.get_params().arg);
  };
  EXPECT_EQ(run(true), run(false));
}

TEST(Module, every_ranks_own_batches_under_dist_sync_are_one_global_batch) {
  const auto world = Communicator::world();
  const Index share = 18, mine = world.rank() * share;
  NDArrayIter own(images(mine, mine + share), labels(mine, mine + share), {.batch_size = 6});
  Module distributed(net(), {.dtype = Dtype::float64}, world);
  FitOptions options = fit_options(3);
  options.kvstore = "dist_sync";
  distributed.fit(own, options);

  // The same batches, one rank's after the other's, on one rank.
  std::vector<float> x, y;
  for (Index step = 0; step < share / 6; ++step)
    for (int rank = 0; rank < world.size(); ++rank) {
      const Index from = rank * share + step * 6;
      for (const double v : images(from, from + 6).values()) x.push_back(static_cast<float>(v));
      for (const double v : labels(from, from + 6).values()) y.push_back(static_cast<float>(v));
    }
  const Index all = share * world.size();
  NDArrayIter joined(NDArray({all, features}, std::move(x)), NDArray({all}, std::move(y)),
                     {.batch_size = 6 * world.size()});
  Module alone(net(), {.dtype = Dtype::float64}, Communicator::self());
  alone.fit(joined, fit_options(3));
  EXPECT_LE(largest_difference(flat(distributed.get_params().arg), flat(alone.get_params().arg)),
            1e-12);
}

TEST(Module, trains_on_what_an_iterator_has_left_and_begins_anew_afterwards) {
  std::vector<Index> batches;
  FitOptions options = fit_options(2);
  options.batch_end_callback = {[&](const BatchEndParam& at) {
    if (at.epoch == static_cast<Index>(batches.size())) batches.push_back(0);
    ++batches.back();
  }};
  Module module(net(), {}, Communicator::world());
  auto data = iterator();
  data.next();
  data.next();
  module.fit(data, options);
  EXPECT_EQ(batches, (std::vector<Index>{3, 5}));
}

TEST(Module, under_dist_sync_a_rank_whose_rows_are_used_up_joins_with_none) {
  const auto world = Communicator::world();
  const Index batches = 1 + world.rank();
  NDArrayIter own(images(0, 6 * batches), labels(0, 6 * batches), {.batch_size = 6});
  Module module(net(), {}, world);
  FitOptions options = fit_options(2);
  options.kvstore = "dist_sync";
  Index steps = 0;
  options.batch_end_callback = {[&](const BatchEndParam&) { ++steps; }};
  const auto history = module.fit(own, options);
  EXPECT_EQ(steps, 2 * world.size());
  EXPECT_TRUE(std::isfinite(history.epochs.back().train.at("cross-entropy")));
  auto mine = flat(module.get_params().arg), roots = mine;
  world.broadcast(std::span(roots));
  EXPECT_EQ(mine, roots);
}

TEST(Module, dist_async_and_what_is_not_there_yet_are_refused) {
  const auto world = Communicator::world();
  Module module(net(), {}, world);
  auto data = iterator();
  FitOptions options = fit_options(1);
  options.kvstore = "dist_async";
  EXPECT_THROW(module.fit(data, options), ConfigError);
  EXPECT_THROW(Module(net(), {.group2ctxs = {{"a", 1}}}, world), ConfigError);
  EXPECT_THROW(Module(net(), {.data_names = {"images"}}, world), ConfigError);
  EXPECT_THROW(Module(net(), {.context = {cpu(0), cpu(1)}, .work_load_list = {1}}, world),
               ConfigError);
}

TEST(Module, gradients_that_are_added_are_those_of_the_rows_together) {
  const auto step = [](GradReq req, std::vector<std::pair<Index, Index>> parts) {
    Module module(net(), {.dtype = Dtype::float64}, Communicator::world());
    module.bind({{"data", {6, features}}}, {{"softmax_label", {6}}}, {.grad_req = req});
    module.init_params({.initializer = initializer::Xavier()});
    module.init_optimizer();
    for (const auto& [from, to] : parts) {
      DataBatch batch;
      batch.data = {images(from, to)};
      batch.label = {labels(from, to)};
      module.forward_backward(batch);
    }
    module.update();
    return flat(module.get_params().arg);
  };
  EXPECT_LE(
      largest_difference(step(GradReq::add, {{0, 6}, {6, 12}}), step(GradReq::write, {{0, 12}})),
      1e-14);
  EXPECT_GT(
      largest_difference(step(GradReq::write, {{0, 6}, {6, 12}}), step(GradReq::write, {{0, 12}})),
      1e-6);
}

TEST(Module, outputs_and_input_gradients_are_the_whole_batchs_on_every_rank) {
  const auto run = [](const Communicator& comm) {
    Module module(net(), {.dtype = Dtype::float64}, comm);
    module.bind({{"data", {10, features}}}, {{"softmax_label", {10}}}, {.inputs_need_grad = true});
    module.init_params({.initializer = initializer::Xavier()});
    DataBatch batch;
    batch.data = {images(0, 10)};
    batch.label = {labels(0, 10)};
    module.forward_backward(batch);
    auto values = module.get_outputs().at(0).values();
    const auto gradients = module.get_input_grads().at(0);
    EXPECT_EQ(gradients.shape, (std::vector<Index>{10, features}));
    for (const double v : gradients.values()) values.push_back(v);
    values.push_back(module.get_loss());
    return values;
  };
  EXPECT_LE(largest_difference(run(Communicator::world()), run(Communicator::self())), 1e-13);
}

TEST(Module, predict_cuts_padding_and_score_counts_the_whole_set) {
  Module module(net(), {}, Communicator::world());
  auto data = iterator();
  module.fit(data, fit_options(4));
  NDArrayIter test(images(0, rows), labels(0, rows), {.batch_size = 53});
  const auto predicted = module.predict(test).at(0);
  EXPECT_EQ(predicted.shape, (std::vector<Index>{rows, 3}));
  NDArrayIter padded(images(0, rows), labels(0, rows), {.batch_size = 10});
  EXPECT_LE(largest_difference(module.predict(padded).at(0).values(), predicted.values()), 1e-6);
  const auto values = predicted.values(), truth = labels(0, rows).values();
  double right = 0;
  for (std::size_t i = 0; i < truth.size(); ++i)
    right += std::max_element(values.begin() + static_cast<std::ptrdiff_t>(3 * i),
                              values.begin() + static_cast<std::ptrdiff_t>(3 * i) + 3) -
                 (values.begin() + static_cast<std::ptrdiff_t>(3 * i)) ==
             static_cast<std::ptrdiff_t>(truth[i]);
  EXPECT_DOUBLE_EQ(module.score(test, "acc").at(0).second, right / static_cast<double>(rows));
}

TEST(Module, a_monitor_sees_operators_and_parameters_of_every_nth_batch) {
  Module module(net(), {}, Communicator::world());
  auto data = iterator();
  module.bind(data.provide_data(), data.provide_label());
  module.init_params();
  Monitor monitor(2, {}, ".*weight|act_output");
  module.install_monitor(monitor);
  std::vector<std::size_t> seen;
  for (int batch = 0; batch < 3; ++batch) {
    monitor.tic();
    module.forward(*data.next());
    const auto params = module.get_params();
    seen.push_back(monitor.toc(params.arg, params.aux).size());
  }
  EXPECT_EQ(seen[1], 0U);
  EXPECT_GE(seen[0], 3U) << "two weights and each shard's activations";
  EXPECT_EQ(seen[0], seen[2]);
}

}  // namespace
}  // namespace svrg
