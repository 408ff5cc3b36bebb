#include "svrg/model/symbol_model.hpp"

#include <algorithm>

#include "svrg/core/error.hpp"

namespace svrg {

template <class Real>
SymbolModel<Real>::SymbolModel(const Symbol& symbol, ExecutorOptions options, std::string data,
                               std::string label)
    : executor_(symbol, options),
      data_(std::move(data)),
      label_(std::move(label)),
      block_(0),
      scores_(0) {
  if (!symbol.list_auxiliary_states().empty())
    throw ConfigError("a symbol with auxiliary states (" + symbol.list_auxiliary_states()[0] +
                      ") can be trained by SVRGModule only");
  for (const auto& [name, attributes] : symbol.attr_dict())
    if (const auto n = attributes.find("normalization");
        n != attributes.end() && n->second != "null")
      throw ConfigError("'" + name + "': a loss must be a sum over rows; leave normalization null");
  const auto at = options.inputs.find(data_);
  if (at == options.inputs.end() || !options.inputs.count(label_))
    throw ConfigError("the shapes of '" + data_ + "' and '" + label_ + "' are needed");
  block_ = at->second[0];
  executor_.begin(block_);
  scores_ = 1;
  const auto& shape = executor_.output_shape(0);
  for (std::size_t i = 1; i < shape.size(); ++i) scores_ *= shape[i];
}

template <class Real>
template <class Each>
void SymbolModel<Real>::each_block(ConstVecRef<Real> w, const Batch& batch, const Part& part,
                                   const Pass& pass, const Each& each) {
  const DenseRows<double> labels{batch.labels.data(), static_cast<Index>(batch.labels.size()), 1,
                                 1};
  for (Index done = 0; done < part.count; done += block_) {
    const Index count = std::min(block_, part.count - done), first = part.first + done;
    global_rows_.clear();
    for (Index i = first; i < first + count && !batch.global_rows.empty(); ++i) {
      const Index row = batch.pick.empty() ? i : batch.pick[static_cast<std::size_t>(i)];
      global_rows_.push_back(batch.global_rows[static_cast<std::size_t>(row)]);
    }
    executor_.begin(count);
    executor_.load(data_, batch.inputs[0].rows, batch.pick, first);
    executor_.load(label_, labels, batch.pick, first);
    executor_.forward(w, no_states_, {pass, false, global_rows_});
    each(done, count);
  }
}

template <class Real>
double SymbolModel<Real>::add_gradient(ConstVecRef<Real> w, const Batch& batch, const Part& part,
                                       const Pass& pass, VecRef<Real> g) {
  if (!batch.weights.empty())
    throw ConfigError("sample weights are not supported for symbols; repeat rows instead");
  double loss = 0;
  each_block(w, batch, part, pass, [&](Index, Index) {
    loss += executor_.loss();
    executor_.backward(w, {}, g);
  });
  return loss;
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
