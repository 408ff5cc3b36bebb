#include "svrg/data/synthetic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "data/fingerprint.hpp"
#include "svrg/core/error.hpp"
#include "svrg/core/random.hpp"

namespace svrg {
namespace {

// Streams of the random numbers; rows take the ones from there on.
constexpr std::uint64_t truth_stream = 0, first_row_stream = 1;
constexpr double strength = 2;  // standard deviation of the true margins

class Maker {
 public:
  explicit Maker(const Synthetic& problem) : problem_(problem) {
    const CounterRandom random(problem.seed, truth_stream);
    double sum = 0;
    for (Index j = 0; j < problem.columns; ++j) {
      truth_.push_back(random.normal(static_cast<std::uint64_t>(j)));
      scale_.push_back(1 / std::sqrt(static_cast<double>(j + 1)));
      sum += scale_.back() * scale_.back();
    }
    for (double& s : scale_) s *= std::sqrt(12 / sum);  // 1/12: the variance of a uniform value
  }

  /// Makes row `row`; what it holds stays until the next.
  void make(Index row) {
    const CounterRandom random(problem_.seed, first_row_stream + static_cast<std::uint64_t>(row));
    indices.clear();
    values.clear();
    if (problem_.dense())
      dense_row(random);
    else
      sparse_row(random);
    double margin = 0;
    for (std::size_t e = 0; e < values.size(); ++e)
      margin += values[e] * truth_[static_cast<std::size_t>(indices[e])];
    // Beyond the counters that values take.
    const double chance = 1 / (1 + std::exp(-strength * margin));
    label = random.uniform(std::uint64_t{1} << 40) < chance ? 1 : -1;
  }

  std::vector<std::int32_t> indices;
  std::vector<double> values;
  double label = 0;

 private:
  void dense_row(const CounterRandom& random) {
    std::uint64_t bits = 0;
    for (Index j = 0; j < problem_.columns; ++j) {
      bits = j % 4 == 0 ? random.bits(static_cast<std::uint64_t>(j / 4)) : bits >> 16;
      const double uniform = (static_cast<double>(bits & 0xFFFF) + 0.5) / 65536 - 0.5;
      indices.push_back(static_cast<std::int32_t>(j));
      values.push_back(scale_[static_cast<std::size_t>(j)] * uniform);
    }
  }
  void sparse_row(const CounterRandom& random) {
    const auto d = static_cast<double>(problem_.columns);
    const auto drawn = std::max<Index>(1, std::llround(problem_.density * d));
    for (Index e = 0; e < drawn; ++e) {
      const double u = random.uniform(static_cast<std::uint64_t>(e));
      indices.push_back(static_cast<std::int32_t>(d * u * u * u));
    }
    std::sort(indices.begin(), indices.end());
    indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
    double sum = 0;
    for (std::size_t e = 0; e < indices.size(); ++e) {
      values.push_back(0.5 + random.uniform(static_cast<std::uint64_t>(drawn) + e));
      sum += values.back() * values.back();
    }
    for (double& v : values) v /= std::sqrt(sum);
  }

  Synthetic problem_;
  std::vector<double> truth_, scale_;
};

template <class T>
RowStore filled(const Synthetic& problem, const Partition& partition, Index from, Index to,
                std::vector<double>& labels, Fingerprint& fingerprint) {
  Maker maker(problem);
  DenseStore<T> full;
  CsrStore<T> sparse;
  if (problem.dense()) full.data.reserve(static_cast<std::size_t>((to - from) * problem.columns));
  const auto put = [&](std::vector<T>& to_end) {
    for (const double v : maker.values) to_end.push_back(static_cast<T>(v));
  };
  for (Index position = from; position < to; ++position) {
    const Index row = partition.row_at(position);
    maker.make(row);
    labels.push_back(maker.label);
    fingerprint.add(row, maker.label, 1, maker.indices, maker.values);
    if (problem.dense()) {
      put(full.data);
      continue;
    }
    put(sparse.values);
    sparse.indices.insert(sparse.indices.end(), maker.indices.begin(), maker.indices.end());
    sparse.starts.push_back(static_cast<Index>(sparse.values.size()));
  }
  if (problem.dense()) return full;
  return sparse;
}

}  // namespace

std::string Synthetic::name() const {
  return fmt::format("synthetic {},{}{}", rows, columns,
                     density < 1 ? fmt::format(",{:g}", density) : "");
}

Shard make_synthetic(const Communicator& comm, const Synthetic& problem,
                     const ReadOptions& options) {
  const Partition partition(problem.rows, options.shards(comm.size()), options.row_order);
  const Index from = partition.begin(partition.first_shard(comm.rank(), comm.size())),
              to = partition.begin(partition.first_shard(comm.rank() + 1, comm.size()));
  const bool floats = options.dtype == Storage::f32;
  RowStore store;
  std::vector<double> labels;
  Fingerprint fingerprint;
  comm.agree("", [&] {
    if (options.balance == Balance::entries)
      throw ConfigError("--partition nnz: made-up rows are of one length as it is");
    const double value = floats ? 4 : 8;
    const double needed = static_cast<double>(to - from) * static_cast<double>(problem.columns) *
                          (problem.dense() ? value : problem.density * (value + 4));
    if (options.max_memory > 0 && needed > static_cast<double>(options.max_memory))
      throw LimitError(fmt::format(
          "{}: the rows of a rank need {:.1f} MiB; use more ranks, fewer rows or --max-memory",
          problem.name(), needed / (1 << 20)));
    store = floats ? filled<float>(problem, partition, from, to, labels, fingerprint)
                   : filled<double>(problem, partition, from, to, labels, fingerprint);
  });
  DataInfo info;
  info.path = problem.name();
  info.rows = problem.rows;
  info.columns = problem.columns;
  info.nonzeros = comm.sum(fingerprint.nonzeros());
  info.fingerprint = static_cast<std::uint64_t>(comm.sum(static_cast<Index>(fingerprint.sum())));
  return {std::move(info),  partition,         comm.rank(), comm.size(),
          std::move(store), std::move(labels), {}};
}

}  // namespace svrg
