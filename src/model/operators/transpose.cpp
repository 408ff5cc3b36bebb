// Axes in another order: transpose and SwapAxis.
#include <algorithm>
#include <numeric>

#include "model/operators/strided.hpp"

namespace svrg::ops {
namespace {

template <class Real>
class Permuted : public Strided<Real> {
 public:
  void infer(Shapes& s) const override {
    const Shape& x = s.in[0];
    if (x.empty()) return;
    const auto order = order_for(x.size());
    Shape y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[order[i]];
    unify(s.out[0], y, "output");
    for (std::size_t i = 0; i < x.size(); ++i) s.in[0][order[i]] = s.out[0][i];
  }

 protected:
  virtual std::vector<std::size_t> order_for(std::size_t axes) const = 0;

 private:
  void place(const Shapes&, Index&, std::vector<Index>& strides) const override {
    const std::vector<Index> own = strides;
    const auto order = order_for(own.size());
    for (std::size_t i = 0; i < own.size(); ++i) strides[i] = own[order[i]];
  }
};

template <class Real>
class Transpose_ : public Permuted<Real> {
 public:
  explicit Transpose_(OptionReader& o) : axes_(o.tuple("axes", {})) {}

 protected:
  std::vector<std::size_t> order_for(std::size_t axes) const override {
    std::vector<std::size_t> order(axes);
    std::iota(order.rbegin(), order.rend(), 0);
    if (axes_.empty()) return order;
    for (std::size_t i = 0; i < axes; ++i)
      order[i] = axis_at(i < axes_.size() ? axes_[i] : static_cast<Index>(axes), axes);
    std::vector<std::size_t> sorted = order;
    std::sort(sorted.begin(), sorted.end());
    if (axes_.size() != axes || std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
      throw ConfigError("axes: must name each of the " + std::to_string(axes) + " axes once");
    return order;
  }

 private:
  std::vector<Index> axes_;
};

template <class Real>
class SwapAxis : public Permuted<Real> {
 public:
  explicit SwapAxis(OptionReader& o) : a_(o.integer("dim1", 0)), b_(o.integer("dim2", 0)) {}

 protected:
  std::vector<std::size_t> order_for(std::size_t axes) const override {
    std::vector<std::size_t> order(axes);
    std::iota(order.begin(), order.end(), 0);
    std::swap(order[axis_at(a_, axes)], order[axis_at(b_, axes)]);
    return order;
  }

 private:
  Index a_, b_;
};

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(transpose, Transpose_)
SVRG_DEFINE_OPERATOR(SwapAxis, SwapAxis)
