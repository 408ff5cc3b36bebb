// Softmax with the gradient of its cross-entropy: (p − onehot)·grad_scale a row.
// The classes lie along axis 1 with multi_output (positions behind it are rows of their own) and
// preserve_shape's along the last; otherwise all but axis 0 are classes.
#include <algorithm>
#include <cmath>

#include "model/kernels/net_kernels.hpp"
#include "model/operators/operator.hpp"

namespace svrg::ops {
namespace {

template <class Real>
class SoftmaxOutput : public Operator<Real> {
 public:
  explicit SoftmaxOutput(OptionReader& o)
      : scale_(o.real("grad_scale", 1)),
        ignored_(o.real("ignore_label", -1)),
        smooth_(o.real("smooth_alpha", 0)),
        ignores_(o.flag("use_ignore", false)),
        multi_(o.flag("multi_output", false)),
        preserve_(o.flag("preserve_shape", false)),
        takes_gradient_(o.flag("out_grad", false)),
        normalization_(o.choice("normalization", "null", {"null", "batch", "valid"})) {}
  std::vector<std::string> inputs() const override { return {"data", "label"}; }
  void infer(Shapes& s) const override {
    unify(s.in[0], s.out[0], "output");
    const Shape& x = s.in[0];
    if (x.size() < 2) {
      if (x.size() == 1) throw ConfigError("data: shape " + text(x) + " has no axis of classes");
      return;
    }
    if (probabilities(s.in[1], x)) return unify(s.in[1], s.in[0], "label");
    Shape label;
    if (multi_) {
      label.push_back(x[0]);
      label.insert(label.end(), x.begin() + 2, x.end());
      // The positions may come in one axis, and as one more axis of length 1.
      if (s.in[1].size() == 2 && label.size() > 2 && known(x))
        label = {x[0], size_of(x) / (x[0] * x[1])};
      else if (s.in[1].size() == x.size())
        label.insert(label.begin() + 1, 1);
    } else if (preserve_) {
      label.assign(x.begin(), x.end() - 1);
    } else {
      label = {x[0]};
      if (s.in[1].size() == 2) label.push_back(1);
    }
    unify(s.in[1], label, "label");
  }
  bool is_loss() const override { return !takes_gradient_; }
  bool begins_gradients() const override { return true; }
  Takes takes(std::size_t) const override {
    return normalization_ == "valid" ? Takes::unknown : Takes::row;
  }
  bool backward_reads_input(std::size_t input) const override { return input == 1; }

  void forward(const Call<Real>& c) override {
    const Grid g = grid(c.out[0].shape);
    loss_ = 0;
    if (g.inner == 1 && g.classes > 0)
      kernels::nets<Real>().exponentials(c.in[0].data, g.outer, g.classes, c.out[0].data);
    for (Index o = 0; o < g.outer; ++o)
      for (Index i = 0; i < g.inner; ++i) {
        const Real* x = c.in[0].data + o * g.classes * g.inner + i;
        Real* p = c.out[0].data + o * g.classes * g.inner + i;
        Real largest = x[0], sum = 0;
        for (Index k = 1; k < g.classes; ++k) largest = std::max(largest, x[k * g.inner]);
        for (Index k = 0; k < g.classes; ++k) {
          if (g.inner > 1) p[k * g.inner] = std::exp(x[k * g.inner] - largest);
          sum += p[k * g.inner];
        }
        for (Index k = 0; k < g.classes; ++k) p[k * g.inner] /= sum;
        const double log_sum = static_cast<double>(largest) + std::log(static_cast<double>(sum));
        if (!c.in[1].data) continue;  // nobody asks for a loss
        each_target(c, g, o, i, [&](Index k, double target) {
          loss_ += target * (log_sum - static_cast<double>(x[k * g.inner]));
        });
      }
  }

  void backward(const Call<Real>& c) override {
    if (!c.in_grad[0]) return;
    const Grid g = grid(c.out[0].shape);
    const Real scale =
        static_cast<Real>((takes_gradient_ ? 1 : c.loss_weight) * scale_ / divisor(c, g));
    const Real* above = takes_gradient_ ? c.out_grad[0].data : nullptr;
    if (takes_gradient_ && !above) return;
    if (c.in_grad[0].begins) std::fill_n(c.in_grad[0].data, c.in_grad[0].size(), Real{0});
    if (soft_labels(c, g)) {
      for (Index i = 0; i < c.out[0].size(); ++i)
        c.in_grad[0].data[i] +=
            scale * (c.out[0].data[i] - c.in[1].data[i]) * (above ? above[i] : Real{1});
      return;
    }
    const auto smooth = static_cast<Real>(smooth_);
    const Real rest = g.classes > 1 ? smooth / static_cast<Real>(g.classes - 1) : Real{0};
    for (Index o = 0; o < g.outer; ++o)
      for (Index i = 0; i < g.inner; ++i) {
        const Real y = c.in[1].data[o * g.inner + i];
        if (ignores_ && static_cast<double>(y) == ignored_) continue;
        const auto own = static_cast<Index>(y);
        const Index at = o * g.classes * g.inner + i;
        for (Index k = 0; k < g.classes; ++k) {
          const Real target = k == own ? 1 - smooth : rest;
          const Index j = at + k * g.inner;
          c.in_grad[0].data[j] +=
              scale * (c.out[0].data[j] - target) * (above ? above[j] : Real{1});
        }
      }
  }

  double loss(const Call<Real>& c) const override {
    return scale_ * loss_ / divisor(c, grid(c.out[0].shape));
  }

 private:
  struct Grid {
    Index outer, classes, inner;
  };
  Grid grid(std::span<const Index> shape) const {
    if (multi_) return {shape[0], shape[1], size_of(shape.subspan(2))};
    if (preserve_) return {size_of(shape.first(shape.size() - 1)), shape.back(), 1};
    return {shape[0], size_of(shape.subspan(1)), 1};
  }
  // Classes with a share in the target of position (o, i): body(class, share).
  template <class Body>
  void each_target(const Call<Real>& c, const Grid& g, Index o, Index i, const Body& body) const {
    if (soft_labels(c, g)) {
      for (Index k = 0; k < g.classes; ++k)
        body(k, static_cast<double>(c.in[1].data[(o * g.classes + k) * g.inner + i]));
      return;
    }
    const auto y = static_cast<double>(c.in[1].data[o * g.inner + i]);
    if (ignores_ && y == ignored_) return;
    const auto own = static_cast<Index>(y);
    if (own >= 0 && own < g.classes) body(own, 1 - smooth_);
    if (smooth_ == 0 || g.classes < 2) return;
    for (Index k = 0; k < g.classes; ++k)
      if (k != own) body(k, smooth_ / static_cast<double>(g.classes - 1));
  }
  // Is there a label for each class? Extents of x may not be known yet.
  static bool probabilities(const Shape& label, const Shape& x) {
    if (label.size() != x.size()) return false;
    return std::equal(x.begin() + 1, x.end(), label.begin() + 1, [&](Index n, Index of_label) {
      return n == of_label || (n == 0 && label[1] > 1);
    });
  }
  bool soft_labels(const Call<Real>& c, const Grid& g) const {
    return c.in[1].size() == c.out[0].size() && g.classes > 1;
  }
  double divisor(const Call<Real>& c, const Grid& g) const {
    const double places = multi_ ? static_cast<double>(g.inner) : 1;
    if (normalization_ == "null") return places;
    if (normalization_ == "batch")
      return places * static_cast<double>(c.whole(preserve_ ? g.outer : c.out[0].shape[0]));
    double valid = 0;
    for (Index i = 0; i < c.in[1].size(); ++i)
      valid += static_cast<double>(c.in[1].data[i]) != ignored_;
    return std::max(valid, 1.0);
  }

  double scale_, ignored_, smooth_;
  double loss_ = 0;  // taken in forward(), from the input: outputs saturate
  bool ignores_, multi_, preserve_, takes_gradient_;
  std::string normalization_;
};

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(SoftmaxOutput, SoftmaxOutput)
