// A recurrent net on sentences of several lengths, unrolled to each length over one set of weights
// and trained by SVRG with one full gradient over all of them:
//   h_t = tanh(A e(x_t) + B h_{t−1} + a),   P(x_{t+1} = k) = softmax_k(C h_t + c),
// F the mean over sentences of −Σ_t log P(x_{t+1}). Sentences are walks in which a word follows
// from the sum of the two before it, one time in ten another one: chance has a perplexity of 12.
//   build/bin/rnn_buckets
//   mpirun -n 2 build/bin/rnn_buckets
#include <svrg/svrg.hpp>

#include <cstdio>

namespace {

constexpr svrg::Index words = 12, hidden = 24, batch = 20;

std::vector<std::vector<svrg::Index>> sentences(svrg::Index count) {
  std::vector<std::vector<svrg::Index>> all;
  for (svrg::Index i = 0; i < count; ++i) {
    const svrg::CounterRandom random(7, static_cast<std::uint64_t>(i));
    std::vector<svrg::Index> walk{random.below(words, 0), random.below(words, 1)};
    for (std::uint64_t t = 2; t < static_cast<std::uint64_t>(4 + random.below(7, 99)); ++t)
      walk.push_back(random.uniform(100 + t) < 0.1 ? random.below(words, t)
                                                   : (walk[t - 1] + walk[t - 2]) % words);
    all.push_back(walk);
  }
  return all;
}

// The net for sentences of `length` words.
svrg::BucketSymbol unrolled(svrg::Index length) {
  namespace sym = svrg::sym;
  const auto e = sym::Embedding({{"data", sym::Variable("data")},
                                 {"input_dim", words},
                                 {"output_dim", hidden},
                                 {"sparse_grad", true},
                                 {"name", "embed"}});
  const auto x = sym::SliceChannel(e, {{"num_outputs", length}, {"squeeze_axis", true}});
  const auto A = sym::var("A_weight"), a = sym::var("a_bias"), B = sym::var("B_weight");
  std::vector<svrg::Symbol> states;
  for (svrg::Index t = 0; t < length; ++t) {
    auto z = sym::FullyConnected({x[t], A, a}, {{"num_hidden", hidden}});
    if (t > 0)
      z = z + sym::FullyConnected({states.back(), B}, {{"num_hidden", hidden}, {"no_bias", true}});
    states.push_back(sym::tanh(z));
  }
  std::vector<svrg::Symbol> h;
  for (const auto& state : states) h.push_back(sym::expand_dims(state, {{"axis", 1}}));
  const auto all =
      sym::Reshape(sym::Concat(h, {{"dim", 1}}), {{"shape", {svrg::Index{-1}, hidden}}});
  const auto scores = sym::FullyConnected(all, {{"num_hidden", words}, {"name", "C"}});
  const auto next = sym::Reshape(sym::var("softmax_label"), {{"shape", {-1}}});
  return {sym::SoftmaxOutput(scores, next, {{"use_ignore", true}, {"name", "softmax"}})};
}

}  // namespace

int main(int argc, char** argv) {
  return svrg::run(argc, argv, [](int, char**) {
    const auto world = svrg::Communicator::world();
    svrg::BucketSentenceIter data(sentences(600), {.batch_size = batch, .buckets = {4, 6, 10}});
    svrg::SVRGBucketingModule module(unrolled, data.default_bucket_key(), {.update_freq = 2},
                                     world);
    const auto history =
        module.fit(data, {.eval_metric = svrg::metric::create("perplexity", {{"ignore_label", -1}}),
                          .optimizer_params = {{"learning_rate", 0.05}, {"momentum", 0.5}},
                          .initializer = svrg::initializer::Xavier(),
                          .num_epoch = 40});
    const double reached = history.epochs.back().train.at("perplexity");
    if (world.is_root()) std::printf("{\"perplexity\": %.3f}\n", reached);
    return reached < 3 ? 0 : 1;
  });
}
