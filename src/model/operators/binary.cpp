// Two arrays element by element: elemwise_* of equal shapes, broadcast_* along axes of extent 1.
#include "model/operators/axes.hpp"
#include "model/operators/operator.hpp"

namespace svrg::ops {
namespace {

#define SVRG_BINARY(Name, value_of, slope_a, slope_b)                    \
  struct Name {                                                          \
    template <class Real>                                                \
    static Real value(Real a, Real b) {                                  \
      return value_of;                                                   \
    }                                                                    \
    template <class Real>                                                \
    static Real by_a([[maybe_unused]] Real a, [[maybe_unused]] Real b) { \
      return slope_a;                                                    \
    }                                                                    \
    template <class Real>                                                \
    static Real by_b([[maybe_unused]] Real a, [[maybe_unused]] Real b) { \
      return slope_b;                                                    \
    }                                                                    \
  };
SVRG_BINARY(Add, a + b, Real{1}, Real{1})
SVRG_BINARY(Subtract, a - b, Real{1}, Real{-1})
SVRG_BINARY(Multiply, a* b, b, a)
SVRG_BINARY(Divide, a / b, 1 / b, -a / (b * b))
SVRG_BINARY(Larger, (a > b ? a : b), (a >= b ? Real{1} : Real{0}), (a < b ? Real{1} : Real{0}))
SVRG_BINARY(Smaller, (a < b ? a : b), (a <= b ? Real{1} : Real{0}), (a > b ? Real{1} : Real{0}))
#undef SVRG_BINARY

template <class Real, class F, bool broadcasts>
class Binary : public Operator<Real> {
 public:
  explicit Binary(OptionReader&) {}
  std::vector<std::string> inputs() const override { return {"lhs", "rhs"}; }
  Takes takes(std::size_t) const override { return broadcasts ? Takes::unknown : Takes::row; }
  bool backward_reads_output() const override { return false; }
  bool backward_reads_input(std::size_t) const override {
    return !std::is_same_v<F, Add> && !std::is_same_v<F, Subtract>;
  }
  void infer(Shapes& s) const override {
    if (!broadcasts) {
      unify(s.in[0], s.in[1], "lhs against rhs");
      unify(s.in[0], s.out[0], "output");
      unify(s.in[1], s.in[0], "lhs against rhs");
      return;
    }
    if (s.in[0].empty() || s.in[1].empty()) return;
    const std::size_t axes = std::max(s.in[0].size(), s.in[1].size());
    const Shape a = widened(s.in[0], axes), b = widened(s.in[1], axes);
    Shape y(axes);
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (a[i] > 1 && b[i] > 1 && a[i] != b[i])
        throw ConfigError("lhs " + text(a) + " and rhs " + text(b) + " do not go together");
      y[i] = a[i] == 0 || b[i] == 0 ? std::max(a[i], b[i]) > 1 ? std::max(a[i], b[i]) : 0
                                    : std::max(a[i], b[i]);
    }
    unify(s.out[0], y, "output");
  }
  void bind(const Shapes& s) override {
    same_ = s.in[0] == s.in[1];
    out_shape_ = s.out[0];
    a_strides_ = strides_along(widened(s.in[0], out_shape_.size()));
    b_strides_ = strides_along(widened(s.in[1], out_shape_.size()));
  }
  void forward(const Call<Real>& c) override {
    const Real *a = c.in[0].data, *b = c.in[1].data;
    Real* y = c.out[0].data;
    each([&](Index i, Index ia, Index ib) { y[i] = F::value(a[ia], b[ib]); });
  }
  void backward(const Call<Real>& c) override {
    const Real* dy = c.out_grad[0].data;
    if (!dy) return;
    const Real *a = c.in[0].data, *b = c.in[1].data;
    if (Real* da = c.in_grad[0].data)
      each([&](Index i, Index ia, Index ib) { da[ia] += dy[i] * F::by_a(a[ia], b[ib]); });
    if (Real* db = c.in_grad[1].data)
      each([&](Index i, Index ia, Index ib) { db[ib] += dy[i] * F::by_b(a[ia], b[ib]); });
  }

 private:
  // Axes that one of them lacks are in front, of extent 1.
  static Shape widened(Shape shape, std::size_t axes) {
    shape.insert(shape.begin(), axes - shape.size(), 1);
    return shape;
  }
  std::vector<Index> strides_along(const Shape& shape) const {
    auto strides = strides_of(shape);
    for (std::size_t i = 0; i < shape.size(); ++i)
      if (shape[i] == 1 && out_shape_[i] > 1) strides[i] = 0;
    return strides;
  }
  template <class Body>
  void each(const Body& body) const {
    if (same_) {
      const Index n = size_of(out_shape_);
      for (Index i = 0; i < n; ++i) body(i, i, i);
      return;
    }
    const Index length = out_shape_.back();
    const Index step_a = a_strides_.back(), step_b = b_strides_.back();
    for_each_line<2>(out_shape_, {a_strides_, b_strides_},
                     [&](Index first, const std::array<Index, 2>& offset) {
                       const auto [a, b] = offset;
                       if (step_a == 1 && step_b == 1) {
                         for (Index i = 0; i < length; ++i) body(first + i, a + i, b + i);
                       } else {
                         for (Index i = 0; i < length; ++i)
                           body(first + i, a + i * step_a, b + i * step_b);
                       }
                     });
  }
  bool same_ = true;
  Shape out_shape_;
  std::vector<Index> a_strides_, b_strides_;
};

/// The sum of any number of arrays.
template <class Real>
class AddN : public Operator<Real> {
 public:
  explicit AddN(OptionReader& o) : count_(o.required_integer("num_args")) {
    if (count_ < 1) o.fail("num_args", "must be at least 1");
  }
  std::vector<std::string> inputs() const override { return numbered_names("arg", count_); }
  bool backward_reads_input(std::size_t) const override { return false; }
  bool backward_reads_output() const override { return false; }
  Takes takes(std::size_t) const override { return Takes::row; }
  void infer(Shapes& s) const override {
    for (auto& in : s.in) unify(s.out[0], in, "inputs");
    for (auto& in : s.in) unify(s.out[0], in, "inputs");
  }
  void forward(const Call<Real>& c) override {
    for (Index i = 0; i < c.out[0].size(); ++i) {
      Real sum = 0;
      for (const auto& in : c.in) sum += in.data[i];
      c.out[0].data[i] = sum;
    }
  }
  void backward(const Call<Real>& c) override {
    const Real* dy = c.out_grad[0].data;
    if (!dy) return;
    for (const auto& grad : c.in_grad)
      if (grad)
        for (Index i = 0; i < c.out_grad[0].size(); ++i) grad.data[i] += dy[i];
  }

 private:
  Index count_;
};

}  // namespace
}  // namespace svrg::ops

#define SVRG_DEFINE_BINARY(name, Function, broadcasts)      \
  namespace svrg::ops {                                     \
  template <class Real>                                     \
  using Binary_##name = Binary<Real, Function, broadcasts>; \
  }                                                         \
  SVRG_DEFINE_OPERATOR(name, Binary_##name)
SVRG_DEFINE_BINARY(elemwise_add, Add, false)
SVRG_DEFINE_BINARY(elemwise_sub, Subtract, false)
SVRG_DEFINE_BINARY(elemwise_mul, Multiply, false)
SVRG_DEFINE_BINARY(elemwise_div, Divide, false)
SVRG_DEFINE_BINARY(broadcast_add, Add, true)
SVRG_DEFINE_BINARY(broadcast_sub, Subtract, true)
SVRG_DEFINE_BINARY(broadcast_mul, Multiply, true)
SVRG_DEFINE_BINARY(broadcast_div, Divide, true)
SVRG_DEFINE_BINARY(broadcast_maximum, Larger, true)
SVRG_DEFINE_BINARY(broadcast_minimum, Smaller, true)
SVRG_DEFINE_OPERATOR(add_n, AddN, "num_args")
