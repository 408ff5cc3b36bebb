#include <algorithm>

#include "model/operators/operator.hpp"

namespace svrg::ops {
namespace {

template <class Real>
class Clip : public Operator<Real> {
 public:
  explicit Clip(OptionReader& o)
      : low_(static_cast<Real>(o.real("a_min", 0))), high_(static_cast<Real>(o.real("a_max", 0))) {
    if (!o.has("a_min") || !o.has("a_max")) o.fail("a_min", "and a_max are required");
    if (!(low_ <= high_)) o.fail("a_min", "must not exceed a_max");
  }
  bool backward_reads_output() const override { return false; }
  void infer(Shapes& s) const override { unify(s.in[0], s.out[0], "output"); }
  void forward(const Call<Real>& c) override {
    for (Index i = 0; i < c.out[0].size(); ++i)
      c.out[0].data[i] = std::clamp(c.in[0].data[i], low_, high_);
  }
  void backward(const Call<Real>& c) override {
    const Real* dy = c.out_grad[0].data;
    if (!dy || !c.in_grad[0]) return;
    for (Index i = 0; i < c.out_grad[0].size(); ++i)
      if (c.in[0].data[i] >= low_ && c.in[0].data[i] <= high_) c.in_grad[0].data[i] += dy[i];
  }

 private:
  Real low_, high_;
};

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(clip, Clip)
