// Sums, means and extremes over axes (all without `axis`; the others with `exclude`).
#include <algorithm>
#include <limits>

#include "model/operators/axes.hpp"
#include "model/operators/operator.hpp"

namespace svrg::ops {
namespace {

enum class Reduction { sum, mean, max, min };

template <class Real, Reduction kind>
class Reduce : public Operator<Real> {
 public:
  explicit Reduce(OptionReader& o)
      : axes_(o.tuple("axis", {})),
        keeps_(o.flag("keepdims", false)),
        exclude_(o.flag("exclude", false)) {}
  bool backward_reads_input(std::size_t) const override { return extreme; }
  bool backward_reads_output() const override { return extreme; }
  void infer(Shapes& s) const override {
    const Shape& x = s.in[0];
    if (x.empty()) return;
    const auto gone = reduced(x.size());
    Shape y;
    for (std::size_t i = 0; i < x.size(); ++i)
      if (!gone[i])
        y.push_back(x[i]);
      else if (keeps_)
        y.push_back(1);
    if (y.empty()) y = {1};
    unify(s.out[0], y, "output");
  }
  void bind(const Shapes& s) override {
    in_shape_ = s.in[0];
    const auto gone = reduced(in_shape_.size());
    strides_.assign(in_shape_.size(), 0);
    Index stride = 1;
    for (std::size_t i = in_shape_.size(); i-- > 0;) {
      if (gone[i]) continue;
      strides_[i] = stride;
      stride *= in_shape_[i];
    }
    count_ = size_of(in_shape_) / stride;
    sums_.resize(static_cast<std::size_t>(stride));
  }
  void forward(const Call<Real>& c) override {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const double first = kind == Reduction::max ? -infinity : kind == Reduction::min ? infinity : 0;
    std::fill(sums_.begin(), sums_.end(), first);
    const Real* x = c.in[0].data;
    const Index length = in_shape_.back(), step = strides_.back();
    for_each_line<1>(in_shape_, {strides_}, [&](Index line, const std::array<Index, 1>& offset) {
      double* to = sums_.data() + offset[0];
      if (step == 0) {
        double sum = *to;
        for (Index i = 0; i < length; ++i) sum = joined(sum, static_cast<double>(x[line + i]));
        *to = sum;
      } else {
        for (Index i = 0; i < length; ++i)
          to[i * step] = joined(to[i * step], static_cast<double>(x[line + i]));
      }
    });
    for (std::size_t i = 0; i < sums_.size(); ++i)
      c.out[0].data[i] = static_cast<Real>(sums_[i] / scale());
  }
  void backward(const Call<Real>& c) override {
    const Real* dy = c.out_grad[0].data;
    if (!dy || !c.in_grad[0]) return;
    const auto divisor = static_cast<Real>(scale());
    for_each_place(in_shape_, strides_, [&](Index i, Index to) {
      if constexpr (extreme) {
        if (c.in[0].data[i] == c.out[0].data[to]) c.in_grad[0].data[i] += dy[to];
      } else {
        c.in_grad[0].data[i] += dy[to] / divisor;
      }
    });
  }

 private:
  // What is not a number stays visible in extremes.
  static double joined(double sum, double x) {
    if constexpr (kind == Reduction::max)
      return x > sum || x != x ? x : sum;
    else if constexpr (kind == Reduction::min)
      return x < sum || x != x ? x : sum;
    else
      return sum + x;
  }
  static constexpr bool extreme = kind == Reduction::max || kind == Reduction::min;
  double scale() const { return kind == Reduction::mean ? static_cast<double>(count_) : 1; }
  std::vector<bool> reduced(std::size_t axes) const {
    std::vector<bool> gone(axes, axes_.empty());
    for (const Index axis : axes_) gone[axis_at(axis, axes)] = true;
    if (exclude_ && !axes_.empty()) gone.flip();
    return gone;
  }
  std::vector<Index> axes_;
  bool keeps_, exclude_;
  Shape in_shape_;
  std::vector<Index> strides_;
  std::vector<double> sums_;
  Index count_ = 1;
};

template <class Real>
using Sum = Reduce<Real, Reduction::sum>;
template <class Real>
using Mean = Reduce<Real, Reduction::mean>;
template <class Real>
using Max = Reduce<Real, Reduction::max>;
template <class Real>
using Min = Reduce<Real, Reduction::min>;

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(sum, Sum)
SVRG_DEFINE_OPERATOR(mean, Mean)
SVRG_DEFINE_OPERATOR(max, Max)
SVRG_DEFINE_OPERATOR(min, Min)
