// A box out of an array: slice (begin, end, step by axis) and slice_axis.
#include <algorithm>

#include "model/operators/strided.hpp"

namespace svrg::ops {
namespace {

template <class Real>
class Box : public Strided<Real> {
 public:
  void infer(Shapes& s) const override {
    const Shape& x = s.in[0];
    if (!known(x)) return;
    Shape y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) y[i] = range(x, i).count;
    unify(s.out[0], y, "output");
  }

 protected:
  struct Range {
    Index begin, count, step;
  };
  virtual Range range(const Shape& x, std::size_t axis) const = 0;
  /// Ends that count from the end, or were left out, become places.
  static Range resolve(Index n, const Value& begin, const Value& end, Index step) {
    // Python's rule: what lies outside is taken as the nearest end.
    const auto place = [&](const Value& v, Index otherwise) {
      const auto* whole = std::get_if<std::int64_t>(&v.held());
      if (!whole) return otherwise;
      const Index at = *whole < 0 ? *whole + n : *whole;
      return step > 0 ? std::clamp<Index>(at, 0, n) : std::clamp<Index>(at, -1, n - 1);
    };
    if (step == 0) throw ConfigError("step must not be 0");
    const Index from = place(begin, step > 0 ? 0 : n - 1);
    const Index to = place(end, step > 0 ? n : -1);
    const Index count = step > 0 ? (to - from + step - 1) / step : (from - to - step - 1) / -step;
    if (count < 1) throw ConfigError("begin and end leave nothing");
    return {from, count, step};
  }

 private:
  void place(const Shapes& s, Index& start, std::vector<Index>& strides) const override {
    for (std::size_t i = 0; i < strides.size(); ++i) {
      const Range r = range(s.in[0], i);
      start += r.begin * strides[i];
      strides[i] *= r.step;
    }
  }
};

/// "(0, None, -2)" as values.
std::vector<Value> list_of(OptionReader& o, const char* name) {
  std::vector<Value> values;
  std::string item;
  for (const char c : o.text(name, "") + ",") {
    if (c == ',') {
      if (item == "None") {
        values.emplace_back();
      } else if (!item.empty()) {
        const Options one{{name, item}};
        values.emplace_back(OptionReader("slice", one).integer(name, 0));
      }
      item.clear();
    } else if (c != '(' && c != ')' && c != '[' && c != ']' && c != ' ') {
      item += c;
    }
  }
  return values;
}

template <class Real>
class Slice : public Box<Real> {
 public:
  explicit Slice(OptionReader& o)
      : begin_(list_of(o, "begin")), end_(list_of(o, "end")), step_(list_of(o, "step")) {
    if (begin_.empty() || begin_.size() != end_.size())
      o.fail("begin", "and end must name as many axes");
  }

 protected:
  typename Box<Real>::Range range(const Shape& x, std::size_t axis) const override {
    if (begin_.size() > x.size()) throw ConfigError("begin names more axes than data has");
    if (axis >= begin_.size()) return {0, x[axis], 1};
    const auto* step =
        axis < step_.size() ? std::get_if<std::int64_t>(&step_[axis].held()) : nullptr;
    return this->resolve(x[axis], begin_[axis], end_[axis], step ? *step : 1);
  }

 private:
  std::vector<Value> begin_, end_, step_;
};

template <class Real>
class SliceAxis : public Box<Real> {
 public:
  explicit SliceAxis(OptionReader& o)
      : axis_(o.required_integer("axis")), begin_(Value(o.integer("begin", 0))) {
    if (o.has("end")) end_ = Value(o.integer("end", 0));
  }

 protected:
  typename Box<Real>::Range range(const Shape& x, std::size_t axis) const override {
    if (axis != axis_at(axis_, x.size())) return {0, x[axis], 1};
    return this->resolve(x[axis], begin_, end_, 1);
  }

 private:
  Index axis_;
  Value begin_, end_;
};

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(slice, Slice)
SVRG_DEFINE_OPERATOR(slice_axis, SliceAxis)
