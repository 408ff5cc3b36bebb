// Symbols for sequences of several lengths over one set of weights, and states between batches.
#include "svrg/module/bucketing_module.hpp"

#include "nets.hpp"
#include "svrg/core/error.hpp"
#include "svrg/module/bucket_sentence_iter.hpp"

namespace svrg {
namespace {

constexpr Index words = 9, hidden = 5, batch_rows = 6;

/// The hidden states of `length` steps from `state`, one after the other.
std::vector<Symbol> recurrence(Index length, Symbol state) {
  const auto e = sym::Embedding({{"data", sym::Variable("data")},
                                 {"input_dim", words},
                                 {"output_dim", hidden},
                                 {"name", "embed"}});
  const auto x = sym::SliceChannel(e, {{"num_outputs", length}, {"squeeze_axis", true}});
  const auto in = sym::var("in_weight"), bias = sym::var("in_bias"), back = sym::var("back_weight");
  std::vector<Symbol> states;
  for (Index t = 0; t < length; ++t) {
    state =
        sym::tanh(sym::FullyConnected({x[t], in, bias}, {{"num_hidden", hidden}}) +
                  sym::FullyConnected({state, back}, {{"num_hidden", hidden}, {"no_bias", true}}));
    states.push_back(state);
  }
  return states;
}

Symbol start_state() { return sym::Variable("state", {.shape = {0, hidden}}); }

/// Scores of the next word at every step, under softmax.
Symbol predicted(const std::vector<Symbol>& states) {
  std::vector<Symbol> rows_of_steps;
  for (const Symbol& h : states) rows_of_steps.push_back(sym::expand_dims(h, {{"axis", 1}}));
  const auto all =
      sym::Reshape(sym::Concat(rows_of_steps, {{"dim", 1}}), {{"shape", {Index{-1}, hidden}}});
  const auto scores = sym::FullyConnected(all, {{"num_hidden", words}, {"name", "out"}});
  const auto next = sym::Reshape(sym::var("softmax_label"), {{"shape", {-1}}});
  return sym::SoftmaxOutput(scores, next, {{"use_ignore", true}, {"name", "softmax"}});
}

BucketSymbol unrolled(Index length) { return {predicted(recurrence(length, start_state()))}; }

std::vector<std::vector<Index>> sentences() {
  std::vector<std::vector<Index>> all;
  for (Index i = 0; i < 70; ++i) {
    std::vector<Index> sentence;
    for (Index t = 0; t < 2 + i % 5; ++t) sentence.push_back((i + t * (1 + i % 3)) % words);
    all.push_back(sentence);
  }
  return all;
}

BucketSentenceIter iterator_of_sentences() {
  return BucketSentenceIter(sentences(), {.batch_size = batch_rows, .buckets = {3, 6, 4}});
}

ModuleOptions in_double() {
  return {.state_names = {"state"}, .dtype = Dtype::float64, .update_freq = 2};
}

InitOptimizerOptions momentum() {
  return {.optimizer_params = {{"learning_rate", 0.1}, {"momentum", 0.8}}};
}

template <class Bucketed>
Bucketed ready(const Communicator& comm = Communicator::world()) {
  auto data = iterator_of_sentences();
  Bucketed module(unrolled, data.default_bucket_key(), in_double(), comm);
  module.bind(data.provide_data(), data.provide_label());
  module.init_params({.initializer = initializer::Uniform(0.5)});
  module.init_optimizer(momentum());
  return module;
}

template <class Plain>
Plain of_length(Index length, Module* shared = nullptr) {
  Plain module(unrolled(length).symbol, in_double(), Communicator::world());
  module.bind({{"data", {batch_rows, length}}}, {{"softmax_label", {batch_rows, length}}},
              {.shared_module = shared});
  return module;
}

std::vector<double> weights(const Module& module) { return flat(module.get_params().arg); }

TEST(BucketSentenceIter, puts_each_sentence_in_the_shortest_bucket_that_takes_it) {
  auto data = iterator_of_sentences();
  EXPECT_EQ(data.default_bucket_key(), 6);
  const auto all = sentences();
  std::map<Index, Index> batches;
  std::vector<Index> seen;
  for (const DataBatch& batch : data) {
    const Index length = batch.bucket_key.value_or(0);
    ++batches[length];
    const auto x = batch.data[0].values(), y = batch.label[0].values();
    for (Index i = 0; i < batch_rows; ++i) {
      const auto number = static_cast<std::size_t>(batch.rows[static_cast<std::size_t>(i)]);
      seen.push_back(batch.rows[static_cast<std::size_t>(i)]);
      const auto& sentence = all[number];
      const auto size = static_cast<Index>(sentence.size());
      EXPECT_EQ(length, size <= 3 ? 3 : size == 4 ? 4 : 6);
      for (Index t = 0; t < length; ++t) {
        const auto at = static_cast<std::size_t>(i * length + t);
        const auto word = [&](Index k) {
          return k < size ? static_cast<double>(sentence[static_cast<std::size_t>(k)]) : -1;
        };
        EXPECT_EQ(x[at], word(t));
        EXPECT_EQ(y[at], word(t + 1));
      }
    }
  }
  // 28, 14 and 28 sentences make 4, 2 and 4 batches of 6; nobody comes twice.
  EXPECT_EQ(batches, (std::map<Index, Index>{{3, 4}, {4, 2}, {6, 4}}));
  EXPECT_EQ(data.batches(), 10);
  sort(seen.begin(), seen.end());
  EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
}

TEST(BucketSentenceIter, finds_the_order_after_so_many_resets_again) {
  auto one = iterator_of_sentences(), other = iterator_of_sentences();
  const auto rows_of = [](BucketSentenceIter& data) {
    std::vector<Index> all;
    for (const DataBatch& batch : data) all.insert(all.end(), batch.rows.begin(), batch.rows.end());
    return all;
  };
  const auto first = rows_of(one);
  one.reset();
  one.reset();
  other.set_resets(2);
  const auto third = rows_of(one);
  EXPECT_EQ(third, rows_of(other));
  EXPECT_NE(third, first);
}

TEST(BucketSentenceIter, takes_lengths_with_enough_sentences_where_none_are_given) {
  const BucketSentenceIter data({{1, 2}, {1, 3}, {1, 2, 3}, {4, 5, 6, 7}, {4, 5, 6, 8}},
                                {.batch_size = 2});
  EXPECT_EQ(data.default_bucket_key(), 4);
  EXPECT_EQ(data.batches(), 2);  // the one of three words waits in the bucket of four, in vain
  EXPECT_THROW(BucketSentenceIter({{1, 2}}, {.batch_size = 2}), ConfigError);
}

TEST(BucketingModule, is_modules_of_each_length_that_share_weights_and_optimizer) {
  auto bucketed = ready<BucketingModule>();
  auto longest = of_length<Module>(6);
  longest.set_params(bucketed.get_params().arg, {});
  longest.init_optimizer(momentum());
  std::map<Index, Module> modules;
  modules.emplace(3, of_length<Module>(3, &longest));
  modules.emplace(4, of_length<Module>(4, &longest));
  auto data = iterator_of_sentences();
  for (const DataBatch& batch : data) {
    const Index length = batch.bucket_key.value_or(0);
    Module& module = length == 6 ? longest : modules.at(length);
    for (Module* m : {static_cast<Module*>(&bucketed), &module}) {
      m->forward_backward(batch);
      m->update();
    }
    EXPECT_EQ(bucketed.bucket_key(), length);
    EXPECT_EQ(weights(bucketed), weights(longest));
  }
}

TEST(BucketingModule, one_full_gradient_is_the_mean_over_the_batches_of_all_buckets) {
  auto bucketed = ready<SVRGBucketingModule>();
  auto data = iterator_of_sentences();
  bucketed.update_full_grads(data);

  std::vector<double> mean;
  for (const Index length : {3, 4, 6}) {
    auto module = of_length<SVRGModule>(length);
    module.set_params(bucketed.get_params().arg, {});
    // The iterator with this bucket's batches alone.
    std::vector<std::vector<Index>> own;
    for (auto& sentence : sentences()) {
      const auto size = static_cast<Index>(sentence.size());
      if (length == (size <= 3 ? 3 : size == 4 ? 4 : 6)) own.push_back(sentence);
    }
    // The order of an epoch says which sentences are left out: take the same.
    std::vector<std::vector<Index>> taken;
    data.set_resets(1);  // as update_full_grads() did
    for (const DataBatch& batch : data)
      if (batch.bucket_key == length)
        for (const Index row : batch.rows)
          taken.push_back(sentences()[static_cast<std::size_t>(row)]);
    BucketSentenceIter some(taken, {.batch_size = batch_rows, .buckets = {length}});
    module.update_full_grads(some);
    const auto part = flat(module.get_full_grads());
    mean.resize(part.size());
    for (std::size_t i = 0; i < part.size(); ++i)
      mean[i] += part[i] * static_cast<double>(some.batches()) / 10;
  }
  EXPECT_LT(largest_difference(flat(bucketed.get_full_grads()), mean), 1e-14);
}

TEST(BucketingModule, svrg_steps_at_the_snapshot_are_the_full_gradient_in_every_bucket) {
  auto module = ready<SVRGBucketingModule>();
  auto data = iterator_of_sentences();
  module.update_full_grads(data);
  const auto mu = flat(module.get_full_grads());
  const auto at = module.get_params();
  data.reset();
  for (const DataBatch& batch : data) {
    module.set_params(at.arg, at.aux);
    module.forward_backward(batch);
    module.update();
    auto g = flat(module.get_gradients());
    for (double& v : g) v /= batch_rows;
    EXPECT_LT(largest_difference(g, mu), 1e-14);
  }
}

FitOptions fit_for(Index epochs, Index begin = 0) {
  FitOptions fit;
  fit.eval_metric = metric::create("perplexity", {{"ignore_label", -1}});
  fit.optimizer_params = momentum().optimizer_params;
  fit.begin_epoch = begin;
  fit.num_epoch = epochs;
  return fit;
}

TEST(BucketingModule, learns_and_does_so_alike_on_any_ranks) {
  auto data = iterator_of_sentences(), same = iterator_of_sentences();
  auto here = ready<SVRGBucketingModule>();
  auto alone = ready<SVRGBucketingModule>(Communicator::self());
  const auto history = here.fit(data, fit_for(8));
  alone.fit(same, fit_for(8));
  EXPECT_LT(largest_difference(weights(here), weights(alone)), 1e-11);
  EXPECT_LT(history.epochs.back().train.at("perplexity"),
            0.5 * history.epochs.front().train.at("perplexity"));
  const auto score = here.score(data, metric::create("perplexity", {{"ignore_label", -1}}));
  EXPECT_LT(score.at(0).second, 0.5 * words);
  EXPECT_EQ(here.predict(data).at(0).shape,
            (std::vector<Index>{6 * (4 * 3 + 2 * 4 + 4 * 6), words}));
}

TEST(BucketingModule, goes_on_from_a_checkpoint_with_the_same_bits) {
  const auto world = Communicator::world();
  const std::string prefix = "buckets_n" + std::to_string(world.size());
  auto data = iterator_of_sentences();
  auto whole = ready<SVRGBucketingModule>(), first = ready<SVRGBucketingModule>();
  whole.fit(data, fit_for(7));

  data = iterator_of_sentences();
  first.fit(data, fit_for(4));
  first.save_checkpoint(prefix, 4, true);
  EXPECT_EQ(load_symbol(prefix).list_arguments(), unrolled(6).symbol.list_arguments());

  data = iterator_of_sentences();
  auto options = in_double();
  options.update_freq = {};
  auto second = SVRGBucketingModule::load(prefix, 4, true, unrolled, 6, options, world);
  second.fit(data, fit_for(7, 4));
  EXPECT_EQ(weights(second), weights(whole));
}

TEST(BucketingModule, says_what_buckets_cannot_do) {
  ModuleOptions packed = in_double();
  packed.compression_params = {{"type", "2bit"}};
  EXPECT_THROW(BucketingModule(unrolled, 6, packed, Communicator::world()), ConfigError);

  const auto other_weights = [](Index length) {
    if (length != 4) return unrolled(length);
    const auto x = sym::FullyConnected(sym::var("data") + sym::var("state"), {{"num_hidden", 4}});
    return BucketSymbol{sym::SoftmaxOutput(x, {{"name", "softmax"}})};
  };
  BucketingModule module(other_weights, 6, in_double(), Communicator::world());
  EXPECT_THROW(module.switch_bucket(3, {{"data", {batch_rows, 3}}}), ConfigError);  // before bind()
  module.bind({{"data", {batch_rows, 6}}}, {{"softmax_label", {batch_rows, 6}}});
  module.init_params();
  module.init_optimizer();
  EXPECT_THROW(module.switch_bucket(4, {{"data", {batch_rows, 4}}}), ConfigError);
  EXPECT_EQ(module.bucket_key(), 6);
  auto data = iterator_of_sentences();
  const DataBatch* batch = data.next();
  while (batch->bucket_key != 3) batch = data.next();
  module.forward_backward(*batch);                         // the failure has left all as it was
  EXPECT_THROW(module.switch_bucket(6, {}), ConfigError);  // gradients wait
  module.update();
  module.switch_bucket(6, {});
  EXPECT_EQ(module.bucket_key(), 6);
}

TEST(States, carry_a_long_sequence_through_batches_of_its_pieces) {
  // Three pieces of four words each, with the last hidden state handed on, are twelve at once.
  const auto with_state = [](Index length) {
    const auto states = recurrence(length, start_state());
    return sym::Group({predicted(states), sym::BlockGrad(states.back())});
  };
  const auto numbers = [](Index from, Index to) {
    std::vector<float> values;
    for (Index i = 0; i < batch_rows; ++i)
      for (Index t = from; t < to; ++t)
        values.push_back(static_cast<float>((i * 5 + t * t) % words));
    return NDArray({batch_rows, to - from}, std::move(values));
  };
  const auto made = [&](Index length) {
    Module module(with_state(length), in_double(), Communicator::world());
    module.bind({{"data", {batch_rows, length}}}, {{"softmax_label", {batch_rows, length}}});
    return module;
  };
  Module whole = made(12), pieces = made(4);
  whole.init_params({.initializer = initializer::Uniform(0.5)});
  pieces.set_params(whole.get_params().arg, {});
  whole.set_states(0);
  pieces.set_states(0);
  EXPECT_EQ(pieces.get_states().at(0).values(), std::vector<double>(batch_rows * hidden, 0));
  const auto expected = whole.predict(numbers(0, 12));
  for (Index piece = 0; piece < 3; ++piece) {
    const auto out = pieces.predict(numbers(4 * piece, 4 * piece + 4));
    pieces.set_states({out[1]});
    EXPECT_EQ(pieces.get_states().at(0).values(), out[1].values());
    for (Index i = 0; i < batch_rows; ++i)
      for (Index k = 0; k < 4 * words; ++k)
        EXPECT_NEAR(
            out[0].values()[static_cast<std::size_t>(i * 4 * words + k)],
            expected[0].values()[static_cast<std::size_t>(i * 12 * words + piece * 4 * words + k)],
            1e-14);
  }
  EXPECT_LT(largest_difference(pieces.get_states().at(0).values(), expected[1].values()), 1e-14);
}

}  // namespace
}  // namespace svrg
