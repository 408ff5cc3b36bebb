// What a step costs whose batch reads few rows of a large embedding, with a row_sparse gradient and
// with a dense one: milliseconds and bytes sent, by rank.
// usage: mpirun -n P rows_bench [ROWS COLUMNS TOUCHED STEPS]     (1000000 64 1000 50)
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "svrg/comm/environment.hpp"
#include "svrg/core/clock.hpp"
#include "svrg/core/random.hpp"
#include "svrg/module/iterators.hpp"
#include "svrg/module/svrg_module.hpp"

namespace svrg {
namespace {

struct Size {
  Index rows = 1000000, columns = 64, touched = 1000, steps = 50;
};
constexpr Index words = 10;  // of a sample

Symbol net(const Size& size, bool sparse) {
  const auto x = sym::Embedding({{"data", sym::Variable("data")},
                                 {"input_dim", size.rows},
                                 {"output_dim", size.columns},
                                 {"sparse_grad", sparse},
                                 {"name", "embed"}});
  const auto scores =
      sym::FullyConnected(sym::mean(x, {{"axis", 1}}), {{"num_hidden", 2}, {"name", "fc"}});
  return sym::SoftmaxOutput(scores, {{"name", "softmax"}});
}

/// As many batches as steps, each of `touched` numbers of rows (a few of them twice).
NDArrayIter batches(const Size& size) {
  const CounterRandom random(1, 1);
  const Index samples = size.touched / words, all = size.steps * samples;
  std::vector<float> numbers, classes;
  for (Index i = 0; i < all * words; ++i)
    numbers.push_back(static_cast<float>(random.below(size.rows, static_cast<std::uint64_t>(i))));
  for (Index i = 0; i < all; ++i) classes.push_back(static_cast<float>(i % 2));
  return NDArrayIter(NDArray({all, words}, std::move(numbers)), NDArray({all}, std::move(classes)),
                     {.batch_size = samples});
}

void measure(const Communicator& comm, const Size& size, bool svrg, double momentum, bool sparse) {
  SVRGModule module(net(size, sparse), {.update_freq = 1}, comm);
  NDArrayIter data = batches(size);
  module.bind(data.provide_data(), data.provide_label());
  module.init_params();
  module.init_optimizer(
      {.optimizer_params = {{"learning_rate", 0.1}, {"momentum", momentum}, {"wd", 1e-5}}});
  double full = now();
  if (svrg) module.update_full_grads(data);
  full = now() - full;
  std::vector<double> seconds;
  Index bytes = 0;
  data.reset();
  for (const DataBatch& batch : data) {
    comm.barrier();
    const Index before = module.communicator().traffic().bytes;
    const double start = now();
    module.forward_backward(batch);
    module.update();
    seconds.push_back(now() - start);
    bytes = module.communicator().traffic().bytes - before;
  }
  std::sort(seconds.begin(), seconds.end());
  if (comm.is_root())
    std::printf(
        "%-5s momentum %.1f  %-6s  %9.3f ms a step  %12lld bytes a step  %.2f s a full gradient\n",
        svrg ? "svrg" : "sgd", momentum, sparse ? "sparse" : "dense",
        1e3 * seconds[seconds.size() / 2], static_cast<long long>(bytes), svrg ? full : 0.0);
}

}  // namespace
}  // namespace svrg

int main(int argc, char** argv) {
  svrg::Environment environment(argc, argv);
  svrg::Size size;
  svrg::Index* const to[] = {&size.rows, &size.columns, &size.touched, &size.steps};
  for (int i = 1; i < argc && i <= 4; ++i) *to[i - 1] = std::atoll(argv[i]);
  const auto world = svrg::Communicator::world();
  for (const bool svrg : {false, true})
    for (const double momentum : {0.0, 0.9})
      for (const bool sparse : {true, false}) svrg::measure(world, size, svrg, momentum, sparse);
}
