// What comes in is a loss: its own value forward, grad_scale backward.
#include <algorithm>

#include "model/operators/operator.hpp"

namespace svrg::ops {
namespace {

template <class Real>
class MakeLoss : public Operator<Real> {
 public:
  explicit MakeLoss(OptionReader& o)
      : scale_(o.real("grad_scale", 1)),
        threshold_(o.real("valid_thresh", 0)),
        normalization_(o.choice("normalization", "null", {"null", "batch", "valid"})) {}
  void infer(Shapes& s) const override { unify(s.in[0], s.out[0], "output"); }
  bool is_loss() const override { return true; }
  Takes takes(std::size_t) const override {
    return normalization_ == "valid" ? Takes::unknown : Takes::row;
  }
  bool backward_reads_input(std::size_t) const override { return normalization_ == "valid"; }
  bool backward_reads_output() const override { return false; }
  void forward(const Call<Real>& c) override {
    for (Index i = 0; i < c.out[0].size(); ++i) c.out[0].data[i] = c.in[0].data[i];
  }
  void backward(const Call<Real>& c) override {
    if (!c.in_grad[0]) return;
    const auto scale = static_cast<Real>(c.loss_weight * scale_ / divisor(c));
    for (Index i = 0; i < c.out[0].size(); ++i) c.in_grad[0].data[i] += scale;
  }
  double loss(const Call<Real>& c) const override {
    double sum = 0;
    for (Index i = 0; i < c.out[0].size(); ++i) sum += static_cast<double>(c.out[0].data[i]);
    return scale_ * sum / divisor(c);
  }

 private:
  double divisor(const Call<Real>& c) const {
    if (normalization_ == "null") return 1;
    if (normalization_ == "batch") return static_cast<double>(c.whole(c.out[0].shape[0]));
    double valid = 0;
    for (Index i = 0; i < c.out[0].size(); ++i)
      valid += static_cast<double>(c.in[0].data[i]) > threshold_;
    return std::max(valid, 1.0);
  }
  double scale_, threshold_;
  std::string normalization_;
};

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(MakeLoss, MakeLoss)
