// row_sparse parameters: embeddings with sparse_grad, and dot(csr, w) with a row_sparse w.
#include "nets.hpp"
#include "svrg/core/error.hpp"
#include "svrg/model/executor.hpp"

namespace svrg {
namespace {

constexpr Index words = 90, length = 5, samples = 47, row_length = 90;

NDArray word_numbers(Index from, Index to) {
  std::vector<float> numbers;
  for (Index i = from * length; i < to * length; ++i)
    numbers.push_back(
        static_cast<float>(CounterRandom(7, 1).below(words, static_cast<std::uint64_t>(i))));
  return {{to - from, length}, std::move(numbers)};
}

/// Three features a row.
NDArray sparse_features(Index from, Index to) {
  CsrStore<float> store;
  store.starts = {0};
  for (Index i = from; i < to; ++i) {
    for (const Index at : {i * i % 30, 30 + i * 7 % 30, 60 + i * 11 % 30}) {
      store.indices.push_back(static_cast<std::int32_t>(at));
      store.values.push_back(static_cast<float>(1 + i % 3));
    }
    store.starts.push_back(static_cast<Index>(store.values.size()));
  }
  return {row_length, std::move(store)};
}

NDArray classes(Index from, Index to) {
  std::vector<float> values;
  for (Index i = from; i < to; ++i) values.push_back(static_cast<float>(i * i % 3));
  return {{to - from}, std::move(values)};
}

/// A net with a row_sparse parameter, or the same with a dense one.
struct Problem {
  std::string name;
  Symbol (*net)(bool sparse);
  NDArray (*data)(Index from, Index to);
};

const Problem bag{"words",
                  [](bool sparse) {
                    auto x = sym::Embedding({{"data", sym::Variable("data")},
                                             {"input_dim", words},
                                             {"output_dim", 4},
                                             {"sparse_grad", sparse},
                                             {"name", "embed"}});
                    x = sym::Activation(sym::mean(x, {{"axis", 1}}), {{"act_type", "tanh"}});
                    x = sym::FullyConnected(x, {{"num_hidden", 3}, {"name", "fc"}});
                    return sym::SoftmaxOutput(x, {{"name", "softmax"}});
                  },
                  word_numbers};

const Problem linear{
    "linear",
    [](bool sparse) {
      const auto w = sym::Variable(
          "dot_weight",
          {.shape = {row_length, 3}, .lr_mult = 2, .stype = sparse ? "row_sparse" : "default"});
      const auto b = sym::Variable("bias", {.shape = {3}});
      return sym::SoftmaxOutput(sym::broadcast_add(sym::dot(sym::Variable("data"), w), b),
                                {{"name", "softmax"}});
    },
    sparse_features};

DataBatch batch_of(const Problem& problem, Index from, Index to) {
  DataBatch batch;
  batch.data = {problem.data(from, to)};
  batch.label = {classes(from, to)};
  return batch;
}

NDArrayIter iterator_of(const Problem& problem) {
  return NDArrayIter(problem.data(0, samples), classes(0, samples),
                     {.batch_size = 6, .last_batch_handle = "discard"});
}

InitOptimizerOptions momentum() {
  return {.optimizer_params = {{"learning_rate", 0.2}, {"momentum", 0.8}, {"wd", 0.01}},
          .lr_scheduler = lr_scheduler::Factor({{"step", 5}, {"factor", 0.9}})};
}

SVRGModule made(const Problem& problem, bool sparse, ModuleOptions options = {},
                InitOptimizerOptions optimizer = momentum()) {
  options.dtype = Dtype::float64;
  options.update_freq = 2;
  SVRGModule module(problem.net(sparse), options, Communicator::world());
  module.bind({{"data", {6, problem.data(0, 1).shape[1]}}}, {{"softmax_label", {6}}});
  module.init_params({.initializer = initializer::Uniform(0.5)});
  module.init_optimizer(optimizer);
  return module;
}

void step(Module& module, const Problem& problem, Index from) {
  module.forward_backward(batch_of(problem, from, from + 6));
  module.update();
}

std::vector<double> weights(const Module& module) { return flat(module.get_params().arg); }

TEST(RowSparseModule, trains_to_what_dense_gradients_give) {
  for (const Problem& problem : {bag, linear})
    for (const Index shards : {0, 1, 3}) {
      ModuleOptions options;
      for (int i = 0; i < shards; ++i) options.context.push_back(cpu(i));
      std::vector<double> ends[2];
      for (const bool sparse : {false, true}) {
        SVRGModule module = made(problem, sparse, options);
        auto data = iterator_of(problem);
        FitOptions fit = fit_options(4);
        fit.eval_data = &data;
        module.fit(data, fit);
        ends[sparse] = weights(module);
      }
      EXPECT_LT(largest_difference(ends[0], ends[1]), 1e-13) << problem.name;
    }
}

TEST(RowSparseModule, whoever_looks_between_steps_sees_what_dense_steps_give) {
  for (const Problem& problem : {bag, linear})
    for (const char* optimizer : {"sgd", "nag"}) {
      InitOptimizerOptions options = momentum();
      options.optimizer = optimizer;
      options.optimizer_params["rescale_grad"] = 0.1;
      SVRGModule sparse = made(problem, true, {}, options),
                 dense = made(problem, false, {}, options);
      auto data = iterator_of(problem);
      for (SVRGModule* module : {&sparse, &dense}) module->update_full_grads(data);
      for (const Index from : {0, 6, 12, 30, 3, 18, 41}) {
        step(sparse, problem, from);
        step(dense, problem, from);
        EXPECT_LT(largest_difference(weights(sparse), weights(dense)), 1e-13) << problem.name;
        EXPECT_LT(largest_difference(flat(sparse.get_gradients()), flat(dense.get_gradients())),
                  1e-12);
      }
      sparse.forward(batch_of(problem, 20, 26), false);
      dense.forward(batch_of(problem, 20, 26), false);
      EXPECT_LT(
          largest_difference(sparse.get_outputs()[0].values(), dense.get_outputs()[0].values()),
          1e-13);
    }
}

TEST(RowSparseModule, ranks_may_bring_batches_of_their_own) {
  InitOptimizerOptions options = momentum();
  options.kvstore = "dist_sync";
  const auto world = Communicator::world();
  SVRGModule sparse = made(bag, true, {}, options), dense = made(bag, false, {}, options);
  for (Index k = 0; k < 6; ++k)
    for (SVRGModule* module : {&sparse, &dense}) step(*module, bag, 6 * k + world.rank());
  EXPECT_LT(largest_difference(weights(sparse), weights(dense)), 1e-13);
}

TEST(RowSparseModule, other_weights_set_in_mid_training_owe_nothing) {
  SVRGModule sparse = made(bag, true), dense = made(bag, false);
  for (SVRGModule* module : {&sparse, &dense}) {
    for (const Index from : {0, 6, 12}) step(*module, bag, from);
    auto params = module->get_params();
    params.arg.at("embed_weight") =
        NDArray({words, 4}, std::vector<double>(static_cast<std::size_t>(words * 4), 0.25));
    module->set_params(params.arg, params.aux);
    for (const Index from : {30, 0}) step(*module, bag, from);
  }
  EXPECT_LT(largest_difference(weights(sparse), weights(dense)), 1e-13);
}

TEST(RowSparseModule, prepare_settles_the_rows_asked_for_and_changes_no_result) {
  SVRGModule plain = made(bag, true), prepared = made(bag, true);
  const SparseRowIdFn rows = [](const DataBatch& batch) {
    return NDArrays{{"embed_weight", batch.data[0]}};
  };
  for (const Index from : {0, 6, 12, 30, 3}) {
    step(plain, bag, from);
    prepared.prepare(batch_of(bag, from, from + 6), rows);
    step(prepared, bag, from);
    EXPECT_EQ(weights(plain), weights(prepared));  // forward() would have asked for the same
    prepared.prepare(batch_of(bag, 40, 46), rows);
    EXPECT_LT(largest_difference(weights(plain), weights(prepared)), 1e-14);
    prepared.set_params(plain.get_params().arg, {});
    plain.set_params(plain.get_params().arg, {});
  }
  const DataBatch batch = batch_of(bag, 0, 6);
  const auto asks = [&](const std::string& name, float row) {
    prepared.prepare(batch, [&](const DataBatch&) {
      return NDArrays{{name, NDArray({1}, std::vector<float>{row})}};
    });
  };
  EXPECT_NO_THROW(asks("embed_weight", 0));
  EXPECT_THROW(asks("embed_weight", words), CollectiveError);
  EXPECT_THROW(asks("fc_weight", 0), CollectiveError);
  EXPECT_THROW(asks("embedding", 0), CollectiveError);
}

TEST(RowSparseModule, a_checkpoint_settles_all_debts_and_goes_on_bit_for_bit) {
  const auto world = Communicator::world();
  const std::string prefix = "row_sparse_n" + std::to_string(world.size());
  SVRGModule module = made(bag, true);
  auto data = iterator_of(bag);
  module.update_full_grads(data);
  for (const Index from : {0, 6, 12}) step(module, bag, from);
  module.save_checkpoint(prefix, 1, true);

  SVRGModule resumed = SVRGModule::load(prefix, 1, true, {.dtype = Dtype::float64}, world);
  resumed.bind({{"data", {6, length}}}, {{"softmax_label", {6}}});
  resumed.init_optimizer(momentum());
  EXPECT_EQ(weights(resumed), weights(module));
  for (const Index from : {18, 0, 30}) {
    step(module, bag, from);
    step(resumed, bag, from);
  }
  EXPECT_EQ(weights(resumed), weights(module));
}

TEST(RowSparseModule, steps_send_the_rows_that_batches_touch) {
  const auto world = Communicator::world();
  const auto bytes = [&](bool sparse) {
    SVRGModule module = made(bag, sparse);
    step(module, bag, 0);
    const auto before = module.communicator().traffic().bytes;
    step(module, bag, 6);
    return static_cast<double>(module.communicator().traffic().bytes - before);
  };
  const double sparse = bytes(true), dense = bytes(false);
  if (world.size() > 1) {
    EXPECT_LT(sparse, 0.6 * dense);
  }
}

TEST(RowSparseModule, the_symbols_of_the_page_on_mxnet_have_row_sparse_parameters) {
  const auto embedded = sym::Embedding({{"data", sym::Variable("data")},
                                        {"input_dim", 1000000},
                                        {"output_dim", 64},
                                        {"sparse_grad", true},
                                        {"name", "embed"}});
  const auto w = sym::Variable("weight", {.shape = {1000000, 2}, .stype = "row_sparse"});
  const auto scores = sym::dot(sym::Variable("data"), w);
  EXPECT_TRUE(
      parameter_layout(embedded, {.inputs = {{"data", {8, 20}}}}).at("embed_weight").row_sparse);
  EXPECT_TRUE(
      parameter_layout(scores, {.inputs = {{"data", {8, 1000000}}}}).at("weight").row_sparse);
  EXPECT_EQ(Symbol::from_json(scores.to_json()).attr_dict().at("weight").at("__storage_type__"),
            "1");
  EXPECT_THROW(sym::Variable("w", {.stype = "csr"}), ConfigError);
}

TEST(RowSparseModule, a_weight_that_is_read_as_a_whole_is_dense) {
  // Tied to the output layer, all of it has a gradient.
  const auto tied = [](bool sparse) {
    const auto w = sym::Variable("embed_weight", {.shape = {words, 4}});
    auto x = sym::Embedding({{"data", sym::Variable("data")},
                             {"weight", w},
                             {"input_dim", words},
                             {"output_dim", 4},
                             {"sparse_grad", sparse}});
    x = sym::dot(sym::mean(x, {{"axis", 1}}), w, {{"transpose_b", true}});
    return sym::SoftmaxOutput(x, {{"name", "softmax"}});
  };
  const Problem problem{"tied", tied, word_numbers};
  SVRGModule sparse = made(problem, true), dense = made(problem, false);
  for (const Index from : {0, 6, 12})
    for (SVRGModule* module : {&sparse, &dense}) step(*module, problem, from);
  EXPECT_EQ(weights(sparse), weights(dense));
}

TEST(SparseRows, are_asked_for_as_the_page_says) {
  const auto embedded = sym::Embedding({{"data", sym::Variable("data")},
                                        {"input_dim", 1000000},
                                        {"output_dim", 64},
                                        {"sparse_grad", true},
                                        {"name", "embed"}});
  // Or, for CSR rows in a linear model:
  const auto w = sym::Variable("weight", {.shape = {1000000, 2}, .stype = "row_sparse"});
  const auto scores = sym::dot(sym::Variable("data"), w);
  EXPECT_EQ(embedded.list_arguments(), (std::vector<std::string>{"data", "embed_weight"}));
  EXPECT_EQ(scores.list_arguments(), (std::vector<std::string>{"data", "weight"}));
}

}  // namespace
}  // namespace svrg
