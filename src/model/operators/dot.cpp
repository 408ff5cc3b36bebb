// Matrix products: the last axis of lhs with the first of rhs, either transposed first (its axes in
// reverse for matrices). lhs may be CSR.
#include "model/operators/gemm.hpp"
#include "model/operators/operator.hpp"

namespace svrg::ops {
namespace {

template <class Real>
class Dot : public Operator<Real> {
 public:
  explicit Dot(OptionReader& o)
      : ta_(o.flag("transpose_a", false)), tb_(o.flag("transpose_b", false)) {
    o.ignore("forward_stype");
  }
  std::vector<std::string> inputs() const override { return {"lhs", "rhs"}; }
  bool takes_csr(std::size_t input) const override { return input == 0; }
  bool backward_reads_output() const override { return false; }
  std::optional<std::size_t> rows_named_by(std::size_t input, bool declared) const override {
    if (input == 1 && declared && !ta_ && !tb_) return 0;
    return {};
  }
  void name_rows(const Source<Real>& lhs, std::vector<Index>& rows) const override {
    if (lhs.csr) return each(*lhs.csr, [&](Index, Index column, Real) { rows.push_back(column); });
    for (Index i = 0; i < lhs.size(); ++i)
      if (lhs.data[i] != 0) rows.push_back(i % k_);
  }
  void infer(Shapes& s) const override {
    const Shape &a = s.in[0], &b = s.in[1];
    if (a.empty() || b.empty()) return;
    if ((ta_ && a.size() != 2) || (tb_ && b.size() != 2))
      throw ConfigError("transpose_a and transpose_b are for matrices");
    Index& inner_a = ta_ ? s.in[0].front() : s.in[0].back();
    Index& inner_b = tb_ ? s.in[1].back() : s.in[1].front();
    if (inner_a == 0) inner_a = inner_b;
    if (inner_b == 0) inner_b = inner_a;
    if (inner_a != inner_b) throw ConfigError("lhs " + text(a) + " against rhs " + text(b));
    Shape y = ta_ ? Shape{a[1]} : Shape(a.begin(), a.end() - 1);
    if (tb_)
      y.push_back(b[0]);
    else
      y.insert(y.end(), b.begin() + 1, b.end());
    if (y.empty()) y = {1};
    unify(s.out[0], y, "output");
  }
  void bind(const Shapes& s) override {
    k_ = ta_ ? s.in[0].front() : s.in[0].back();
    m_ = size_of(s.in[0]) / k_;
    n_ = size_of(s.in[1]) / k_;
  }
  void forward(const Call<Real>& c) override {
    Real* y = c.out[0].data;
    if (const auto* a = c.in[0].csr) {
      const Eigen::Map<const RowMatrix<Real>> b(c.in[1].data, tb_ ? n_ : k_, tb_ ? k_ : n_);
      Eigen::Map<RowMatrix<Real>> out(y, m_, n_);
      out.setZero();
      each(*a, [&](Index row, Index column, Real v) {
        const Index to = ta_ ? column : row, from = ta_ ? row : column;
        if (tb_)
          out.row(to) += v * b.col(from).transpose();
        else
          out.row(to) += v * b.row(from);
      });
      return;
    }
    gemm(as(ta_), as(tb_), m_, n_, k_, Real{1}, c.in[0].data, ta_ ? m_ : k_, c.in[1].data,
         tb_ ? k_ : n_, Real{0}, y, n_);
  }
  void backward(const Call<Real>& c) override {
    const Real* dy = c.out_grad[0].data;
    if (!dy) return;
    const Real *a = c.in[0].data, *b = c.in[1].data;
    const Index lda = ta_ ? m_ : k_, ldb = tb_ ? k_ : n_;
    if (c.in_grad[0]) {  // dA = dY op(B)ᵀ, stored transposed where A is
      if (ta_)
        gemm(as(tb_), Transpose::yes, k_, m_, n_, Real{1}, b, ldb, dy, n_, Real{1},
             c.in_grad[0].data, m_);
      else
        gemm(Transpose::no, as(!tb_), m_, k_, n_, Real{1}, dy, n_, b, ldb, Real{1},
             c.in_grad[0].data, k_);
    }
    if (!c.in_grad[1]) return;
    if (const auto* rows = c.in[0].csr) {
      const Eigen::Map<const RowMatrix<Real>> d(dy, m_, n_);
      Eigen::Map<RowMatrix<Real>> db(c.in_grad[1].data, tb_ ? n_ : k_, tb_ ? k_ : n_);
      each(*rows, [&](Index row, Index column, Real v) {
        const Index from = ta_ ? column : row, to = ta_ ? row : column;
        if (tb_)
          db.col(to) += v * d.row(from).transpose();
        else
          db.row(to) += v * d.row(from);
      });
      return;
    }
    if (tb_)
      gemm(Transpose::yes, as(ta_), n_, k_, m_, Real{1}, dy, n_, a, lda, Real{1}, c.in_grad[1].data,
           k_);
    else
      gemm(as(!ta_), Transpose::no, k_, n_, m_, Real{1}, a, lda, dy, n_, Real{1}, c.in_grad[1].data,
           n_);
  }

 private:
  static Transpose as(bool transposed) { return transposed ? Transpose::yes : Transpose::no; }
  template <class Body>
  static void each(const CsrRows<Real>& a, const Body& body) {
    for (Index i = 0; i < a.rows; ++i)
      for (Index e = a.starts[i]; e < a.starts[i + 1]; ++e) body(i, a.indices[e], a.values[e]);
  }
  bool ta_, tb_;
  Index m_ = 0, n_ = 0, k_ = 0;
};

}  // namespace
}  // namespace svrg::ops

SVRG_DEFINE_OPERATOR(dot, Dot)
