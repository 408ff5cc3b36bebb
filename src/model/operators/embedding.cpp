// Row number `data` of the weights. Numbers outside are taken as the nearest row.
#include <algorithm>

#include "model/operators/operator.hpp"

namespace svrg::ops {
namespace {

template <class Real>
class Embedding : public Operator<Real> {
 public:
  explicit Embedding(OptionReader& o)
      : rows_(o.required_integer("input_dim")), columns_(o.required_integer("output_dim")) {
    o.ignore("dtype");
    sparse_ = o.flag("sparse_grad", false);
    if (rows_ < 1 || columns_ < 1) o.fail("input_dim", "and output_dim must be at least 1");
  }
  std::vector<std::string> inputs() const override { return {"data", "weight"}; }
  bool backward_reads_input(std::size_t input) const override { return input == 0; }
  bool backward_reads_output() const override { return false; }
  std::optional<std::size_t> rows_named_by(std::size_t input, bool declared) const override {
    if (input == 1 && (sparse_ || declared)) return 0;
    return {};
  }
  void name_rows(const Source<Real>& numbers, std::vector<Index>& rows) const override {
    for (Index i = 0; i < numbers.size(); ++i) rows.push_back(row(numbers.data[i]));
  }
  void infer(Shapes& s) const override {
    Shape w{rows_, columns_};
    unify(s.in[1], w, "weight");
    if (s.in[0].empty()) return;
    Shape y = s.in[0];
    y.push_back(columns_);
    unify(s.out[0], y, "output");
  }
  void forward(const Call<Real>& c) override {
    for (Index i = 0; i < c.in[0].size(); ++i)
      std::copy_n(c.in[1].data + row(c.in[0].data[i]) * columns_, columns_,
                  c.out[0].data + i * columns_);
  }
  void backward(const Call<Real>& c) override {
    const Real* dy = c.out_grad[0].data;
    if (!dy || !c.in_grad[1]) return;
    for (Index i = 0; i < c.in[0].size(); ++i) {
      Real* to = c.in_grad[1].data + row(c.in[0].data[i]) * columns_;
      for (Index k = 0; k < columns_; ++k) to[k] += dy[i * columns_ + k];
    }
  }

 private:
  Index row(Real number) const {
    const Real last = static_cast<Real>(rows_ - 1);
    return number > 0 ? static_cast<Index>(std::min(number, last)) : 0;
  }
  Index rows_, columns_;
  bool sparse_;
};

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(Embedding, Embedding)
