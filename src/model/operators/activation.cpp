#include "model/kernels/net_kernels.hpp"
#include "model/operators/functions.hpp"
#include "model/operators/operator.hpp"

namespace svrg::ops {
namespace {

template <class Real>
class Activation : public Operator<Real> {
 public:
  explicit Activation(OptionReader& o)
      : type_(o.choice("act_type", "", {"relu", "sigmoid", "tanh", "softrelu", "softsign"})) {}
  void infer(Shapes& s) const override { unify(s.in[0], s.out[0], "output"); }
  bool backward_reads_input(std::size_t) const override { return false; }
  bool begins_gradients() const override { return true; }
  Takes takes(std::size_t) const override { return Takes::row; }
  void forward(const Call<Real>& c) override {
    const auto& kernels = kernels::nets<Real>();
    const auto vectors = type_ == "relu"      ? kernels.relu
                         : type_ == "sigmoid" ? kernels.sigmoid
                         : type_ == "tanh"    ? kernels.tanh
                                              : nullptr;
    if (vectors) return vectors(c.in[0].data, c.out[0].size(), c.out[0].data);
    with([&](auto f) {
      const Index n = c.out[0].size();
      for (Index i = 0; i < n; ++i) c.out[0].data[i] = decltype(f)::value(c.in[0].data[i]);
    });
  }
  void backward(const Call<Real>& c) override {
    const Real* dy = c.out_grad[0].data;
    if (!dy || !c.in_grad[0]) return;
    const Index n = c.out_grad[0].size();
    Real* dx = c.in_grad[0].data;
    const bool begins = c.in_grad[0].begins;
    if (type_ == "relu") return kernels::nets<Real>().relu_slope(dy, c.out[0].data, n, begins, dx);
    with([&](auto f) {
      for (Index i = 0; i < n; ++i)
        dx[i] = (begins ? Real{0} : dx[i]) + chained<decltype(f)>(dy[i], Real{0}, c.out[0].data[i]);
    });
  }

 private:
  template <class Body>
  void with(const Body& body) const {
    if (type_ == "sigmoid")
      body(Sigmoid{});
    else if (type_ == "tanh")
      body(Tanh{});
    else if (type_ == "softrelu")
      body(Softrelu{});
    else
      body(Softsign{});
  }
  std::string type_;
};

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(Activation, Activation)
