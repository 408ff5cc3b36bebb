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
void SymbolModel<Real>::each_block(ConstVecRef<Real> w, const Batch& batch, const Part& part,
                                   const Pass& pass, const Each& each) {
  for (Index done = 0; done < part.count; done += block_) {
    const Index count = std::min(block_, part.count - done), first = part.first + done;
    global_rows_.clear();
    for (Index i = first; i < first + count && !batch.global_rows.empty(); ++i) {
      const Index row = batch.pick.empty() ? i : batch.pick[static_cast<std::size_t>(i)];
      global_rows_.push_back(batch.global_rows[static_cast<std::size_t>(row)]);
    }
    executor_.begin(count);
    executor_.load(data_, batch.inputs[0].rows, batch.pick, first);
    executor_.forward(w, no_states_, {pass, false, global_rows_});
    each(done, count);
  }
}

template <class Real>
double SymbolModel<Real>::add_gradient(ConstVecRef<Real> w, const Batch& batch, const Part& part,
                                       const Pass& pass, VecRef<Real> g) {
  double total = 0;
  z_.resize(static_cast<std::size_t>(scores_));
  r_.resize(z_.size());
  each_block(w, batch, part, pass, [&](Index done, Index count) {
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
    executor_.backward(w, heads, g);
  });
  return total;
}

template <class Real>
void SymbolModel<Real>::predict(ConstVecRef<Real> w, const Batch& batch, const Part& part,
                                std::span<double> scores) {
  each_block(w, batch, part, Pass{false, 0}, [&](Index done, Index) {
    const auto out = executor_.output(0);
    std::copy(out.begin(), out.end(), scores.begin() + done * scores_);
  });
}

template class SymbolModel<float>;
template class SymbolModel<double>;

}  // namespace svrg
