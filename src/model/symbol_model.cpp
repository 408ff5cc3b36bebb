#include "svrg/model/symbol_model.hpp"

#include <algorithm>

#include "model/losses.hpp"
#include "svrg/core/error.hpp"

namespace svrg {

template <class Real>
SymbolModel<Real>::SymbolModel(const Net& net, ExecutorOptions options)
    : loss_(net.loss), data_(net.data), executor_(net.scores, options), block_(0), scores_(0) {
  if (const auto states = net.scores.list_auxiliary_states(); !states.empty())
    throw ConfigError("a symbol with auxiliary states (" + states[0] +
                      ") can be trained by SVRGModule only");
  const auto at = options.inputs.find(data_);
  if (at == options.inputs.end()) throw ConfigError("the shape of '" + data_ + "' is needed");
  block_ = at->second[0];
  scores_ = net.scores_per_row(std::span(at->second).subspan(1));
}

template <class Real>
template <class Each>
void SymbolModel<Real>::each_block(const Batch& batch, const Part& part, const Each& each) {
  for (Index done = 0; done < part.count; done += block_) {
    const Index count = std::min(block_, part.count - done), first = part.first + done;
    global_rows_.clear();
    for (Index i = first; i < first + count && !batch.global_rows.empty(); ++i) {
      const Index row = batch.pick.empty() ? i : batch.pick[static_cast<std::size_t>(i)];
      global_rows_.push_back(batch.global_rows[static_cast<std::size_t>(row)]);
    }
    executor_.begin(count);
    executor_.load(data_, batch.inputs[0].rows, batch.pick, first);
    each(done, count);
  }
}

template <class Real>
void SymbolModel<Real>::forward(ConstVecRef<Real> w, const Pass& pass) {
  executor_.forward(w, no_states_, {pass, false, global_rows_});
}

template <class Real>
double SymbolModel<Real>::add_gradient(ConstVecRef<Real> w, const Batch& batch, const Part& part,
                                       const Pass& pass, VecRef<Real> g) {
  return add(w, 1, batch, part, pass, g);
}

template <class Real>
double SymbolModel<Real>::add_difference(ConstVecRef<Real> w, ConstVecRef<Real> w_snap, double c,
                                         const Batch& batch, const Part& part, const Pass& pass,
                                         VecRef<Real> g) {
  add(w_snap, -c, batch, part, pass, g);
  return add(w, 1, batch, part, pass, g);
}

template <class Real>
void SymbolModel<Real>::list_rows(const Batch& batch, const Part& part, std::vector<Index>& rows) {
  if (layout().sparse_rows() == 0) return;
  each_block(batch, part, [&](Index, Index) { executor_.list_rows(rows); });
}

template <class Real>
double SymbolModel<Real>::add(ConstVecRef<Real> w, double times, const Batch& batch,
                              const Part& part, const Pass& pass, VecRef<Real> g) {
  double total = 0;
  z_.resize(static_cast<std::size_t>(scores_));
  r_.resize(z_.size());
  each_block(batch, part, [&](Index done, Index count) {
    forward(w, pass);
    const auto out = executor_.output(0);
    residuals_.resize(static_cast<std::size_t>(count * scores_));
    losses::with_loss(loss_, 1, [&](auto loss) {
      for (Index i = 0; i < count; ++i) {
        const Index at = part.first + done + i;
        const auto row = static_cast<std::size_t>(
            batch.pick.empty() ? at : batch.pick[static_cast<std::size_t>(at)]);
        const double weight = batch.weights.empty() ? 1 : batch.weights[row];
        const auto scores = out.subspan(static_cast<std::size_t>(i * scores_), z_.size());
        std::copy(scores.begin(), scores.end(), z_.begin());
        total += weight * loss.residual(z_.data(), batch.labels[row], scores_, r_.data());
        std::transform(r_.begin(), r_.end(), residuals_.begin() + i * scores_,
                       [&](double r) { return static_cast<Real>(weight * r); });
      }
    });
    const std::span<const Real> heads[] = {residuals_};
    executor_.backward(w, heads, g, {times, false});
  });
  return total;
}

template <class Real>
void SymbolModel<Real>::predict(ConstVecRef<Real> w, const Batch& batch, const Part& part,
                                std::span<double> scores) {
  each_block(batch, part, [&](Index done, Index) {
    forward(w, Pass{false, 0});
    const auto out = executor_.output(0);
    std::copy(out.begin(), out.end(), scores.begin() + done * scores_);
  });
}

template class SymbolModel<float>;
template class SymbolModel<double>;

}  // namespace svrg
