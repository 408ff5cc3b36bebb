// y = x Wᵀ + b, W (num_hidden, inputs).
#include "model/kernels/net_kernels.hpp"
#include "model/operators/gemm.hpp"
#include "model/operators/operator.hpp"

namespace svrg::ops {
namespace {

template <class Real>
class FullyConnected : public Operator<Real> {
 public:
  explicit FullyConnected(OptionReader& options)
      : hidden_(options.required_integer("num_hidden")),
        bias_(!options.flag("no_bias", false)),
        flatten_(options.flag("flatten", true)) {
    if (hidden_ < 1) options.fail("num_hidden", "must be at least 1");
  }
  std::vector<std::string> inputs() const override {
    return bias_ ? std::vector<std::string>{"data", "weight", "bias"}
                 : std::vector<std::string>{"data", "weight"};
  }
  void infer(Shapes& s) const override {
    const Shape& x = s.in[0];
    if (x.empty()) return;
    Shape y = flatten_ ? Shape{x[0]} : Shape(x.begin(), x.end() - 1);
    y.push_back(hidden_);
    unify(s.out[0], y, "output");
    Index inputs = flatten_ ? 1 : x.back();
    if (flatten_)
      for (std::size_t i = 1; i < x.size(); ++i) inputs *= x[i];
    Shape w{hidden_, inputs}, b{hidden_};
    unify(s.in[1], w, "weight");
    if (bias_) unify(s.in[2], b, "bias");
  }
  bool takes_csr(std::size_t input) const override { return input == 0; }
  bool backward_reads_output() const override { return false; }
  bool begins_gradients() const override { return true; }
  Takes takes(std::size_t input) const override { return input == 0 ? Takes::row : Takes::all; }

  void forward(const Call<Real>& c) override {
    const Index k = c.in[1].shape[1], m = c.out[0].size() / hidden_;
    Eigen::Map<RowMatrix<Real>> y(c.out[0].data, m, hidden_);
    if (bias_) kernels::nets<Real>().repeat(c.in[2].data, m, hidden_, y.data());
    if (const auto* x = c.in[0].csr) {
      if (!bias_) y.setZero();
      const Eigen::Map<const RowMatrix<Real>> w(c.in[1].data, hidden_, k);
      for (Index i = 0; i < m; ++i)
        for (Index e = x->starts[i]; e < x->starts[i + 1]; ++e)
          y.row(i) += x->values[e] * w.col(x->indices[e]).transpose();
      return;
    }
    gemm(Transpose::no, Transpose::yes, m, hidden_, k, Real{1}, c.in[0].data, k, c.in[1].data, k,
         Real(bias_), y.data(), hidden_);
  }

  void backward(const Call<Real>& c) override {
    const Real* dy = c.out_grad[0].data;
    if (!dy) return;
    const Index k = c.in[1].shape[1], m = c.out_grad[0].size() / hidden_;
    if (c.in_grad[0])
      gemm(Transpose::no, Transpose::no, m, k, hidden_, Real{1}, dy, hidden_, c.in[1].data, k,
           Real(!c.in_grad[0].begins), c.in_grad[0].data, k);
    if (c.in_grad[1]) add_weight_gradient(c, dy, m, k);
    if (bias_ && c.in_grad[2])
      kernels::nets<Real>().add_rows(dy, m, hidden_, c.in_grad[2].begins, c.in_grad[2].data);
  }

 private:
  void add_weight_gradient(const Call<Real>& c, const Real* dy, Index m, Index k) const {
    if (const auto* x = c.in[0].csr) {
      Eigen::Map<RowMatrix<Real>> dw(c.in_grad[1].data, hidden_, k);
      if (c.in_grad[1].begins) dw.setZero();
      const Eigen::Map<const RowMatrix<Real>> d(dy, m, hidden_);
      for (Index i = 0; i < m; ++i)
        for (Index e = x->starts[i]; e < x->starts[i + 1]; ++e)
          dw.col(x->indices[e]) += x->values[e] * d.row(i).transpose();
      return;
    }
    gemm(Transpose::yes, Transpose::no, hidden_, k, m, Real{1}, dy, hidden_, c.in[0].data, k,
         Real(!c.in_grad[1].begins), c.in_grad[1].data, k);
  }

  Index hidden_;
  bool bias_, flatten_;
};

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(FullyConnected, FullyConnected)
