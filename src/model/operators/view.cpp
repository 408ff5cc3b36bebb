// The same values in the same order: flatten, reshape, identity, block_grad, expand_dims,
// squeeze.
#include <cmath>

#include "model/operators/axes.hpp"

namespace svrg::ops {
namespace {

template <class Real>
class View : public Operator<Real> {
 public:
  bool is_view() const override { return true; }
  bool backward_reads_input(std::size_t) const override { return false; }
  bool backward_reads_output() const override { return false; }
  bool begins_gradients() const override { return true; }
  void forward(const Call<Real>&) override {}
  void backward(const Call<Real>& c) override {
    const Real* dy = c.out_grad[0].data;
    if (!dy || !c.in_grad[0]) return;
    const Index n = c.out_grad[0].size();
    Real* dx = c.in_grad[0].data;
    if (c.in_grad[0].begins)
      std::copy_n(dy, n, dx);
    else
      for (Index i = 0; i < n; ++i) dx[i] += dy[i];
  }
};

template <class Real>
class Identity : public View<Real> {
 public:
  explicit Identity(OptionReader&) {}
  Takes takes(std::size_t) const override { return Takes::row; }
  void infer(Shapes& s) const override { unify(s.in[0], s.out[0], "output"); }
};

/// Forward the same, backward nothing.
template <class Real>
class BlockGrad : public Identity<Real> {
 public:
  using Identity<Real>::Identity;
  bool begins_gradients() const override { return false; }
  bool is_loss() const override { return true; }  // asks for no gradient, and passes none on
  void backward(const Call<Real>&) override {}
};

template <class Real>
class Flatten : public View<Real> {
 public:
  explicit Flatten(OptionReader&) {}
  Takes takes(std::size_t) const override { return Takes::row; }
  void infer(Shapes& s) const override {
    const Shape& x = s.in[0];
    if (x.empty()) return;
    Shape y{x[0], size_of(std::span(x).subspan(1))};
    unify(s.out[0], y, "output");
  }
};

/// 0 keeps an extent, −1 is inferred, −2 takes all that are left, −3 merges two, −4 splits one.
template <class Real>
class Reshape : public View<Real> {
 public:
  explicit Reshape(OptionReader& o) : codes_(o.required_tuple("shape")) {
    if (o.flag("reverse", false)) o.fail("reverse", "is not supported");
    o.ignore("target_shape");
    o.ignore("keep_highest");
  }
  void infer(Shapes& s) const override {
    const Shape& x = s.in[0];
    if (!known(x)) return;
    Shape y;
    std::size_t from = 0;
    Index inferred = -1;
    const auto next = [&] {
      if (from >= x.size()) throw ConfigError("shape: more axes are named than data has");
      return x[from++];
    };
    for (std::size_t i = 0; i < codes_.size(); ++i) {
      const Index code = codes_[i];
      if (code > 0) {
        y.push_back(code);
        ++from;
      } else if (code == 0) {
        y.push_back(next());
      } else if (code == -1) {
        if (inferred >= 0) throw ConfigError("shape: only one extent can be inferred");
        inferred = static_cast<Index>(y.size());
        y.push_back(1);
        ++from;
      } else if (code == -2) {
        while (from < x.size()) y.push_back(next());
      } else if (code == -3) {
        const Index first = next();
        y.push_back(first * next());
      } else if (code == -4 && i + 2 < codes_.size()) {
        const Index whole = next();
        Index a = codes_[++i], b = codes_[++i];
        if (a == -1 && b > 0) a = whole / b;
        if (b == -1 && a > 0) b = whole / a;
        if (a < 1 || b < 1 || a * b != whole)
          throw ConfigError("shape: -4 does not split the extent");
        y.push_back(a);
        y.push_back(b);
      } else {
        throw ConfigError("shape: " + std::to_string(code) + " is no code of Reshape");
      }
    }
    if (inferred >= 0) y[static_cast<std::size_t>(inferred)] = size_of(x) / size_of(y);
    if (size_of(y) != size_of(x))
      throw ConfigError("shape: " + text(x) + " cannot become " + text(y));
    unify(s.out[0], y, "output");
  }

 private:
  std::vector<Index> codes_;
};

template <class Real>
class ExpandDims : public View<Real> {
 public:
  explicit ExpandDims(OptionReader& o) : axis_(o.required_integer("axis")) {}
  void infer(Shapes& s) const override {
    Shape y = s.in[0];
    if (y.empty()) return;
    const Index at = axis_ < 0 ? axis_ + static_cast<Index>(y.size()) + 1 : axis_;
    if (at < 0 || at > static_cast<Index>(y.size())) throw ConfigError("axis: out of range");
    y.insert(y.begin() + at, 1);
    unify(s.out[0], y, "output");
  }

 private:
  Index axis_;
};

/// Axes of extent 1 go: those of `axis`, or all.
template <class Real>
class Squeeze : public View<Real> {
 public:
  explicit Squeeze(OptionReader& o) : axes_(o.tuple("axis", {})) {}
  void infer(Shapes& s) const override {
    const Shape& x = s.in[0];
    if (!known(x)) return;
    std::vector<bool> named(x.size(), axes_.empty());
    for (const Index axis : axes_) {
      const std::size_t at = axis_at(axis, x.size());
      if (x[at] != 1) throw ConfigError("axis: " + text(x) + " is not of extent 1 there");
      named[at] = true;
    }
    Shape y;
    for (std::size_t i = 0; i < x.size(); ++i)
      if (!named[i] || x[i] != 1) y.push_back(x[i]);
    if (y.empty()) y = {1};
    unify(s.out[0], y, "output");
  }

 private:
  std::vector<Index> axes_;
};

/// Whole numbers cut the fraction off, floating types leave values as they are.
template <class Real>
class Cast : public Operator<Real> {
 public:
  explicit Cast(OptionReader& o)
      : whole_(!o.choice("dtype", "",
                         {"float16", "float32", "float64", "int8", "uint8", "int32", "int64"})
                    .starts_with("float")) {}
  void infer(Shapes& s) const override { unify(s.in[0], s.out[0], "output"); }
  Takes takes(std::size_t) const override { return Takes::row; }
  bool backward_reads_input(std::size_t) const override { return false; }
  bool backward_reads_output() const override { return false; }
  void forward(const Call<Real>& c) override {
    for (Index i = 0; i < c.out[0].size(); ++i)
      c.out[0].data[i] = whole_ ? std::trunc(c.in[0].data[i]) : c.in[0].data[i];
  }
  void backward(const Call<Real>& c) override {
    const Real* dy = c.out_grad[0].data;
    if (!dy || !c.in_grad[0]) return;
    for (Index i = 0; i < c.out_grad[0].size(); ++i) c.in_grad[0].data[i] += dy[i];
  }

 private:
  bool whole_;
};

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(identity, Identity)
SVRG_DEFINE_OPERATOR(BlockGrad, BlockGrad)
SVRG_DEFINE_OPERATOR(Flatten, Flatten)
SVRG_DEFINE_OPERATOR(Reshape, Reshape)
SVRG_DEFINE_OPERATOR(expand_dims, ExpandDims)
SVRG_DEFINE_OPERATOR(squeeze, Squeeze)
SVRG_DEFINE_OPERATOR(Cast, Cast)
