// Maximum, average, sum or p-norm over windows. Gradient of a maximum goes to the first largest.
#include <algorithm>
#include <cmath>
#include <limits>

#include "model/kernels/net_kernels.hpp"
#include "model/operators/window.hpp"

namespace svrg::ops {
namespace {

enum class Type { max, avg, sum, lp };

Type type_of(const std::string& name) {
  return name == "max"   ? Type::max
         : name == "avg" ? Type::avg
         : name == "sum" ? Type::sum
                         : Type::lp;
}

template <class Real>
class Pooling : public Operator<Real> {
 public:
  explicit Pooling(OptionReader& o)
      : global_(o.flag("global_pool", false)),
        counts_padding_(o.flag("count_include_pad", true)),
        type_(type_of(o.choice("pool_type", "max", {"max", "avg", "sum", "lp"}))),
        convention_(o.choice("pooling_convention", "valid", {"valid", "full", "same"})),
        p_(o.real("p_value", 2)),
        kernel_shape_(o.tuple("kernel", {})),
        window_(plane(o, "kernel", kernel_shape_.size(), 1, 1)),
        stride_(plane(o, "stride", kernel_shape_.size(), 1, 1)),
        pad_(plane(o, "pad", kernel_shape_.size(), 0, 0)) {
    if (kernel_shape_.size() > 2) o.fail("kernel", "must have 1 or 2 axes");
    o.choice("layout", "NCHW", {"NCHW", "NCW"});
    o.ignore("cudnn_off");
    if (!global_ && kernel_shape_.empty()) o.fail("kernel", "is required without global_pool");
    if (convention_ == "same" && (pad_.height > 0 || pad_.width > 0))
      o.fail("pad", "must be 0 with pooling_convention same");
  }
  bool backward_reads_output() const override { return type_ == Type::max || type_ == Type::lp; }
  bool backward_reads_input(std::size_t) const override {
    return type_ == Type::max || type_ == Type::lp;
  }
  bool begins_gradients() const override { return true; }
  Takes takes(std::size_t) const override { return Takes::row; }
  void infer(Shapes& s) const override {
    const Shape& x = s.in[0];
    if (x.empty()) return;
    const std::size_t axes = !global_ ? kernel_shape_.size() : x.size() > 2 ? x.size() - 2 : 0;
    require_space(x, axes);
    Shape y{x[0], x[1]};
    if (global_) {
      y.resize(x.size(), 1);
    } else {
      const Plane k = window_, in = space_of(x);
      if (axes == 2)
        y.push_back(in.height ? reach(in.height, k.height, stride_.height, pad_.height) : 0);
      y.push_back(in.width ? reach(in.width, k.width, stride_.width, pad_.width) : 0);
    }
    unify(s.out[0], y, "output");
  }
  void bind(const Shapes& s) override {
    in_ = space_of(s.in[0]);
    out_ = space_of(s.out[0]);
    kernel_ = global_ ? in_ : window_;
    step_ = global_ ? Plane{1, 1} : stride_;
    border_ = global_ ? Plane{0, 0} : pad_;
    windows_ = {in_.height,     in_.width,     out_.height,  out_.width,
                kernel_.height, kernel_.width, step_.height, step_.width};
    // All within the image, none cut off.
    whole_ = type_ == Type::max && border_.height == 0 && border_.width == 0 &&
             (out_.height - 1) * step_.height + kernel_.height <= in_.height &&
             (out_.width - 1) * step_.width + kernel_.width <= in_.width;
    halves_ = whole_ && kernel_.height == 2 && kernel_.width == 2 && step_.height == 2 &&
              step_.width == 2;
  }
  void forward(const Call<Real>& c) override {
    if (whole_)
      return kernels::nets<Real>().max_pool(windows_, c.in[0].data, images(c.out[0].shape),
                                            c.out[0].data);
    each_window(c.out[0].shape, [&](Index out, Index image, const Window& w) {
      const Real* x = c.in[0].data + image;
      double sum = 0;
      Real largest = std::numeric_limits<Real>::lowest();
      inside(w, [&](Index i) {
        if (type_ == Type::max)
          largest = x[i] > largest || std::isnan(x[i]) ? x[i] : largest;
        else
          sum += type_ == Type::lp ? std::pow(std::abs(static_cast<double>(x[i])), p_)
                                   : static_cast<double>(x[i]);
      });
      c.out[0].data[out] = type_ == Type::max   ? largest
                           : type_ == Type::lp  ? static_cast<Real>(std::pow(sum, 1 / p_))
                           : type_ == Type::avg ? static_cast<Real>(sum / w.divisor)
                                                : static_cast<Real>(sum);
    });
  }
  void backward(const Call<Real>& c) override {
    const Real* dy = c.out_grad[0].data;
    if (!dy || !c.in_grad[0]) return;
    if (halves_)
      return kernels::nets<Real>().max_pool_slope(windows_, c.in[0].data, c.out[0].data, dy,
                                                  images(c.out_grad[0].shape), c.in_grad[0].begins,
                                                  c.in_grad[0].data);
    if (c.in_grad[0].begins) std::fill_n(c.in_grad[0].data, c.in_grad[0].size(), Real{0});
    each_window(c.out_grad[0].shape, [&](Index out, Index image, const Window& w) {
      Real* dx = c.in_grad[0].data + image;
      const Real* x = c.in[0].data + image;
      const Real y = backward_reads_output() ? c.out[0].data[out] : Real{0};
      bool given = false;
      inside(w, [&](Index i) {
        if (type_ == Type::max) {
          if (!given && x[i] == y) dx[i] += dy[out];
          given |= x[i] == y;
        } else if (type_ == Type::lp) {
          if (y > 0)
            dx[i] += dy[out] * static_cast<Real>(std::copysign(
                                   std::pow(std::abs(static_cast<double>(x[i] / y)), p_ - 1),
                                   static_cast<double>(x[i])));
        } else {
          dx[i] += type_ == Type::avg ? dy[out] / static_cast<Real>(w.divisor) : dy[out];
        }
      });
    });
  }

 private:
  struct Window {
    Index top, bottom, left, right;  // within the image
    double divisor;
  };
  Index reach(Index n, Index kernel, Index stride, Index pad) const {
    if (convention_ == "same") return (n + stride - 1) / stride;
    if (n + 2 * pad < kernel) throw ConfigError("kernel is larger than the padded data");
    const Index rest = n + 2 * pad - kernel;
    return (convention_ == "full" ? (rest + stride - 1) / stride : rest / stride) + 1;
  }
  static Index images(std::span<const Index> shape) { return shape[0] * shape[1]; }
  template <class Body>
  void each_window(std::span<const Index> shape, const Body& body) const {
    Index out = 0;
    for (Index m = 0; m < images(shape); ++m)
      for (Index oy = 0; oy < out_.height; ++oy)
        for (Index ox = 0; ox < out_.width; ++ox, ++out) {
          const Index top = oy * step_.height - border_.height;
          const Index left = ox * step_.width - border_.width;
          const Index bottom = std::min(top + kernel_.height, in_.height + border_.height);
          const Index right = std::min(left + kernel_.width, in_.width + border_.width);
          const auto whole = static_cast<double>((bottom - top) * (right - left));
          Window w{std::max<Index>(top, 0), std::min(bottom, in_.height), std::max<Index>(left, 0),
                   std::min(right, in_.width), whole};
          if (!counts_padding_)
            w.divisor = static_cast<double>((w.bottom - w.top) * (w.right - w.left));
          body(out, m * in_.height * in_.width, w);
        }
  }
  template <class Body>
  void inside(const Window& w, const Body& body) const {
    for (Index y = w.top; y < w.bottom; ++y)
      for (Index x = w.left; x < w.right; ++x) body(y * in_.width + x);
  }

  bool global_, counts_padding_;
  Type type_;
  std::string convention_;
  double p_;
  std::vector<Index> kernel_shape_;
  Plane window_, stride_, pad_, kernel_, step_, border_, in_, out_;
  kernels::Windows windows_{};
  bool whole_ = false, halves_ = false;
};

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(Pooling, Pooling)
