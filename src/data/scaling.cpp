#include "svrg/data/scaling.hpp"

#include <cmath>
#include <limits>

#include "data/row_values.hpp"
#include "svrg/core/error.hpp"

namespace svrg {
namespace {

/// Σ over all rows of add(row's weight, its column's value, the sums of that column), [columns, 2],
/// and the sum of weights behind them.
template <class Add>
std::vector<double> column_sums(const Communicator& comm, const Shard& shard, Reduction reduction,
                                Add&& add) {
  const Index d = shard.info().columns;
  const auto sums = make_reducer<double>(comm, reduction, shard.partition().virtual_shards(),
                                         shard.owned_shards());
  sums->start(2 * d + 1, 0);
  for (const Part& part : shard.all().parts) {
    const auto values = sums->values(part.virtual_shard);
    std::visit(
        [&](const auto& x) {
          for (Index i = part.first; i < part.first + part.count; ++i) {
            const auto row = static_cast<std::size_t>(i);
            const double weight = shard.weights().empty() ? 1 : shard.weights()[row];
            values[static_cast<std::size_t>(2 * d)] += weight;
            each_value(x, i, [&](Index j, auto v) {
              add(weight, static_cast<double>(v), j,
                  values.subspan(static_cast<std::size_t>(2 * j), 2));
            });
          }
        },
        shard.all().inputs[0].rows);
  }
  sums->reduce();
  return {sums->total().begin(), sums->total().end()};
}

}  // namespace

Scaling standardizing(const Communicator& comm, const Shard& shard, Standardize kind,
                      Reduction reduction) {
  if (kind == Standardize::none) return {};
  comm.agree("", [&] {
    if (kind == Standardize::zscore && shard.sparse())
      throw ConfigError(shard.info().path +
                        ": zscore would fill the zeros of sparse rows; use --standardize scale");
  });
  const auto d = static_cast<std::size_t>(shard.info().columns);
  Scaling result;
  result.mean.resize(d);
  result.scale.resize(d);
  // Two passes: the difference of two large sums would lose small deviations.
  const auto first = column_sums(comm, shard, reduction,
                                 [](double weight, double v, Index, std::span<double> sums) {
                                   sums[0] += weight * v;
                                   sums[1] += weight;
                                 });
  const double total = first.back();
  for (std::size_t j = 0; j < d; ++j) result.mean[j] = total > 0 ? first[2 * j] / total : 0;
  const auto second = column_sums(comm, shard, reduction,
                                  [&](double weight, double v, Index j, std::span<double> sums) {
                                    const double e = v - result.mean[static_cast<std::size_t>(j)];
                                    sums[0] += weight * e;
                                    sums[1] += weight * e * e;
                                  });
  for (std::size_t j = 0; j < d; ++j) {
    // The first mean is off by the rounding of a long sum: about the true one the deviation of a
    // constant column is 0 to its last digits.
    const double about = result.mean[j], zeros = total - first[2 * j + 1];
    const double off = (second[2 * j] - zeros * about) / total;
    const double square = (second[2 * j + 1] + zeros * about * about) / total - off * off;
    result.mean[j] = about + off;
    const double deviation = std::sqrt(std::max(0.0, square));
    const double noise = 10 * std::numeric_limits<double>::epsilon() * std::fabs(result.mean[j]);
    result.scale[j] = deviation > noise && std::isfinite(deviation) ? deviation : 1;
  }
  if (kind == Standardize::scale) result.mean.clear();
  return result;
}

void apply(const Scaling& scaling, Shard& shard) {
  if (!scaling.empty()) shard.rescale(scaling.mean, scaling.scale);
}

}  // namespace svrg
