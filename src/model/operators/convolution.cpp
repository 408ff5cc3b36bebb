// Patches of the image become columns, and a product with the filters does the rest: rows, groups
// one after the other, W (filters, channels/groups, kernel…).
#include "model/kernels/net_kernels.hpp"
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
  bool begins_gradients() const override { return true; }
  Takes takes(std::size_t input) const override { return input == 0 ? Takes::row : Takes::all; }
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
    patches_ = {{in_.height, in_.width, out_.height, out_.width, kernel_.height, kernel_.width,
                 stride_.height, stride_.width},
                channels_,
                dilate_.height,
                dilate_.width,
                pad_.height,
                pad_.width};
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
        kernels::nets<Real>().to_columns(patches_, x, columns_.data());
        gemm(Transpose::no, Transpose::no, per_group, places_, patch_, Real{1},
             c.in[1].data + g * per_group * patch_, patch_, columns_.data(), places_, Real(bias_),
             y, places_);
      }
  }
  void backward(const Call<Real>& c) override {
    const Real* all = c.out_grad[0].data;
    if (!all) return;
    const auto& kernels = kernels::nets<Real>();
    const Index per_group = filters_ / groups_, rows = c.in[0].shape[0];
    if (c.in_grad[0] && c.in_grad[0].begins)
      std::fill_n(c.in_grad[0].data, c.in_grad[0].size(), Real{0});
    for (std::size_t k = 1; k < c.in_grad.size() && rows == 0; ++k)
      if (c.in_grad[k] && c.in_grad[k].begins)
        std::fill_n(c.in_grad[k].data, c.in_grad[k].size(), Real{0});
    for (Index r = 0; r < rows; ++r)
      for (Index g = 0; g < groups_; ++g) {
        const Real* dy = all + (r * filters_ + g * per_group) * places_;
        const Index at = g * per_group * patch_;
        if (bias_ && c.in_grad[2])
          for (Index f = 0; f < per_group; ++f) {
            Real& sum = c.in_grad[2].data[g * per_group + f];
            if (r == 0 && c.in_grad[2].begins) sum = 0;
            sum += kernels.sum(dy + f * places_, places_);
          }
        if (c.in_grad[1]) {
          kernels.to_columns(patches_, image(c.in[0].data, r, g), columns_.data());
          gemm(Transpose::no, Transpose::yes, per_group, patch_, places_, Real{1}, dy, places_,
               columns_.data(), places_, Real(r > 0 || !c.in_grad[1].begins),
               c.in_grad[1].data + at, patch_);
        }
        if (!c.in_grad[0]) continue;
        gemm(Transpose::yes, Transpose::no, patch_, places_, per_group, Real{1}, c.in[1].data + at,
             patch_, dy, places_, Real{0}, columns_.data(), places_);
        kernels.add_columns(patches_, columns_.data(), image(c.in_grad[0].data, r, g));
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

  std::vector<Index> kernel_shape_;
  Index filters_, groups_;
  bool bias_;
  Plane kernel_, stride_, dilate_, pad_, in_, out_;
  Index channels_ = 0, patch_ = 0, places_ = 0;
  kernels::Patches patches_{};
  std::vector<Real> columns_;
};

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(Convolution, Convolution)
