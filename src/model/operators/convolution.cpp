// Patches of the image become columns, and a product with the filters does the rest: rows, groups
// one after the other, W (filters, channels/groups, kernel…).
#include "model/operators/gemm.hpp"
#include "model/operators/window.hpp"

namespace svrg::ops {
namespace {

template <class Real>
class Convolution : public Operator<Real> {
 public:
  explicit Convolution(OptionReader& o)
      : kernel_shape_(o.required_tuple("kernel")),
        filters_(o.required_integer("num_filter")),
        groups_(o.integer("num_group", 1)),
        bias_(!o.flag("no_bias", false)),
        kernel_(plane(o, "kernel", kernel_shape_.size(), 1, 1)),
        stride_(plane(o, "stride", kernel_shape_.size(), 1, 1)),
        dilate_(plane(o, "dilate", kernel_shape_.size(), 1, 1)),
        pad_(plane(o, "pad", kernel_shape_.size(), 0, 0)) {
    if (kernel_shape_.empty() || kernel_shape_.size() > 2)
      o.fail("kernel", "must have 1 or 2 axes");
    o.choice("layout", "NCHW", {"NCHW", "NCW"});
    for (const char* name : {"cudnn_off", "cudnn_tune", "workspace"}) o.ignore(name);
    if (groups_ < 1 || filters_ < 1 || filters_ % groups_ != 0)
      o.fail("num_filter", "must be a multiple of num_group");
  }
  std::vector<std::string> inputs() const override {
    return bias_ ? std::vector<std::string>{"data", "weight", "bias"}
                 : std::vector<std::string>{"data", "weight"};
  }
  bool backward_reads_output() const override { return false; }
  void infer(Shapes& s) const override {
    const Shape& x = s.in[0];
    if (x.empty()) return;
    require_space(x, kernel_shape_.size());
    if (x[1] % groups_ != 0) throw ConfigError("num_group does not divide the channels of data");
    Shape w{filters_, x[1] / groups_}, b{filters_}, y{x[0], filters_};
    w.insert(w.end(), kernel_shape_.begin(), kernel_shape_.end());
    unify(s.in[1], w, "weight");
    if (bias_) unify(s.in[2], b, "bias");
    const bool flat = kernel_shape_.size() == 1;
    const Plane in = space_of(x);
    if (!flat)
      y.push_back(
          in.height ? reach(in.height, kernel_.height, stride_.height, dilate_.height, pad_.height)
                    : 0);
    y.push_back(in.width ? reach(in.width, kernel_.width, stride_.width, dilate_.width, pad_.width)
                         : 0);
    unify(s.out[0], y, "output");
  }
  void bind(const Shapes& s) override {
    in_ = space_of(s.in[0]);
    out_ = space_of(s.out[0]);
    channels_ = s.in[0][1] / groups_;
    patch_ = channels_ * kernel_.height * kernel_.width;
    places_ = out_.height * out_.width;
    columns_.resize(static_cast<std::size_t>(patch_ * places_));
  }
  void forward(const Call<Real>& c) override {
    const Index per_group = filters_ / groups_;
    for (Index r = 0; r < c.in[0].shape[0]; ++r)
      for (Index g = 0; g < groups_; ++g) {
        const Real* x = image(c.in[0].data, r, g);
        Real* y = c.out[0].data + (r * filters_ + g * per_group) * places_;
        if (bias_)
          for (Index f = 0; f < per_group; ++f)
            std::fill_n(y + f * places_, places_, c.in[2].data[g * per_group + f]);
        to_columns(x);
        gemm(Transpose::no, Transpose::no, per_group, places_, patch_, Real{1},
             c.in[1].data + g * per_group * patch_, patch_, columns_.data(), places_, Real(bias_),
             y, places_);
      }
  }
  void backward(const Call<Real>& c) override {
    const Real* all = c.out_grad[0].data;
    if (!all) return;
    const Index per_group = filters_ / groups_;
    for (Index r = 0; r < c.in[0].shape[0]; ++r)
      for (Index g = 0; g < groups_; ++g) {
        const Real* dy = all + (r * filters_ + g * per_group) * places_;
        const Index at = g * per_group * patch_;
        if (bias_ && c.in_grad[2])
          for (Index f = 0; f < per_group; ++f)
            c.in_grad[2].data[g * per_group + f] +=
                Eigen::Map<const Vec<Real>>(dy + f * places_, places_).sum();
        if (c.in_grad[1]) {
          to_columns(image(c.in[0].data, r, g));
          gemm(Transpose::no, Transpose::yes, per_group, patch_, places_, Real{1}, dy, places_,
               columns_.data(), places_, Real{1}, c.in_grad[1].data + at, patch_);
        }
        if (!c.in_grad[0]) continue;
        gemm(Transpose::yes, Transpose::no, patch_, places_, per_group, Real{1}, c.in[1].data + at,
             patch_, dy, places_, Real{0}, columns_.data(), places_);
        add_columns(image(c.in_grad[0].data, r, g));
      }
  }

 private:
  static Index reach(Index n, Index kernel, Index stride, Index dilate, Index pad) {
    const Index span = dilate * (kernel - 1) + 1;
    if (n + 2 * pad < span) throw ConfigError("kernel is larger than the padded data");
    return (n + 2 * pad - span) / stride + 1;
  }
  template <class T>
  T* image(T* all, Index row, Index group) const {
    return all + (row * groups_ + group) * channels_ * in_.height * in_.width;
  }
  // Calls with each column element and its image element, −1 where that is padding.
  template <class Body>
  void each_element(const Body& body) const {
    Index at = 0;
    for (Index ch = 0; ch < channels_; ++ch)
      for (Index ky = 0; ky < kernel_.height; ++ky)
        for (Index kx = 0; kx < kernel_.width; ++kx)
          for (Index oy = 0; oy < out_.height; ++oy) {
            const Index y = oy * stride_.height - pad_.height + ky * dilate_.height;
            const bool inside = y >= 0 && y < in_.height;
            const Index line = (ch * in_.height + y) * in_.width;
            for (Index ox = 0; ox < out_.width; ++ox, ++at) {
              const Index x = ox * stride_.width - pad_.width + kx * dilate_.width;
              body(at, inside && x >= 0 && x < in_.width ? line + x : -1);
            }
          }
  }
  void to_columns(const Real* x) {
    each_element([&](Index at, Index from) {
      columns_[static_cast<std::size_t>(at)] = from < 0 ? Real{0} : x[from];
    });
  }
  void add_columns(Real* x) const {
    each_element([&](Index at, Index to) {
      if (to >= 0) x[to] += columns_[static_cast<std::size_t>(at)];
    });
  }

  std::vector<Index> kernel_shape_;
  Index filters_, groups_;
  bool bias_;
  Plane kernel_, stride_, dilate_, pad_, in_, out_;
  Index channels_ = 0, patch_ = 0, places_ = 0;
  std::vector<Real> columns_;
};

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(Convolution, Convolution)
