#pragma once
#include <algorithm>
#include <numeric>
#include <span>
#include <vector>

#include "svrg/data/read_ahead.hpp"
#include "svrg/model/linear_model.hpp"

namespace svrg::chain {

/// A chain's blocks in random order; their rows follow in order. Rows were permuted at load, so
/// whole blocks are as good as single rows and keep the memory streaming. Of rows in the file's
/// order, runs of blocks are visited in random order, and the blocks of a run likewise.
inline std::vector<Index> block_order(const ChainRows& rows, const ChainStep& step) {
  const Index blocks = (rows.count + step.block - 1) / step.block;
  std::vector<Index> order(static_cast<std::size_t>(blocks));
  std::iota(order.begin(), order.end(), Index{0});
  shuffle(std::span(order), step.order);
  keep_runs_together(order, 0, step.run);
  return order;
}

/// f(first row, rows) through the blocks, `group` rows at a time.
template <class F>
void visit_groups(const ChainRows& rows, const ChainStep& step, Index group, F&& f) {
  const std::vector<Index> order = block_order(rows, step);
  ReadAhead* ahead = read_ahead(rows.batch->inputs[0].rows);
  const ReadAhead::Visit visit(ahead, rows.first, step.block, order);
  for (const Index b : order) {
    const Index from = rows.first + b * step.block;
    if (ahead != nullptr) ahead->at(from);
    const Index to = std::min(from + step.block, rows.first + rows.count);
    for (Index i = from; i < to; i += group) f(i, std::min(group, to - i));
  }
}

inline double chain_weight(const ChainRows& rows, Index i) {
  const auto& weights = rows.batch->weights;
  return weights.empty() ? 1.0 : weights[static_cast<std::size_t>(i)] / rows.mean_weight;
}

/// φ'(s) − r_i, weighted; s is overwritten by it.
template <class L>
void change_of_residual(const L& loss, const ChainRows& rows, Index i, Index K, double* s,
                        double* work) {
  loss.residual_only(s, rows.batch->labels[static_cast<std::size_t>(i)], K, work);
  const double weight = chain_weight(rows, i);
  for (Index k = 0; k < K; ++k) s[k] = weight * (work[k] - rows.residuals[i * K + k]);
}

}  // namespace svrg::chain
