// How fast the loops over rows are, against how fast this machine reads: each benchmark prints
// bytes a second beside the read of the same buffer. usage: kernels_bench
// [--benchmark_filter=REGEX]
#include <benchmark/benchmark.h>

#include <numeric>
#include <random>

#include "svrg/model/linear_model.hpp"

namespace svrg {
namespace {

/// n rows with labels ±1 and what a chain or a search knows of them; views into it as a batch.
template <class T>
class Problem {
 public:
  Problem(Index n, Index d, Index nonzeros)  // per row; 0: dense
      : n_(n), model_(Loss::logistic, d, 1, false), w_(Vec<double>::Random(d) * 0.01), g_(d) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    // Columns as in text: a few are everywhere, most are rare.
    std::uniform_real_distribution<double> uniform;
    const Index stored = nonzeros > 0 ? nonzeros : d;
    const double scale = 1 / std::sqrt(static_cast<double>(stored));
    for (Index i = 0; i < n; ++i) {
      for (Index e = 0; e < stored; ++e) {
        values_.push_back(static_cast<T>(scale * static_cast<double>(normal(random))));
        if (nonzeros > 0) {
          const double u = uniform(random);
          indices_.push_back(
              static_cast<std::int32_t>(static_cast<double>(d) * std::pow(u, 3) * 0.999));
        }
      }
      if (nonzeros > 0)
        std::sort(indices_.end() - static_cast<std::ptrdiff_t>(nonzeros), indices_.end());
      starts_.push_back(static_cast<Index>(values_.size()));
      labels_.push_back(normal(random) > 0 ? 1 : -1);
    }
    if (nonzeros > 0)
      input_.rows = CsrRows<T>{values_.data(), indices_.data(), starts_.data(), n, d};
    else
      input_.rows = DenseRows<T>{values_.data(), n, d, d};
    batch_.inputs = {&input_, 1};
    batch_.labels = labels_;
    z_.resize(static_cast<std::size_t>(n));
    r_ = z_;
  }
  double bytes() const {
    return static_cast<double>(values_.size() * sizeof(T) + indices_.size() * 4);
  }
  double nonzeros() const { return static_cast<double>(values_.size()); }
  void sweep() {
    g_.setZero();
    benchmark::DoNotOptimize(model_.sweep(w_, batch_, {0, 0, n_}, z_.data(), r_.data(), g_));
  }
  void chain(Index group) {
    ChainStep step;
    step.eta = 0.5;
    step.l2 = 1e-5;
    step.group = group;
    Vec<double> u(g_.size());
    model_.run_chain({&batch_, 0, n_, z_.data(), r_.data()}, step, g_, u);
    benchmark::DoNotOptimize(u.data());
  }
  void direction() {
    std::vector<float> q(z_.size());
    model_.direction_margins(w_, batch_, {0, 0, n_}, q.data());
    benchmark::DoNotOptimize(q.data());
  }
  void curvature() {
    Eigen::MatrixXd h = Eigen::MatrixXd::Zero(g_.size(), g_.size());
    model_.add_curvature(batch_, 0, n_, z_.data(), h);
    benchmark::DoNotOptimize(h.data());
  }
  void lines(std::size_t k) {
    if (q_.empty()) q_.assign(k, std::vector<float>(z_.size(), 0.5F));
    std::vector<const float*> columns;
    for (const auto& q : q_) columns.push_back(q.data());
    const std::vector<double> alpha(k, 0.1);
    const auto size = static_cast<Index>(k);
    LineSums sums{0, Vec<double>::Zero(size), Eigen::MatrixXd::Zero(size, size)};
    model_.add_line_sums(batch_, {0, 0, n_}, z_.data(), columns, alpha, sums);
    benchmark::DoNotOptimize(sums.value);
  }
  /// The sum of every stored bit pattern: nothing but reading.
  void read() const {
    const auto* words = reinterpret_cast<const std::uint64_t*>(values_.data());
    std::uint64_t sum[8] = {};
    const std::size_t count = values_.size() * sizeof(T) / 8;
    for (std::size_t i = 0; i + 8 <= count; i += 8)
      for (std::size_t a = 0; a < 8; ++a) sum[a] += words[i + a];
    benchmark::DoNotOptimize(sum[0] + sum[1] + sum[2] + sum[3] + sum[4] + sum[5] + sum[6] + sum[7]);
  }

 private:
  Index n_;
  std::vector<T> values_;
  std::vector<std::int32_t> indices_;
  std::vector<Index> starts_{0};
  std::vector<double> labels_, z_, r_;
  std::vector<std::vector<float>> q_;
  Input input_{};
  Batch batch_{};
  LinearModel model_;
  Vec<double> w_, g_;
};

/// One data set at a time in memory, kept from one benchmark to the next.
template <class T, Index n, Index d, Index nonzeros>
Problem<T>& problem() {
  static Problem<T> the(n, d, nonzeros);
  return the;
}

template <class P, class F>
void measure(benchmark::State& state, P& p, F&& f) {
  p.sweep();
  for (auto _ : state) f(p);
  const auto times = static_cast<double>(state.iterations());
  state.counters["bytes"] = benchmark::Counter(times * p.bytes(), benchmark::Counter::kIsRate,
                                               benchmark::Counter::OneK::kIs1000);
  state.counters["values"] = benchmark::Counter(times * p.nonzeros(), benchmark::Counter::kIsRate);
}

#define SVRG_MEASURE(name, call)                                            \
  template <class T, Index n, Index d, Index nonzeros>                      \
  void name(benchmark::State& state) {                                      \
    measure(state, problem<T, n, d, nonzeros>(), [&](auto& p) { p.call; }); \
  }
SVRG_MEASURE(read, read())
SVRG_MEASURE(sweep, sweep())
SVRG_MEASURE(direction, direction())
SVRG_MEASURE(chain_by_row, chain(1))
SVRG_MEASURE(chain_by_four, chain(4))
SVRG_MEASURE(curvature, curvature())
SVRG_MEASURE(lines_of_six, lines(6))

#define SVRG_FOR_SHAPE(...)                                            \
  BENCHMARK(read<__VA_ARGS__>)->Unit(benchmark::kMillisecond);         \
  BENCHMARK(sweep<__VA_ARGS__>)->Unit(benchmark::kMillisecond);        \
  BENCHMARK(direction<__VA_ARGS__>)->Unit(benchmark::kMillisecond);    \
  BENCHMARK(chain_by_row<__VA_ARGS__>)->Unit(benchmark::kMillisecond); \
  BENCHMARK(chain_by_four<__VA_ARGS__>)->Unit(benchmark::kMillisecond)
SVRG_FOR_SHAPE(double, 200'000, 54, 0);
SVRG_FOR_SHAPE(float, 200'000, 54, 0);
SVRG_FOR_SHAPE(double, 200'000, 56, 0);
SVRG_FOR_SHAPE(double, 50'000, 500, 0);
SVRG_FOR_SHAPE(float, 50'000, 500, 0);
SVRG_FOR_SHAPE(double, 100'000, 47'000, 80);
SVRG_FOR_SHAPE(float, 100'000, 47'000, 80);
SVRG_FOR_SHAPE(double, 30'000, 123, 14);
BENCHMARK(curvature<double, 200'000, 54, 0>)->Unit(benchmark::kMillisecond);
BENCHMARK(curvature<double, 50'000, 500, 0>)->Unit(benchmark::kMillisecond);
BENCHMARK(curvature<double, 30'000, 123, 14>)->Unit(benchmark::kMillisecond);
BENCHMARK(lines_of_six<double, 200'000, 54, 0>)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace svrg

BENCHMARK_MAIN();
