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
  void forward(const Call<Real>& c) override {
    with([&](auto f) {
      const Index n = c.out[0].size();
      for (Index i = 0; i < n; ++i) c.out[0].data[i] = decltype(f)::value(c.in[0].data[i]);
    });
  }
  void backward(const Call<Real>& c) override {
    const Real* dy = c.out_grad[0].data;
    if (!dy || !c.in_grad[0]) return;
    with([&](auto f) {
      const Index n = c.out_grad[0].size();
      for (Index i = 0; i < n; ++i)
        c.in_grad[0].data[i] += chained<decltype(f)>(dy[i], Real{0}, c.out[0].data[i]);
    });
  }

 private:
  template <class Body>
  void with(const Body& body) const {
    if (type_ == "relu")
      body(Relu{});
    else if (type_ == "sigmoid")
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
