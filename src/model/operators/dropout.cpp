// A kept element is scaled by 1/(1 − p). The mask is drawn for (node, step, row, place), so that
// the evaluations of a row at the weights and at the snapshot see the same one, on any rank.
#include <algorithm>

#include "model/operators/operator.hpp"

namespace svrg::ops {
namespace {

template <class Real>
class Dropout : public Operator<Real> {
 public:
  explicit Dropout(OptionReader& o)
      : p_(o.real("p", 0.5)),
        always_(o.choice("mode", "training", {"training", "always"}) == "always"),
        shared_axes_(o.tuple("axes", {})) {
    if (!(p_ >= 0 && p_ < 1)) o.fail("p", "must be in [0, 1)");
    o.ignore("cudnn_off");
    shares_rows_ = std::find(shared_axes_.begin(), shared_axes_.end(), 0) != shared_axes_.end();
  }
  void infer(Shapes& s) const override { unify(s.in[0], s.out[0], "output"); }
  Takes takes(std::size_t) const override {
    return shared_axes_.empty() ? Takes::row : Takes::unknown;
  }
  bool backward_reads_input(std::size_t) const override { return false; }
  bool backward_reads_output() const override { return false; }
  void bind(const Shapes& s) override {
    mask_.assign(static_cast<std::size_t>(size_of(s.out[0])), Real{1});
  }
  void forward(const Call<Real>& c) override {
    const Index n = c.out[0].size();
    active_ = p_ > 0 && (c.training || always_);
    if (active_) draw(c);
    for (Index i = 0; i < n; ++i)
      c.out[0].data[i] =
          active_ ? c.in[0].data[i] * mask_[static_cast<std::size_t>(i)] : c.in[0].data[i];
  }
  void backward(const Call<Real>& c) override {
    const Real* dy = c.out_grad[0].data;
    if (!dy || !c.in_grad[0]) return;
    const Index n = c.out_grad[0].size();
    for (Index i = 0; i < n; ++i)
      c.in_grad[0].data[i] += active_ ? dy[i] * mask_[static_cast<std::size_t>(i)] : dy[i];
  }

 private:
  // Along a shared axis all places have the draw of its place 0.
  Index place(std::span<const Index> shape, Index i) const {
    if (shared_axes_.empty()) return i;
    Index at = 0, stride = 1;
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      const Index coordinate = i % shape[axis];
      const bool shared = std::find(shared_axes_.begin(), shared_axes_.end(),
                                    static_cast<Index>(axis)) != shared_axes_.end();
      if (!shared) at += coordinate * stride;
      stride *= shape[axis];
      i /= shape[axis];
    }
    return at;
  }
  void draw(const Call<Real>& c) {
    const auto shape = c.out[0].shape;
    const Index rows = shape[0], row_size = c.out[0].size() / std::max<Index>(rows, 1);
    const Real kept = static_cast<Real>(1 / (1 - p_));
    for (Index r = 0; r < rows; ++r)
      for (Index j = 0; j < row_size; ++j) {
        const Index at = place(shape, r * row_size + j);
        const Index row = at / row_size;
        const Index number = shares_rows_ ? 0 : c.row_number(row, rows);
        const auto counter = static_cast<std::uint64_t>(number * row_size + at % row_size);
        mask_[static_cast<std::size_t>(r * row_size + j)] =
            c.random.uniform(counter) < p_ ? Real{0} : kept;
      }
  }
  double p_;
  bool always_, active_ = false, shares_rows_ = false;
  std::vector<Index> shared_axes_;
  std::vector<Real> mask_;
};

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(Dropout, Dropout)
