#include "optimizer/owed_steps.hpp"

#include <algorithm>

#include "svrg/core/error.hpp"

namespace svrg {

IdleStep IdleStep::then(const IdleStep& n) const {
  return {n.mm * mm + n.mw * wm, n.mm * mw + n.mw * ww, n.mm * ma + n.mw * wa + n.ma,
          n.wm * mm + n.ww * wm, n.wm * mw + n.ww * ww, n.wm * ma + n.ww * wa + n.wa};
}

void OwedSteps::clear() {
  count_ = 0;
  logs_.clear();
  since_.clear();
}

void OwedSteps::add(const ParameterLayout& layout, const std::vector<IdleStep>& by_segment) {
  if (!any()) since_.assign(static_cast<std::size_t>(layout.sparse_rows()), 0);
  logs_.resize(by_segment.size());
  for (std::size_t s = 0; s < logs_.size(); ++s) append(logs_[s], by_segment[s]);
  ++count_;
}

void OwedSteps::append(Log& log, const IdleStep& step) const {
  IdleStep sum = step;
  for (std::size_t k = 0;; ++k) {
    if (log.blocks.size() == k) log.blocks.emplace_back();
    log.blocks[k].push_back(sum);
    if (log.blocks[k].size() % 2 != 0) break;
    sum = log.blocks[k][log.blocks[k].size() - 2].then(sum);
  }
  log.sums.emplace_back();
  log.summed_at.push_back(0);
}

const IdleStep& OwedSteps::owed(std::size_t segment, Index row) const {
  const Log& log = logs_[segment];
  const Index begin = since_[static_cast<std::size_t>(row)];
  const auto at = static_cast<std::size_t>(begin);
  if (log.summed_at[at] == count_) return log.sums[at];
  IdleStep sum;
  for (Index step = begin; step < count_;) {
    std::size_t k = 0;  // the largest block that begins here and does not go too far
    while (step % (Index{2} << k) == 0 && step + (Index{2} << k) <= count_) ++k;
    sum = sum.then(log.blocks[k][static_cast<std::size_t>(step >> k)]);
    step += Index{1} << k;
  }
  log.summed_at[at] = count_;
  return log.sums[at] = sum;
}

bool OwedSteps::is_of(const ParameterLayout& layout) const {
  const auto segments = std::count_if(layout.all().begin(), layout.all().end(),
                                      [](const Parameter& p) { return p.row_sparse; });
  return static_cast<Index>(since_.size()) == layout.sparse_rows() &&
         static_cast<std::ptrdiff_t>(logs_.size()) == segments;
}

void OwedSteps::save(State& state) const {
  if (!any()) return;
  std::vector<double> steps;
  for (const Log& log : logs_)
    for (const IdleStep& s : log.blocks[0])
      for (const double v : {s.mm, s.mw, s.ma, s.wm, s.ww, s.wa}) steps.push_back(v);
  state.arrays["optimizer/owed_steps"] = Array::vector(std::move(steps));
  state.arrays["optimizer/owed_since"] = Array::vector(since_);
  state.values["optimizer/owed_count"] = count_;
}

void OwedSteps::load(const State& state) {
  clear();
  if (!state.values.contains("optimizer/owed_count")) return;
  constexpr std::size_t numbers = 6;  // of a step
  const auto* steps = std::get_if<std::vector<double>>(&state.array("optimizer/owed_steps").data);
  const auto count = static_cast<std::size_t>(state.integer("optimizer/owed_count"));
  if (!steps || count == 0 || steps->size() % (numbers * count) != 0)
    throw DataError("the state of the optimizer's owed steps is damaged");
  since_ = state.integers("optimizer/owed_since");
  logs_.resize(steps->size() / (numbers * count));
  const double* from = steps->data();
  for (Log& log : logs_)
    for (std::size_t i = 0; i < count; ++i, from += numbers)
      append(log, {from[0], from[1], from[2], from[3], from[4], from[5]});
  count_ = static_cast<Index>(count);
  for (const Index since : since_)
    if (since < 0 || since > count_) throw DataError("a row owes steps that were never taken");
}

}  // namespace svrg
