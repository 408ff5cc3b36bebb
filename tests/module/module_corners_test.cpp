// What a module must get right off the beaten path: odd batches, states, restarts, missing calls.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>

#include "module/nets.hpp"
#include "svrg/core/error.hpp"

extern std::atomic<long> allocations;  // count_allocations.cpp

namespace svrg {
namespace {

DataBatch batch_of(Index from, Index to) {
  DataBatch batch;
  batch.data = {images(from, to)};
  batch.label = {labels(from, to)};
  return batch;
}

/// Bound for batches of 12, initialised, with an optimizer.
template <class Kind>
Kind ready(const Symbol& symbol, ModuleOptions options, const Communicator& comm,
           Index batch = 12) {
  if (std::is_same_v<Kind, SVRGModule>) options.update_freq = 2;
  Kind module(symbol, options, comm);
  module.bind({{"data", {batch, features}}}, {{"softmax_label", {batch}}});
  module.init_params({.initializer = initializer::Xavier()});
  module.init_optimizer();
  return module;
}

TEST(ModuleCorners, a_dropout_mask_behind_a_reshape_is_that_of_the_batchs_rows) {
  // 4 numbers a row as 2 rows of 2: the mask must follow the row, not its place, nor memory.
  auto x = sym::Reshape(sym::Variable("data"), {{"shape", {-1, 2}}});
  x = sym::Reshape(sym::Dropout(x, {{"p", 0.5}}), {{"shape", {-1, 4}}});
  const auto symbol = sym::SoftmaxOutput(
      sym::FullyConnected(x, {{"num_hidden", 3}, {"name", "fc"}}), {{"name", "softmax"}});
  const auto run = [&](const Communicator& comm) {
    SVRGModule module(symbol, {.dtype = Dtype::float64, .update_freq = 2}, comm);
    auto data = iterator();
    module.fit(data, fit_options(2));
    return flat(module.get_params().arg);
  };
  EXPECT_LE(largest_difference(run(Communicator::world()), run(Communicator::self())), 1e-12);
}

TEST(ModuleCorners, the_correction_belongs_to_every_gradient_in_training_mode_or_not) {
  auto module = ready<SVRGModule>(net(), {.dtype = Dtype::float64}, Communicator::world());
  auto data = iterator();
  module.update_full_grads(data);
  module.forward(batch_of(0, 12), false);
  module.backward();
  module.update();
  auto step = flat(module.get_gradients());
  for (double& v : step) v /= 12;
  EXPECT_LE(largest_difference(step, flat(module.get_full_grads())), 1e-14);
}

TEST(ModuleCorners, the_coefficient_stays_over_another_shape_of_batches) {
  const auto symbol = sym::SoftmaxOutput(
      sym::FullyConnected(sym::Variable("data"), {{"num_hidden", 3}, {"name", "fc"}}),
      {{"name", "softmax"}});
  const auto step = [&](bool reshapes) {
    auto module = ready<SVRGModule>(symbol, {.dtype = Dtype::float64, .svrg_coefficient = 0.25},
                                    Communicator::world());
    auto data = iterator();
    module.update_full_grads(data);
    DataBatch square = batch_of(0, 12);
    square.data[0].shape = {12, 2, 2};
    if (reshapes) module.forward(square);
    module.forward_backward(batch_of(12, 24));
    module.update();
    return flat(module.get_gradients());
  };
  EXPECT_LE(largest_difference(step(true), step(false)), 1e-14);
}

TEST(ModuleCorners, normalised_losses_are_divided_by_the_batch_not_by_a_shards_rows) {
  const auto gradient = [](const char* normalization, const Communicator& comm) {
    const auto fc = sym::FullyConnected(sym::Variable("data"), {{"num_hidden", 3}, {"name", "fc"}});
    auto module = ready<Module>(
        sym::SoftmaxOutput(fc, {{"normalization", normalization}, {"name", "softmax"}}),
        {.dtype = Dtype::float64}, comm);
    module.forward_backward(batch_of(0, 12));
    module.update();
    return flat(module.get_gradients());
  };
  auto plain = gradient("null", Communicator::self());
  for (double& v : plain) v /= 12;
  EXPECT_LE(largest_difference(gradient("batch", Communicator::world()), plain), 1e-14);
}

TEST(ModuleCorners, ranks_without_rows_see_the_others_outputs_in_double_too) {
  const auto run = [](const Communicator& comm) {
    auto module = ready<Module>(net(), {.dtype = Dtype::float64}, comm);
    module.forward(batch_of(0, 1), false);
    return module.get_outputs().at(0);
  };
  const auto many = run(Communicator::world()), one = run(Communicator::self());
  EXPECT_EQ(many.shape, (std::vector<Index>{1, 3}));
  EXPECT_LE(largest_difference(many.values(), one.values()), 1e-15);
}

TEST(ModuleCorners, padding_counts_in_no_metric) {
  Module module(net(), {}, Communicator::world());
  auto data = iterator();
  module.fit(data, fit_options(2));
  NDArrayIter whole(images(0, rows), labels(0, rows), {.batch_size = rows});
  NDArrayIter padded(images(0, rows), labels(0, rows), {.batch_size = 10});
  EXPECT_NEAR(module.score(padded, "ce").at(0).second, module.score(whole, "ce").at(0).second,
              1e-6);
}

TEST(ModuleCorners, labels_for_fewer_rows_than_the_batch_are_refused) {
  auto module = ready<Module>(net(), {}, Communicator::self());
  module.forward(batch_of(0, 12));
  const auto metric = metric::create("acc");
  EXPECT_THROW(module.update_metric(*metric, {labels(0, 5)}), ConfigError);
}

TEST(ModuleCorners, a_states_value_stays_whatever_the_batch) {
  const auto sum = sym::FullyConnected(sym::Variable("data"), {{"num_hidden", 3}, {"name", "fc"}}) +
                   sym::Variable("state");
  Module module(sum, {.label_names = {}, .state_names = {"state"}, .dtype = Dtype::float64},
                Communicator::self());
  module.bind({{"data", {12, features}}}, {}, {.for_training = false});
  module.init_params({.initializer = initializer::Zero()});
  module.set_states(2.5);
  for (const Index rows_given : {12, 10, 12})
    EXPECT_EQ(module.predict(images(0, rows_given)).at(0).values(),
              std::vector<double>(static_cast<std::size_t>(rows_given * 3), 2.5));
  module.set_states({NDArray({12, 3}, std::vector<float>(36, 1))});
  EXPECT_EQ(module.predict(images(0, 12)).at(0).values(), std::vector<double>(36, 1));
  EXPECT_THROW(module.predict(images(0, 10)), ConfigError);
}

TEST(ModuleCorners, hand_made_batches_have_a_mask_a_row) {
  const auto symbol = sym::Dropout(sym::Variable("data"), {{"p", 0.5}, {"mode", "always"}});
  Module module(symbol, {.label_names = {}}, Communicator::self());
  module.bind({{"data", {16, 32}}}, {}, {.for_training = false});
  module.init_params();
  const auto out = module.predict(NDArray({16, 32}, std::vector<float>(512, 1))).at(0).values();
  for (std::size_t i = 1; i < 16; ++i)
    EXPECT_FALSE(std::equal(out.begin(), out.begin() + 32,
                            out.begin() + static_cast<std::ptrdiff_t>(32 * i)))
        << "row " << i;
}

TEST(ModuleCorners, labels_keep_their_names_over_another_shape_of_batches) {
  const auto x = sym::Variable("data");
  const auto net2 = sym::Group(
      {sym::LinearRegressionOutput(sym::FullyConnected(x, {{"num_hidden", 1}, {"name", "a"}}),
                                   sym::Variable("y1"), {{"name", "o1"}}),
       sym::LinearRegressionOutput(sym::FullyConnected(x, {{"num_hidden", 1}, {"name", "b"}}),
                                   sym::Variable("y2"), {{"name", "o2"}})});
  const auto run = [&](bool reshapes) {
    Module module(net2, {.label_names = {"y2", "y1"}, .dtype = Dtype::float64},
                  Communicator::self());
    module.bind({{"data", {4, features}}}, {{"y1", {4}}, {"y2", {4}}});
    module.init_params({.initializer = initializer::Xavier()});
    DataBatch batch;
    batch.data = {images(0, 4)};
    if (reshapes) batch.data[0].shape = {4, 2, 2};
    batch.label = {NDArray({4}, std::vector<float>(4, 1)), NDArray({4}, std::vector<float>(4, -7))};
    module.forward_backward(batch);
    return module.get_loss();
  };
  EXPECT_DOUBLE_EQ(run(true), run(false));
}

TEST(ModuleCorners, gradients_at_hand_are_not_lost_on_the_way_to_update) {
  const auto run = [](bool takes_snapshot) {
    SVRGModule module(net(), {.dtype = Dtype::float64, .update_freq = 2}, Communicator::world());
    module.bind({{"data", {12, features}}}, {{"softmax_label", {12}}});
    module.init_params({.initializer = initializer::Xavier()});
    module.init_optimizer();
    auto data = iterator();
    module.update_full_grads(data);
    module.forward_backward(batch_of(0, 12));
    if (takes_snapshot) module.update_full_grads(data);
    module.update();
    return flat(module.get_gradients());
  };
  EXPECT_LE(largest_difference(run(true), run(false)), 1e-14);
  auto module = ready<Module>(net(), {}, Communicator::world());
  module.forward_backward(batch_of(0, 12));
  DataBatch square = batch_of(0, 12);
  square.data[0].shape = {12, 2, 2};
  EXPECT_THROW(module.forward(square), ConfigError) << "memory is made anew";
}

TEST(ModuleCorners, quantised_gradients_that_are_added_have_their_whole_share_of_the_mean) {
  // So coarse a threshold sends nothing; the residual then is all that came in.
  const auto residual_step = [](std::vector<std::pair<Index, Index>> parts) {
    ModuleOptions options{.dtype = Dtype::float64, .update_freq = 2};
    options.compression_params = {{"type", "2bit"}, {"threshold", 0.05}};
    options.context = {cpu()};
    SVRGModule module(net(), options, Communicator::self());
    module.bind({{"data", {12, features}}}, {{"softmax_label", {12}}}, {.grad_req = GradReq::add});
    module.init_params({.initializer = initializer::Xavier()});
    module.init_optimizer();
    auto data = iterator();
    module.update_full_grads(data);
    for (const auto& [from, to] : parts) module.forward_backward(batch_of(from, to));
    module.update();
    return flat(module.get_gradients());
  };
  EXPECT_EQ(residual_step({{0, 12}, {12, 24}}), residual_step({{0, 24}}));
}

TEST(ModuleCorners, under_dist_sync_contexts_may_be_without_rows_at_the_end) {
  const auto world = Communicator::world();
  const Index batches = 1 + world.rank();
  NDArrayIter own(images(0, 6 * batches), labels(0, 6 * batches), {.batch_size = 6});
  Module module(net(), {.context = {cpu(0), cpu(1)}}, world);
  FitOptions options = fit_options(1);
  options.kvstore = "dist_sync";
  EXPECT_NO_THROW(module.fit(own, options));
}

TEST(ModuleCorners, a_callback_on_one_rank_alone_holds_nobody_up) {
  const auto world = Communicator::world();
  Module module(net(), {}, world);
  auto data = iterator();
  FitOptions options = fit_options(1);
  Index calls = 0;
  if (world.is_root()) options.batch_end_callback = {[&](const BatchEndParam&) { ++calls; }};
  module.fit(data, options);
  EXPECT_EQ(calls, world.is_root() ? 5 : 0);
  auto valid = iterator();
  options = fit_options(2, 1);
  if (world.is_root()) options.eval_data = &valid;
  if (world.size() > 1) {
    EXPECT_THROW(module.fit(data, options), ConfigError);
  }
}

TEST(ModuleCorners, calls_out_of_order_say_what_is_missing) {
  Module module(net(), {}, Communicator::world());
  const auto metric = metric::create("acc");
  EXPECT_THROW(module.get_outputs(), ConfigError);
  EXPECT_THROW(module.get_loss(), ConfigError);
  EXPECT_THROW(module.get_gradients(), ConfigError);
  EXPECT_THROW(module.learning_rate(), ConfigError);
  EXPECT_THROW(module.update_metric(*metric, {}), ConfigError);
  EXPECT_THROW(module.forward(batch_of(0, 12)), ConfigError);
  auto svrg = ready<SVRGModule>(net(), {}, Communicator::world());
  EXPECT_THROW(svrg.get_full_grads(), ConfigError);
  EXPECT_THROW(svrg.get_snapshot(), ConfigError);
  svrg.forward_backward(batch_of(0, 12));
  EXPECT_THROW(svrg.get_gradients(), ConfigError) << "they are not summed yet";
  EXPECT_THROW(Module(net().get_internals(), {}, Communicator::world()), ConfigError)
      << "a variable is no output";
}

TEST(ModuleCorners, a_batch_may_be_gone_before_backward_if_it_was_given_away) {
  auto module = ready<Module>(net(), {.dtype = Dtype::float64}, Communicator::world());
  DataBatch kept = batch_of(0, 12);
  module.forward(kept);
  module.backward();
  module.update();
  const auto expected = flat(module.get_gradients());
  auto other = ready<Module>(net(), {.dtype = Dtype::float64}, Communicator::world());
  other.forward(batch_of(0, 12));
  other.backward();
  other.update();
  EXPECT_EQ(flat(other.get_gradients()), expected);
}

TEST(ModuleCorners, running_statistics_begin_anew_where_only_weights_are_given) {
  Module first(net(true), {}, Communicator::world()), second(net(true), {}, Communicator::world());
  auto data = iterator();
  first.fit(data, fit_options(1));
  const auto params = first.get_params();
  FitOptions options = fit_options(1);
  options.arg_params = params.arg;
  EXPECT_NO_THROW(second.fit(data, options));
  EXPECT_THROW(second.set_params(params.arg, {}), ConfigError) << "set_params() asks for all";
}

TEST(ModuleCorners, a_monitor_of_fit_is_forgotten_afterwards) {
  Module module(net(), {}, Communicator::world());
  auto data = iterator();
  auto monitor = std::make_unique<Monitor>(1);
  FitOptions options = fit_options(1);
  options.monitor = monitor.get();
  module.fit(data, options);
  monitor.reset();
  EXPECT_NO_THROW(module.score(data, "acc"));
}

TEST(ModuleCorners, a_step_allocates_nothing_once_batches_of_its_kind_have_been_seen) {
  for (const auto& [dtype, momentum] : {std::pair{Dtype::float32, 0.0}, {Dtype::float64, 0.9}}) {
    SVRGModule module(net(), {.dtype = dtype, .update_freq = 1}, Communicator::self());
    auto data = iterator();
    module.bind(data.provide_data(), data.provide_label());
    module.init_params();
    module.init_optimizer({.optimizer_params = {{"momentum", momentum}}});
    module.update_full_grads(data);
    data.reset();
    long before = 0;
    for (Index k = 0; const DataBatch* batch = data.next(); ++k) {
      module.forward_backward(*batch);
      module.update();
      if (k == 0) before = allocations;
    }
    EXPECT_EQ(allocations, before);
  }
}

TEST(ModuleCorners, contexts_do_not_matter_to_rows_that_are_apart) {
  const auto weights = [](const std::vector<Context>& contexts) {
    SVRGModule module(net(false, 0.3),
                      {.context = contexts, .dtype = Dtype::float64, .update_freq = 2},
                      Communicator::world());
    auto data = iterator();
    module.fit(data, fit_options(3));
    return flat(module.get_params().arg);
  };
  const auto one = weights({cpu()});
  EXPECT_LE(largest_difference(weights({}), one), 1e-12);
  EXPECT_LE(largest_difference(weights({cpu(0), cpu(1), cpu(2)}), one), 1e-12);
}

TEST(ModuleCorners, modules_that_share_weights_train_them_as_one) {
  const auto world = Communicator::world();
  const InitOptimizerOptions nag{.optimizer = "nag",
                                 .optimizer_params = {{"learning_rate", 0.1}, {"momentum", 0.9}}};
  const auto make = [&](Module* shared, Index batch) {
    Module module(net(), {.dtype = Dtype::float64}, world);
    module.bind({{"data", {batch, features}}}, {{"softmax_label", {batch}}},
                {.shared_module = shared});
    if (shared) return module;
    module.init_params({.initializer = initializer::Xavier()});
    module.init_optimizer(nag);
    return module;
  };
  const auto step = [](Module& module, Index from, Index to) {
    module.forward_backward(batch_of(from, to));
    module.update();
  };
  Module alone = make(nullptr, 12), first = make(nullptr, 12), second = make(&first, 8);
  EXPECT_TRUE(second.optimizer_initialized());
  for (const Index from : {0, 20}) {
    step(alone, from, from + 12);
    step(alone, from + 12, from + 20);
    step(first, from, from + 12);
    step(second, from + 12, from + 20);
    first.reshape({{"data", {6, features}}}, {{"softmax_label", {6}}});
  }
  EXPECT_EQ(flat(first.get_params().arg), flat(alone.get_params().arg));
  EXPECT_EQ(flat(second.get_params().arg), flat(alone.get_params().arg));

  Module other(sym::SoftmaxOutput(sym::FullyConnected(sym::var("data"), {{"num_hidden", 3}}), {}),
               {.dtype = Dtype::float64}, world);
  EXPECT_THROW(other.bind({{"data", {8, features}}}, {{"softmaxoutput0_label", {8}}},
                          {.shared_module = &first}),
               ConfigError);
}

}  // namespace
}  // namespace svrg
