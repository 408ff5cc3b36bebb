#include "svrg/model/executor.hpp"

#include "model/executor_impl.hpp"

namespace svrg {

template <class Real>
Executor<Real>::Executor(const Symbol& symbol, ExecutorOptions options)
    : impl_(std::make_unique<Impl>(symbol, std::move(options))) {}
template <class Real>
Executor<Real>::~Executor() = default;
template <class Real>
Executor<Real>::Executor(Executor&&) noexcept = default;

template <class Real>
const ParameterLayout& Executor<Real>::layout() const noexcept {
  return impl_->layout;
}
template <class Real>
const ParameterLayout& Executor<Real>::auxiliaries() const noexcept {
  return impl_->auxiliaries;
}

template <class Real>
void Executor<Real>::begin(Index rows) {
  impl_->begin(rows);
}

template <class Real>
void Executor<Real>::load(std::string_view input, const Rows& views, std::span<const Index> pick,
                          Index first) {
  for (auto& f : impl_->fed) {
    if (f.name != input) continue;
    const Index size = column_count(views);
    if (size != f.row_size)
      throw ConfigError(fmt::format("input '{}': rows of {} values, but the symbol was bound to {}",
                                    input, size, f.row_size));
    f.rows.load(views, pick, first, impl_->rows, f.sparse);
    return;
  }
  throw ConfigError(fmt::format("'{}' is not an input of the symbol", input));
}

template <class Real>
void Executor<Real>::load_as(const Executor& other) {
  SVRG_EXPECT(other.impl_->fed.size() == impl_->fed.size() && other.impl_->rows == impl_->rows,
              "executors of the same symbol and number of rows");
  for (std::size_t i = 0; i < impl_->fed.size(); ++i)
    impl_->fed[i].rows.share(other.impl_->fed[i].rows);
}

template <class Real>
void Executor<Real>::list_rows(std::vector<Index>& rows) const {
  impl_->list_rows(rows);
}

template <class Real>
void Executor<Real>::forward(ConstVecRef<Real> w, VecRef<Real> aux, const Context& context) {
  SVRG_EXPECT(w.size() == impl_->layout.size(), "one value a parameter");
  SVRG_EXPECT(aux.size() == impl_->auxiliaries.size(), "one value an auxiliary state");
  impl_->forward(w.data(), aux.data(), context);
}

template <class Real>
void Executor<Real>::backward(ConstVecRef<Real> w, std::span<const std::span<const Real>> out_grads,
                              VecRef<Real> g, const Sum& sum) {
  SVRG_EXPECT(g.size() == impl_->layout.size(), "one value a parameter");
  impl_->backward(w.data(), out_grads, g.data(), sum);
}

template <class Real>
bool Executor<Real>::rows_apart() const {
  return graph::rows_apart(impl_->numbered, impl_->options);
}

template <class Real>
Index Executor<Real>::outputs() const noexcept {
  return impl_->symbol.outputs();
}

template <class Real>
std::span<const Real> Executor<Real>::output(Index i) const {
  const std::size_t e = impl_->numbered.entry(impl_->symbol.heads()[static_cast<std::size_t>(i)]);
  return {impl_->value(e, nullptr), static_cast<std::size_t>(ops::size_of(impl_->plan->shapes[e]))};
}

template <class Real>
const std::vector<Index>& Executor<Real>::output_shape(Index i) const {
  return impl_->plan
      ->shapes[impl_->numbered.entry(impl_->symbol.heads()[static_cast<std::size_t>(i)])];
}

template <class Real>
std::span<const Real> Executor<Real>::input_gradient(std::string_view input) const {
  for (const auto& f : impl_->fed)
    if (f.name == input && f.wants_gradient) return f.gradient;
  throw ConfigError(fmt::format("the gradient of '{}' was not asked for", input));
}

template <class Real>
double Executor<Real>::loss() const {
  double sum = 0;
  for (const auto& step : impl_->steps)
    if (step.op->is_loss()) sum += step.op->loss(impl_->call(step));
  return sum;
}

template <class Real>
Index Executor<Real>::arena_values() const noexcept {
  return static_cast<Index>(impl_->arena.size());
}

template <class Real>
// The listener is moved. NOLINTNEXTLINE(performance-unnecessary-value-param)
void Executor<Real>::listen(OutputListener listener) {
  impl_->listener = std::move(listener);
}

template class Executor<float>;
template class Executor<double>;

}  // namespace svrg
