#include <cmath>
#include <numbers>

#include "model/operators/operator.hpp"

namespace svrg::ops {
namespace {

template <class Real>
class LeakyReLU : public Operator<Real> {
 public:
  explicit LeakyReLU(OptionReader& o)
      : type_(o.choice("act_type", "leaky", {"leaky", "elu", "selu", "gelu", "prelu", "rrelu"})),
        slope_(o.real("slope", 0.25)),
        lower_(o.real("lower_bound", 0.125)),
        upper_(o.real("upper_bound", 0.334)) {}
  std::vector<std::string> inputs() const override {
    return type_ == "prelu" ? std::vector<std::string>{"data", "gamma"}
                            : std::vector<std::string>{"data"};
  }
  bool backward_reads_output() const override { return false; }
  void infer(Shapes& s) const override {
    unify(s.in[0], s.out[0], "output");
    if (type_ != "prelu" || s.in[0].empty()) return;
    Shape gamma{s.in[0].size() > 1 ? s.in[0][1] : s.in[0][0]};
    if (s.in[1] != Shape{1}) unify(s.in[1], gamma, "gamma");
  }
  void bind(const Shapes& s) override {
    if (type_ == "rrelu") drawn_.assign(static_cast<std::size_t>(size_of(s.out[0])), Real{0});
  }
  void forward(const Call<Real>& c) override {
    if (type_ == "rrelu") draw(c);
    for (Index i = 0; i < c.out[0].size(); ++i) {
      const auto x = static_cast<double>(c.in[0].data[i]);
      c.out[0].data[i] = static_cast<Real>(value(x, slope_at(c, i)));
    }
  }
  void backward(const Call<Real>& c) override {
    const Real* dy = c.out_grad[0].data;
    if (!dy) return;
    for (Index i = 0; i < c.out_grad[0].size(); ++i) {
      const auto x = static_cast<double>(c.in[0].data[i]);
      if (c.in_grad[0])
        c.in_grad[0].data[i] += dy[i] * static_cast<Real>(derivative(x, slope_at(c, i)));
      if (type_ == "prelu" && c.in_grad[1] && x < 0)
        c.in_grad[1].data[channel(c, i)] += dy[i] * c.in[0].data[i];
    }
  }

 private:
  static constexpr double selu_alpha = 1.6732632423543772, selu_scale = 1.0507009873554805;
  double value(double x, double slope) const {
    if (type_ == "gelu") return 0.5 * x * (1 + std::erf(x / std::numbers::sqrt2));
    if (type_ == "selu") return selu_scale * (x > 0 ? x : selu_alpha * std::expm1(x));
    if (type_ == "elu") return x > 0 ? x : slope * std::expm1(x);
    return x > 0 ? x : slope * x;
  }
  double derivative(double x, double slope) const {
    if (type_ == "gelu")
      return 0.5 * (1 + std::erf(x / std::numbers::sqrt2)) +
             x * std::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi);
    if (type_ == "selu") return selu_scale * (x > 0 ? 1 : selu_alpha * std::exp(x));
    if (type_ == "elu") return x > 0 ? 1 : slope * std::exp(x);
    return x > 0 ? 1 : slope;
  }
  Index channel(const Call<Real>& c, Index i) const {
    const auto shape = c.in[0].shape;
    if (c.in[1].size() == 1) return 0;
    if (shape.size() == 1) return i;
    return i / size_of(shape.subspan(2)) % shape[1];
  }
  double slope_at(const Call<Real>& c, Index i) const {
    if (type_ == "prelu") return static_cast<double>(c.in[1].data[channel(c, i)]);
    if (type_ == "rrelu") return static_cast<double>(drawn_[static_cast<std::size_t>(i)]);
    return slope_;
  }
  void draw(const Call<Real>& c) {
    const Index rows = c.out[0].shape[0], size = rows > 0 ? c.out[0].size() / rows : 0;
    for (Index r = 0; r < rows; ++r) {
      const Index global = c.global_rows.empty() ? r : c.global_rows[static_cast<std::size_t>(r)];
      for (Index j = 0; j < size; ++j) {
        const auto counter = static_cast<std::uint64_t>(global * size + j);
        drawn_[static_cast<std::size_t>(r * size + j)] =
            static_cast<Real>(c.training ? lower_ + (upper_ - lower_) * c.random.uniform(counter)
                                         : (lower_ + upper_) / 2);
      }
    }
  }
  std::string type_;
  double slope_, lower_, upper_;
  std::vector<Real> drawn_;
};

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(LeakyReLU, LeakyReLU)
