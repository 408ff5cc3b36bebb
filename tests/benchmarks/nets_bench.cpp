// Samples a second of CPU time in training small nets through Module and SVRGModule, beside the
// matrix products of a step alone. usage: nets_bench [--benchmark_filter=REGEX]
//   step/NET/STEP/BATCH   forward_backward() and update() on batches in memory
//   gemm/NET/BATCH        the products of one such step at w; those at w̃ are as many again
//   fit/NET/BATCH         SVRGModule::fit with its iterator and metric, a full gradient every other
//                         epoch; its time is that of an epoch
#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>

#include "model/operators/gemm.hpp"
#include "svrg/comm/environment.hpp"
#include "svrg/module/iterators.hpp"
#include "svrg/module/svrg_module.hpp"

namespace svrg {
namespace {

constexpr Index classes = 10, pixels = 28 * 28;

struct Net {
  std::string name;
  Symbol symbol;
  std::vector<Index> row;  // shape of one
  struct Product {
    Index times, m, n, k;  // [m, k] x [k, n], `times` a row of the batch; 0: m counts the batch
    bool first = false;    // no gradient of its input is wanted
  };
  std::vector<Product> products;
};

Symbol dense(const Symbol& x, Index hidden, const std::string& name) {
  return sym::FullyConnected(x, {{"num_hidden", hidden}, {"name", name}});
}
Symbol relu(const Symbol& x, const std::string& name) {
  return sym::Activation(x, {{"act_type", "relu"}, {"name", name}});
}
Symbol classified(const Symbol& x) { return sym::SoftmaxOutput(x, {{"name", "softmax"}}); }

Net mlp() {
  auto x = relu(dense(sym::Variable("data"), 128, "fc1"), "relu1");
  x = relu(dense(x, 64, "fc2"), "relu2");
  return {"mlp",
          classified(dense(x, classes, "fc3")),
          {pixels},
          {{0, 0, 128, pixels, true}, {0, 0, 64, 128}, {0, 0, classes, 64}}};
}

Net lenet() {
  const auto stage = [](const Symbol& x, Index filters, Index pad, const std::string& number) {
    const auto y = sym::Convolution(
        x,
        {{"kernel", {5, 5}}, {"num_filter", filters}, {"pad", {pad, pad}}, {"name", "c" + number}});
    return sym::Pooling(
        relu(y, "r" + number),
        {{"kernel", {2, 2}}, {"stride", {2, 2}}, {"pool_type", "max"}, {"name", "p" + number}});
  };
  auto x = stage(stage(sym::Variable("data"), 6, 2, "1"), 16, 0, "2");
  x = relu(dense(x, 120, "fc1"), "relu1");
  x = relu(dense(x, 84, "fc2"), "relu2");
  return {"lenet",
          classified(dense(x, classes, "fc3")),
          {1, 28, 28},
          {{1, 6, 28 * 28, 25, true},
           {1, 16, 10 * 10, 6 * 25},
           {0, 0, 120, 400},
           {0, 0, 84, 120},
           {0, 0, classes, 84}}};
}

/// Seeded noise with the labels of a set that nothing can be learnt of: the time does not depend on
/// the values.
NDArray noise(Index rows, const std::vector<Index>& row) {
  std::vector<Index> shape{rows};
  shape.insert(shape.end(), row.begin(), row.end());
  Index size = 1;
  for (const Index n : shape) size *= n;
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform;
  std::vector<float> values(static_cast<std::size_t>(size));
  std::generate(values.begin(), values.end(), [&] { return uniform(random); });
  return {shape, std::move(values)};
}
NDArray any_class(Index rows) {
  std::mt19937 random(2);
  std::vector<float> values(static_cast<std::size_t>(rows));
  std::generate(values.begin(), values.end(),
                [&] { return static_cast<float>(random() % static_cast<unsigned>(classes)); });
  return {{rows}, std::move(values)};
}

void rate(benchmark::State& state, double samples) {
  state.counters["samples"] = benchmark::Counter(samples, benchmark::Counter::kIsRate);
}

void step(benchmark::State& state, const Net& net, bool svrg, Index batch) {
  constexpr Index batches = 24;
  NDArrayIter data(noise(batches * batch, net.row), any_class(batches * batch),
                   {.batch_size = batch});
  SVRGModule module(net.symbol, {.update_freq = 1}, Communicator::self());
  module.bind(data.provide_data(), data.provide_label());
  module.init_params({.initializer = initializer::Xavier()});
  module.init_optimizer({.optimizer_params = {{"learning_rate", 0.01}}});
  if (svrg) module.update_full_grads(data);
  data.reset();
  std::vector<DataBatch> held;
  for (const DataBatch& one : data) held.push_back(one);
  std::size_t at = 0;
  for (auto _ : state) {
    module.forward_backward(held[at]);
    module.update();
    at = (at + 1) % held.size();
  }
  rate(state, static_cast<double>(state.iterations() * batch));
}

/// What a step leaves of a machine that could do nothing but multiply.
void products(benchmark::State& state, const Net& net, Index batch) {
  struct Arrays {
    std::vector<float> a, b, c, of_a, of_b;
  };
  std::vector<Arrays> arrays;
  for (const auto& p : net.products) {
    const auto size = [](Index x, Index y) { return static_cast<std::size_t>(x * y); };
    const Index m = p.times > 0 ? p.m : batch;
    const std::vector<float> a(size(m, p.k), 0.1F), b(size(p.n, p.k), 0.1F);
    arrays.push_back({a, b, std::vector<float>(size(m, p.n)), a, b});
  }
  using ops::gemm;
  using enum ops::Transpose;
  for (auto _ : state)
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      const auto& p = net.products[i];
      auto& [a, b, c, of_a, of_b] = arrays[i];
      const Index m = p.times > 0 ? p.m : batch;
      for (Index r = 0; r < (p.times > 0 ? p.times * batch : 1); ++r) {
        gemm(no, yes, m, p.n, p.k, 1.F, a.data(), p.k, b.data(), p.k, 0.F, c.data(), p.n);
        gemm(yes, no, p.n, p.k, m, 1.F, c.data(), p.n, a.data(), p.k, 0.F, of_b.data(), p.k);
        if (!p.first)
          gemm(no, no, m, p.k, p.n, 1.F, c.data(), p.n, b.data(), p.k, 0.F, of_a.data(), p.k);
      }
    }
  rate(state, static_cast<double>(state.iterations() * batch));
}

void fit(benchmark::State& state, const Net& net, Index rows, Index batch) {
  NDArrayIter data(noise(rows, net.row), any_class(rows), {.batch_size = batch});
  constexpr Index epochs = 2;
  for (auto _ : state) {
    SVRGModule module(net.symbol, {.update_freq = 2}, Communicator::self());
    FitOptions options;
    options.eval_metric = "acc";
    options.optimizer_params = {{"learning_rate", 0.01}};
    options.num_epoch = epochs;
    module.fit(data, options);
  }
  rate(state, static_cast<double>(state.iterations() * epochs * rows));
  state.counters["epoch"] =
      benchmark::Counter(static_cast<double>(state.iterations() * epochs),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void register_all() {
  for (const Net& net : {mlp(), lenet()})
    for (const Index batch : {64, 256}) {
      const std::string tail = "/" + std::to_string(batch);
      for (const bool svrg : {false, true})
        benchmark::RegisterBenchmark(
            ("step/" + net.name + (svrg ? "/svrg" : "/sgd") + tail).c_str(),
            [=](benchmark::State& s) { step(s, net, svrg, batch); });
      benchmark::RegisterBenchmark(("gemm/" + net.name + tail).c_str(),
                                   [=](benchmark::State& s) { products(s, net, batch); });
      if (net.name == "mlp")
        benchmark::RegisterBenchmark(("fit/mlp" + tail).c_str(),
                                     [=](benchmark::State& s) { fit(s, net, 60000, batch); });
    }
}

}  // namespace
}  // namespace svrg

int main(int argc, char** argv) {
  svrg::Environment environment(argc, argv);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  svrg::register_all();
  benchmark::RunSpecifiedBenchmarks();
}
