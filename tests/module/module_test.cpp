// Laws of Module and SVRGModule; run on 1, 2 and 3 ranks, each beside a module of one rank alone.
#include "svrg/module/module.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "svrg/core/error.hpp"
#include "svrg/module/iterators.hpp"
#include "svrg/module/svrg_module.hpp"

namespace svrg {
namespace {

Symbol net(bool batch_norm = false, double dropout = 0) {
  auto x = sym::FullyConnected(sym::Variable("data"), {{"num_hidden", 7}, {"name", "fc1"}});
  if (batch_norm) x = sym::BatchNorm(x, {{"fix_gamma", false}, {"name", "bn"}});
  x = sym::Activation(x, {{"act_type", "tanh"}, {"name", "act"}});
  if (dropout > 0) x = sym::Dropout(x, {{"p", dropout}, {"name", "drop"}});
  x = sym::FullyConnected(x, {{"num_hidden", 3}, {"name", "fc2"}});
  return sym::SoftmaxOutput(x, {{"name", "softmax"}});
}

constexpr Index rows = 53, features = 4;

NDArray images(Index from, Index to) {
  const CounterRandom random(5, 1);
  std::vector<float> values;
  for (Index i = from * features; i < to * features; ++i)
    values.push_back(static_cast<float>(random.normal(static_cast<std::uint64_t>(i))));
  return {{to - from, features}, std::move(values)};
}
NDArray labels(Index from, Index to) {
  std::vector<float> values;
  for (Index i = from; i < to; ++i) values.push_back(static_cast<float>(i * i % 3));
  return {{to - from}, std::move(values)};
}
NDArrayIter iterator(Index batch = 12) {
  return NDArrayIter(images(0, rows), labels(0, rows), {.batch_size = batch, .shuffle = true});
}

FitOptions fit_options(Index epochs, Index begin = 0) {
  FitOptions o;
  o.eval_metric = {"ce", "acc"};
  o.optimizer_params = {{"learning_rate", 0.2}, {"momentum", 0.5}};
  o.initializer = initializer::Xavier();
  o.begin_epoch = begin;
  o.num_epoch = epochs;
  return o;
}

std::vector<double> flat(const NDArrays& arrays) {
  std::vector<double> all;
  for (const auto& [name, array] : arrays) {
    const auto values = array.values();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

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

class Saved : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("svrg_module_" + comm_.broadcast(std::to_string(::getpid())));
    if (comm_.is_root()) std::filesystem::create_directories(folder_);
    comm_.barrier();
    prefix_ = (folder_ / "net").string();
  }
  void TearDown() override {
    comm_.barrier();
    if (comm_.is_root()) std::filesystem::remove_all(folder_);
  }
  Communicator comm_ = Communicator::world();
  std::filesystem::path folder_;
  std::string prefix_;
};

TEST_F(Saved, a_run_that_is_loaded_at_any_epoch_goes_on_as_one_never_stopped) {
  // Without shuffling: an iterator's order is the caller's to restore.
  const auto data = [] {
    return NDArrayIter(images(0, rows), labels(0, rows), {.batch_size = 12});
  };
  const ModuleOptions options{.context = {cpu(0), cpu(1), cpu(2)}, .update_freq = 3};
  SVRGModule through(net(true, 0.2), options, comm_);
  auto all = data();
  through.fit(all, fit_options(5));
  for (const Index stop : {1, 2, 3}) {
    SVRGModule first(net(true, 0.2), options, comm_);
    auto before = data();
    first.fit(before, fit_options(stop));
    first.save_checkpoint(prefix_, stop, true);
    ModuleOptions kept = options;
    kept.update_freq = {};  // comes back with the checkpoint
    auto second = SVRGModule::load(prefix_, stop, true, kept, comm_);
    EXPECT_EQ(second.update_freq(), 3);
    auto after = data();
    second.fit(after, fit_options(5, stop));
    EXPECT_EQ(flat(second.get_params().arg), flat(through.get_params().arg)) << stop;
    EXPECT_EQ(flat(second.get_params().aux), flat(through.get_params().aux)) << stop;
  }
}

TEST_F(Saved, residuals_of_compression_go_on_too) {
  const auto data = [] {
    return NDArrayIter(images(0, rows), labels(0, rows), {.batch_size = 12});
  };
  const ModuleOptions options{.context = {cpu(0), cpu(1), cpu(2)},
                              .compression_params = {{"type", "2bit"}, {"threshold", 0.3}},
                              .update_freq = 2};
  SVRGModule through(net(), options, comm_), first(net(), options, comm_);
  auto all = data(), before = data(), after = data();
  through.fit(all, fit_options(4));
  first.fit(before, fit_options(1));
  first.save_checkpoint(prefix_, 1, true);
  auto second = SVRGModule::load(prefix_, 1, true, options, comm_);
  second.fit(after, fit_options(4, 1));
  EXPECT_EQ(flat(second.get_params().arg), flat(through.get_params().arg));
  SVRGModule alone(net(), options, Communicator::self());
  auto own = data();
  alone.fit(own, fit_options(4));
  EXPECT_LE(largest_difference(flat(alone.get_params().arg), flat(through.get_params().arg)), 1e-5);
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

TEST_F(Saved, parameters_of_the_original_alone_are_enough_to_begin_with) {
  SVRGModule first(net(), {.update_freq = 2}, comm_);
  auto data = iterator();
  first.fit(data, fit_options(1));
  first.save_checkpoint(prefix_, 1);
  comm_.barrier();
  if (comm_.is_root()) std::filesystem::remove(prefix_ + "-0001.h5");
  comm_.barrier();
  auto second = SVRGModule::load(prefix_, 1, false, {.update_freq = 2}, comm_);
  auto again = iterator();
  second.bind(again.provide_data(), again.provide_label());
  EXPECT_EQ(flat(second.get_params().arg), flat(first.get_params().arg));
  EXPECT_FALSE(second.has_full_grads());
  second.fit(again, fit_options(2, 1));
  EXPECT_TRUE(second.has_full_grads());
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
