// Below 0 a line or an exponential, above it x; and gelu, xΦ(x).
#include <cmath>
#include <numbers>

#include "model/operators/operator.hpp"

namespace svrg::ops {
namespace {

enum class Leak { fixed, elu, selu, gelu, learned, drawn };

Leak leak_of(const std::string& name) {
  return name == "leaky"   ? Leak::fixed
         : name == "elu"   ? Leak::elu
         : name == "selu"  ? Leak::selu
         : name == "gelu"  ? Leak::gelu
         : name == "prelu" ? Leak::learned
                           : Leak::drawn;
}

// Functions of x and of the slope s below 0, and dy times their own slopes.
struct Line {  // choices that are 0 otherwise, unlike a choice of factors, let loops vectorise
  template <class Real>
  static Real value(Real x, Real s) {
    return (x < 0 ? Real{0} : x) + s * (x < 0 ? x : Real{0});
  }
  template <class Real>
  static Real chained(Real dy, Real x, Real s) {
    return (x > 0 ? dy : Real{0}) + s * (x > 0 ? Real{0} : dy);
  }
};

struct Elu {
  template <class Real>
  static Real value(Real x, Real s) {
    return x > 0 ? x : s * std::expm1(x);
  }
  template <class Real>
  static Real chained(Real dy, Real x, Real s) {
    return x > 0 ? dy : dy * s * std::exp(x);
  }
};

struct Selu {  // Klambauer et al. (2017)
  static constexpr double alpha = 1.6732632423543772, scale = 1.0507009873554805;
  template <class Real>
  static Real value(Real x, Real) {
    return Real(scale) * Elu::value(x, Real(alpha));
  }
  template <class Real>
  static Real chained(Real dy, Real x, Real) {
    return Real(scale) * Elu::chained(dy, x, Real(alpha));
  }
};

struct Gelu {  // Φ, φ: distribution and density of the standard normal
  static constexpr double top = 0.5 * std::numbers::inv_sqrtpi * std::numbers::sqrt2;  // φ(0)
  template <class Real>
  static Real distribution(Real x) {
    return Real(0.5) * (1 + std::erf(x / std::numbers::sqrt2_v<Real>));
  }
  template <class Real>
  static Real value(Real x, Real) {
    return x * distribution(x);
  }
  template <class Real>
  static Real chained(Real dy, Real x, Real) {
    return dy * (distribution(x) + x * Real(top) * std::exp(Real(-0.5) * x * x));
  }
};

template <class Real>
class LeakyReLU : public Operator<Real> {
 public:
  explicit LeakyReLU(OptionReader& o)
      : type_(leak_of(
            o.choice("act_type", "leaky", {"leaky", "elu", "selu", "gelu", "prelu", "rrelu"}))),
        slope_(static_cast<Real>(o.real("slope", 0.25))),
        lower_(o.real("lower_bound", 0.125)),
        upper_(o.real("upper_bound", 0.334)) {}
  std::vector<std::string> inputs() const override {
    return type_ == Leak::learned ? std::vector<std::string>{"data", "gamma"}
                                  : std::vector<std::string>{"data"};
  }
  bool backward_reads_output() const override { return false; }
  Takes takes(std::size_t input) const override {
    if (type_ == Leak::drawn) return Takes::unknown;
    return input == 0 ? Takes::row : Takes::all;
  }
  void infer(Shapes& s) const override {
    unify(s.in[0], s.out[0], "output");
    if (type_ != Leak::learned || s.in[0].empty()) return;
    Shape gamma{s.in[0].size() > 1 ? s.in[0][1] : s.in[0][0]};
    if (s.in[1] != Shape{1}) unify(s.in[1], gamma, "gamma");
  }
  void bind(const Shapes& s) override {
    if (type_ == Leak::drawn) drawn_.assign(static_cast<std::size_t>(size_of(s.out[0])), Real{0});
    if (type_ != Leak::learned) return;
    channels_ = size_of(s.in[1]);
    const std::span<const Index> shape = s.in[0];
    places_ = channels_ == 1 ? size_of(shape) : shape.size() > 1 ? size_of(shape.subspan(2)) : 1;
  }
  void forward(const Call<Real>& c) override {
    if (type_ == Leak::drawn) draw(c);
    const Real* x = c.in[0].data;
    Real* y = c.out[0].data;
    with([&](auto f) {
      each(c, c.out[0].size(), [&](Index i, Real slope, Index) { y[i] = f.value(x[i], slope); });
    });
  }
  void backward(const Call<Real>& c) override {
    const Real *dy = c.out_grad[0].data, *x = c.in[0].data;
    if (!dy) return;
    if (Real* dx = c.in_grad[0].data)
      with([&](auto f) {
        each(c, c.out_grad[0].size(),
             [&](Index i, Real slope, Index) { dx[i] += f.chained(dy[i], x[i], slope); });
      });
    if (type_ == Leak::learned && c.in_grad[1])
      each(c, c.out_grad[0].size(), [&](Index i, Real, Index channel) {
        c.in_grad[1].data[channel] += dy[i] * (x[i] < 0 ? x[i] : Real{0});
      });
  }

 private:
  template <class Body>
  void with(const Body& body) const {
    switch (type_) {
      case Leak::elu:
        return body(Elu{});
      case Leak::selu:
        return body(Selu{});
      case Leak::gelu:
        return body(Gelu{});
      default:
        return body(Line{});
    }
  }
  // body(element, slope below 0, channel)
  template <class Body>
  void each(const Call<Real>& c, Index n, const Body& body) const {
    if (type_ == Leak::learned) {
      for (Index first = 0, channel = 0; first < n; first += places_) {
        const Real slope = c.in[1].data[channel];
        for (Index i = first; i < first + places_; ++i) body(i, slope, channel);
        channel = channel + 1 < channels_ ? channel + 1 : 0;
      }
    } else if (type_ == Leak::drawn) {
      for (Index i = 0; i < n; ++i) body(i, drawn_[static_cast<std::size_t>(i)], Index{0});
    } else {
      const Real slope = slope_;
      for (Index i = 0; i < n; ++i) body(i, slope, Index{0});
    }
  }
  void draw(const Call<Real>& c) {
    const Index rows = c.out[0].shape[0], size = rows > 0 ? c.out[0].size() / rows : 0;
    for (Index r = 0; r < rows; ++r) {
      const Index global = c.row_number(r, rows);
      for (Index j = 0; j < size; ++j) {
        const auto counter = static_cast<std::uint64_t>(global * size + j);
        drawn_[static_cast<std::size_t>(r * size + j)] =
            static_cast<Real>(c.training ? lower_ + (upper_ - lower_) * c.random.uniform(counter)
                                         : (lower_ + upper_) / 2);
      }
    }
  }
  Leak type_;
  Real slope_;
  double lower_, upper_;
  Index channels_ = 1, places_ = 1;
  std::vector<Real> drawn_;
};

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(LeakyReLU, LeakyReLU)
