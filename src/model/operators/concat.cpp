// Arrays one after the other along an axis, and one cut into several.
#include <algorithm>

#include "model/operators/axes.hpp"
#include "model/operators/operator.hpp"

namespace svrg::ops {
namespace {

template <class Real>
class Concat : public Operator<Real> {
 public:
  explicit Concat(OptionReader& o)
      : count_(o.required_integer("num_args")), axis_(o.integer("dim", 1)) {
    if (count_ < 1) o.fail("num_args", "must be at least 1");
  }
  std::vector<std::string> inputs() const override { return numbered_names("arg", count_); }
  bool backward_reads_input(std::size_t) const override { return false; }
  bool backward_reads_output() const override { return false; }
  Takes takes(std::size_t) const override { return axis_ > 0 ? Takes::row : Takes::unknown; }
  void infer(Shapes& s) const override {
    const auto first =
        std::find_if(s.in.begin(), s.in.end(), [](const Shape& x) { return !x.empty(); });
    if (first == s.in.end()) return;
    Shape y = *first;
    const std::size_t axis = axis_at(axis_, y.size());
    y[axis] = 0;
    Index along = 0;
    bool all = true;
    for (Shape& x : s.in) {
      all = all && !x.empty() && x[axis] > 0;
      if (x.empty()) continue;
      if (x.size() != y.size()) throw ConfigError("inputs have different numbers of axes");
      along += x[axis];
      Shape others = x;
      others[axis] = 0;
      unify(y, others, "inputs");
    }
    y[axis] = all ? along : 0;
    unify(s.out[0], y, "output");
  }
  void forward(const Call<Real>& c) override {
    pieces(c.out[0].shape, c.in, [&](std::size_t k, Index from, Index to, Index n) {
      std::copy_n(c.in[k].data + from, n, c.out[0].data + to);
    });
  }
  void backward(const Call<Real>& c) override {
    const Real* dy = c.out_grad[0].data;
    if (!dy) return;
    pieces(c.out_grad[0].shape, c.in_grad, [&](std::size_t k, Index from, Index to, Index n) {
      if (!c.in_grad[k]) return;
      for (Index i = 0; i < n; ++i) c.in_grad[k].data[from + i] += dy[to + i];
    });
  }

 private:
  template <class Parts, class Body>
  void pieces(std::span<const Index> shape, const Parts& parts, const Body& body) const {
    const std::size_t axis = axis_at(axis_, shape.size());
    const AxisView all(shape, axis);
    Index at = 0;
    for (std::size_t k = 0; k < parts.size(); ++k) {
      const Index along = parts[k].shape[axis], n = along * all.after;
      for (Index b = 0; b < all.before; ++b) body(k, b * n, (b * all.along + at) * all.after, n);
      at += along;
    }
  }
  Index count_, axis_;
};

template <class Real>
class SliceChannel : public Operator<Real> {
 public:
  explicit SliceChannel(OptionReader& o)
      : count_(o.required_integer("num_outputs")),
        axis_(o.integer("axis", 1)),
        squeezes_(o.flag("squeeze_axis", false)) {
    if (count_ < 1) o.fail("num_outputs", "must be at least 1");
  }
  std::vector<std::string> outputs() const override { return numbered_names("output", count_); }
  bool backward_reads_input(std::size_t) const override { return false; }
  bool backward_reads_output() const override { return false; }
  void infer(Shapes& s) const override {
    Shape y = s.in[0];
    if (y.empty()) return;
    const std::size_t axis = axis_at(axis_, y.size());
    if (y[axis] % count_ != 0) throw ConfigError("num_outputs does not divide the axis");
    y[axis] /= count_;
    if (squeezes_) {
      if (y[axis] > 1) throw ConfigError("squeeze_axis: num_outputs must be the axis' extent");
      y.erase(y.begin() + static_cast<std::ptrdiff_t>(axis));
    }
    for (Shape& out : s.out) unify(out, y, "output");
  }
  void forward(const Call<Real>& c) override {
    pieces(c.in[0].shape, [&](std::size_t k, Index from, Index to, Index n) {
      std::copy_n(c.in[0].data + from, n, c.out[k].data + to);
    });
  }
  void backward(const Call<Real>& c) override {
    if (!c.in_grad[0]) return;
    pieces(c.in_grad[0].shape, [&](std::size_t k, Index from, Index to, Index n) {
      if (const Real* dy = c.out_grad[k].data)
        for (Index i = 0; i < n; ++i) c.in_grad[0].data[from + i] += dy[to + i];
    });
  }

 private:
  template <class Body>
  void pieces(std::span<const Index> shape, const Body& body) const {
    const AxisView all(shape, axis_at(axis_, shape.size()));
    const Index along = all.along / count_, n = along * all.after;
    for (Index k = 0; k < count_; ++k)
      for (Index b = 0; b < all.before; ++b)
        body(static_cast<std::size_t>(k), (b * all.along + k * along) * all.after, b * n, n);
  }
  Index count_, axis_;
  bool squeezes_;
};

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(Concat, Concat, "num_args")
SVRG_DEFINE_OPERATOR(SliceChannel, SliceChannel)
