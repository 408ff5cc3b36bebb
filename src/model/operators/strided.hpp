#pragma once
#include "model/operators/axes.hpp"

namespace svrg::ops {

/// Operators whose output shows elements of the input at another place: transposed, cut out,
/// repeated. What differs is where.
template <class Real>
class Strided : public Operator<Real> {
 public:
  bool backward_reads_input(std::size_t) const override { return false; }
  bool backward_reads_output() const override { return false; }
  void bind(const Shapes& s) override {
    out_shape_ = s.out[0];
    start_ = 0;
    strides_ = strides_of(s.in[0]);
    place(s, start_, strides_);
  }
  void forward(const Call<Real>& c) override {
    for_each_place(out_shape_, strides_,
                   [&](Index i, Index from) { c.out[0].data[i] = c.in[0].data[start_ + from]; });
  }
  void backward(const Call<Real>& c) override {
    const Real* dy = c.out_grad[0].data;
    if (!dy || !c.in_grad[0]) return;
    for_each_place(out_shape_, strides_,
                   [&](Index i, Index to) { c.in_grad[0].data[start_ + to] += dy[i]; });
  }

 protected:
  /// Turns the input's own strides into those that go with the output's axes, and 0 into the
  /// input's element that comes first.
  virtual void place(const Shapes& s, Index& start, std::vector<Index>& strides) const = 0;

 private:
  Shape out_shape_;
  Index start_ = 0;
  std::vector<Index> strides_;
};

}  // namespace svrg::ops
