// Axes of extent 1 repeated: broadcast_axis names them, broadcast_to gives the shape to reach.
#include "model/operators/strided.hpp"

namespace svrg::ops {
namespace {

template <class Real>
class Broadcast : public Strided<Real> {
 public:
  void infer(Shapes& s) const override {
    const Shape& x = s.in[0];
    if (x.empty()) return;
    Shape y = reached(x);
    for (std::size_t i = 0; i < x.size(); ++i)
      if (x[i] > 1 && y[i] != x[i])
        throw ConfigError("data: " + text(x) + " cannot be repeated to " + text(y));
    unify(s.out[0], y, "output");
  }

 protected:
  /// The output's shape; as many axes as x, 0 where it is not known.
  virtual Shape reached(const Shape& x) const = 0;

 private:
  void place(const Shapes& s, Index&, std::vector<Index>& strides) const override {
    for (std::size_t i = 0; i < strides.size(); ++i)
      if (s.in[0][i] == 1) strides[i] = 0;
  }
};

template <class Real>
class BroadcastAxis : public Broadcast<Real> {
 public:
  explicit BroadcastAxis(OptionReader& o)
      : axes_(o.tuple("axis", {})), sizes_(o.tuple("size", {})) {
    if (axes_.size() != sizes_.size()) o.fail("size", "must have as many numbers as axis");
  }

 protected:
  Shape reached(const Shape& x) const override {
    Shape y = x;
    for (std::size_t k = 0; k < axes_.size(); ++k) y[axis_at(axes_[k], x.size())] = sizes_[k];
    return y;
  }

 private:
  std::vector<Index> axes_, sizes_;
};

template <class Real>
class BroadcastTo : public Broadcast<Real> {
 public:
  explicit BroadcastTo(OptionReader& o) : shape_(o.required_tuple("shape")) {}

 protected:
  Shape reached(const Shape& x) const override {
    if (shape_.size() != x.size())
      throw ConfigError("shape: " + text(shape_) + " has other axes than data, " + text(x));
    Shape y = shape_;
    for (std::size_t i = 0; i < x.size(); ++i)
      if (y[i] == 0) y[i] = x[i];  // 0 keeps an extent
    return y;
  }

 private:
  Shape shape_;
};

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(broadcast_axis, BroadcastAxis)
SVRG_DEFINE_OPERATOR(broadcast_to, BroadcastTo)
