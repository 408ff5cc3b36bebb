// Small problems with known answers, the same on any number of ranks.
#pragma once
#include <Eigen/Dense>
#include <cmath>
#include <vector>

#include "svrg/comm/communicator.hpp"
#include "svrg/core/random.hpp"
#include "svrg/data/shard.hpp"
#include "svrg/model/linear_model.hpp"

namespace svrg::test {

struct ProblemSpec {
  Loss loss = Loss::logistic;
  Index rows = 97, features = 7, classes = 3;
  bool sparse = false, weighted = false;
  Index virtual_shards = 8;
  std::uint64_t seed = 5;
  double spread = 2;  // column j is of size spread^(j mod 4 - 1)
};

/// Row i of the data set: features, label, weight. A function of (spec, i).
struct Row {
  Vec<double> x;
  double label, weight;
};
inline Row make_row(const ProblemSpec& spec, Index i) {
  const CounterRandom random(spec.seed, static_cast<std::uint64_t>(i));
  Row row{Vec<double>(spec.features), 0, 1};
  for (Index j = 0; j < spec.features; ++j) {
    const auto counter = static_cast<std::uint64_t>(j);
    const bool zero = spec.sparse && random.uniform(counter + 1000) < 0.6;
    // Columns of different scale, so that the problem is not trivially conditioned.
    const double size = std::pow(spec.spread, static_cast<double>(j % 4) - 1);
    row.x[j] = zero ? 0 : random.normal(counter) * size;
  }
  double score = 0.3;
  for (Index j = 0; j < spec.features; ++j) score += row.x[j] * std::cos(static_cast<double>(j));
  const double noise = random.normal(5000);
  switch (spec.loss) {
    case Loss::squared:
    case Loss::huber:
      row.label = score + 0.5 * noise;
      break;
    case Loss::logistic:
    case Loss::squared_hinge:
      row.label = score + noise > 0 ? 1 : -1;
      break;
    case Loss::softmax:
      row.label = static_cast<double>(random.below(spec.classes, 6000));
      if (noise > -0.5)
        row.label = std::fmod(std::fabs(std::floor(score)), static_cast<double>(spec.classes));
      break;
  }
  if (spec.weighted) row.weight = static_cast<double>(random.below(3, 7000));
  return row;
}

/// This rank's virtual shards of the data set.
inline Shard make_shard(const Communicator& comm, const ProblemSpec& spec) {
  const Partition partition(spec.rows, spec.virtual_shards, RowOrder::shuffled);
  DataInfo info;
  info.path = "made";
  info.rows = spec.rows;
  info.columns = spec.features;
  info.weighted = spec.weighted;
  DenseStore<double> dense;
  CsrStore<double> csr;
  std::vector<double> labels, weights;
  const Index from = partition.begin(partition.first_shard(comm.rank(), comm.size()));
  const Index to = partition.begin(partition.first_shard(comm.rank() + 1, comm.size()));
  for (Index position = from; position < to; ++position) {
    const Row row = make_row(spec, partition.row_at(position));
    labels.push_back(row.label);
    if (spec.weighted) weights.push_back(row.weight);
    for (Index j = 0; j < spec.features; ++j) {
      dense.data.push_back(row.x[j]);
      if (row.x[j] == 0) continue;
      csr.values.push_back(row.x[j]);
      csr.indices.push_back(static_cast<std::int32_t>(j));
    }
    csr.starts.push_back(static_cast<Index>(csr.values.size()));
  }
  RowStore store = spec.sparse ? RowStore(std::move(csr)) : RowStore(std::move(dense));
  return Shard(info, partition, comm.rank(), comm.size(), std::move(store), std::move(labels),
               std::move(weights));
}

inline LinearModel make_model(const ProblemSpec& spec, bool intercept = true) {
  return LinearModel(spec.loss, spec.features, spec.classes, intercept);
}

/// Reproducible weights of ordinary size.
inline Vec<double> some_weights(Index size, std::uint64_t seed = 11) {
  Vec<double> w(size);
  const CounterRandom random(seed, 0);
  for (Index j = 0; j < size; ++j) w[j] = 0.3 * random.normal(static_cast<std::uint64_t>(j));
  return w;
}

/// The exact minimiser of the squared loss with l2 on the weights and not on the intercept, by
/// normal equations over all rows.
inline Vec<double> ridge_solution(const ProblemSpec& spec, double l2) {
  const Index P = spec.features + 1;
  Eigen::MatrixXd a = Eigen::MatrixXd::Zero(P, P);
  Vec<double> b = Vec<double>::Zero(P);
  double total = 0;
  for (Index i = 0; i < spec.rows; ++i) {
    const Row row = make_row(spec, i);
    Vec<double> x(P);
    x << row.x, 1;
    a += row.weight * x * x.transpose();
    b += row.weight * row.label * x;
    total += row.weight;
  }
  a /= total;
  a.diagonal().head(spec.features).array() += l2;
  return a.ldlt().solve(b / total);
}

}  // namespace svrg::test
