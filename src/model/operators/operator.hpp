#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "svrg/core/error.hpp"
#include "svrg/core/options.hpp"
#include "svrg/core/random.hpp"
#include "svrg/core/types.hpp"
#include "svrg/data/batch.hpp"

namespace svrg::ops {

/// Extents by axis, row-major; axis 0 of a batch counts its rows. While shapes are inferred an
/// extent of 0 and a shape without axes are not known yet.
using Shape = std::vector<Index>;

Index size_of(std::span<const Index> shape);  // product of the extents
bool known(const Shape& shape);
std::string text(const Shape& shape);  // "(2, 3)"
/// "arg0", "arg1", …
std::vector<std::string> numbered_names(const std::string& stem, Index count);
/// Makes both say what either knows. @throws ConfigError "<what>: (2, 3) against (2, 4)"
void unify(Shape& a, Shape& b, std::string_view what);

/// The shapes around one node, in the order of inputs(), outputs() and auxiliaries().
struct Shapes {
  std::vector<Shape> in, out, aux;
};

/// What a node reads. Where `csr` is given the rows are sparse and `data` is null (only for inputs
/// that takes_csr() admits).
template <class Real>
struct Source {
  const Real* data = nullptr;
  std::span<const Index> shape;
  const CsrRows<Real>* csr = nullptr;
  Index size() const { return size_of(shape); }
  Index rows() const { return shape[0]; }
  Index row_size() const { return size() / (shape[0] > 0 ? shape[0] : 1); }
};

/// What a node writes. A gradient that nobody wants has no data.
template <class Real>
struct Target {
  Real* data = nullptr;
  std::span<const Index> shape;
  /// A gradient that has no value yet: to be written, not added to. Only for operators that
  /// begin_gradients().
  bool begins = false;
  explicit operator bool() const { return data != nullptr; }
  Index size() const { return size_of(shape); }
};

/// One evaluation of one node. Local.
template <class Real>
struct Call {
  std::span<const Source<Real>> in;
  std::span<const Target<Real>> out;  // forward: to be overwritten; backward: as forward left it
  std::span<const Target<Real>> aux;  // running statistics
  std::span<const Source<Real>> out_grad;  // backward only; no data where it is zero throughout
  std::span<const Target<Real>> in_grad;   // backward only: to be ADDED to, where it has data
  bool training = true;
  bool move_aux = false;  // running statistics may move (not in evaluations at a snapshot)
  /// Random numbers of this node: the same in every evaluation of a row in a step, on any rank.
  CounterRandom random{0, 0};
  std::span<const Index> global_rows = {};  // numbers of the batch's rows in the data set
  Index batch_rows = 0;    // of the whole batch of which these are some; 0: these are all
  double loss_weight = 1;  // backward only: a loss multiplies its gradient by it

  /// What is `count` for these rows, for the whole batch.
  Index whole(Index count) const {
    const auto own = static_cast<Index>(global_rows.size());
    return batch_rows > 0 && own > 0 ? count * batch_rows / own : count;
  }
  /// A number for row r of `rows` along axis 0 that belongs to the row of the batch, even where a
  /// reshape made several of each.
  Index row_number(Index r, Index rows) const {
    const auto n = static_cast<Index>(global_rows.size());
    if (n == 0 || rows % n != 0) return r;
    const Index each = rows / n;
    return global_rows[static_cast<std::size_t>(r / each)] * each + r % each;
  }
};

/// What a row of the outputs takes of an input: the row of the same number, or all of it; or that
/// is not said.
enum class Takes { row, all, unknown };

/// The operator of one node, made from the node's attributes: names and shapes for the symbol,
/// values and gradients for the executor. One object serves one node; it may keep scratch memory,
/// sized in bind(), and what forward() leaves there for the backward() that follows.
template <class Real>
class Operator {
 public:
  virtual ~Operator() = default;
  // Of the attributes alone.
  virtual std::vector<std::string> inputs() const { return {"data"}; }
  virtual std::vector<std::string> auxiliaries() const { return {}; }
  virtual std::vector<std::string> outputs() const { return {"output"}; }
  /// Fills in whatever follows from what is known, inputs from outputs too where they do.
  /// @throws ConfigError on a contradiction; the caller puts the node's name before the message.
  virtual void infer(Shapes& shapes) const = 0;
  /// May input i be CSR?
  virtual bool takes_csr(std::size_t) const { return false; }
  /// The output is input 0 under another shape, in the same memory: forward() is not called.
  virtual bool is_view() const { return false; }
  /// Does backward() read these? What it does not read may be overwritten before.
  virtual bool backward_reads_input(std::size_t) const { return true; }
  virtual bool backward_reads_output() const { return true; }
  /// Where all inputs say `row` or `all`, a batch may be evaluated in any pieces of its rows.
  virtual Takes takes(std::size_t) const { return Takes::unknown; }
  /// Does backward() heed Target::begins?
  virtual bool begins_gradients() const { return false; }
  /// The input whose values name the rows (along axis 0) of input i that forward() reads and
  /// outside of which its gradient is 0, so that this one may be row_sparse; none where any may be
  /// read. `declared`: the variable there is of stype row_sparse.
  virtual std::optional<std::size_t> rows_named_by(std::size_t, bool /*declared*/) const {
    return {};
  }
  /// Adds them, in any order, for such values.
  virtual void name_rows(const Source<Real>&, std::vector<Index>&) const {}
  /// backward() ignores out_grad: the node ends in a loss of its own.
  virtual bool is_loss() const { return false; }
  /// Sizes scratch memory for complete shapes; again when the shapes change.
  virtual void bind(const Shapes&) {}
  virtual void forward(const Call<Real>& call) = 0;
  virtual void backward(const Call<Real>& call) = 0;
  /// After forward(): the value whose gradient backward() gives, summed over the rows; loss
  /// operators only.
  virtual double loss(const Call<Real>&) const { return 0; }
};

/// What the registry knows of an operator.
struct Definition {
  std::unique_ptr<Operator<float>> (*make_float)(const Options&, const std::string& owner);
  std::unique_ptr<Operator<double>> (*make_double)(const Options&, const std::string& owner);
  /// Not empty: takes any number of inputs, and this attribute says how many ("num_args").
  std::string_view counts_inputs = {};
};

/// The definition by name or alias; null where there is none.
const Definition* find_operator(std::string_view name);
/// What an alias stands for; other names are returned as they are.
std::string_view canonical_name(std::string_view name);
/// All names, sorted, for messages.
std::vector<std::string_view> operator_names();

/// `owner` opens the messages of OptionReader: "FullyConnected 'fc1'".
template <class Real>
std::unique_ptr<Operator<Real>> make_operator(const Definition& definition,
                                              const Options& attributes, const std::string& owner) {
  if constexpr (std::is_same_v<Real, float>)
    return definition.make_float(attributes, owner);
  else
    return definition.make_double(attributes, owner);
}

}  // namespace svrg::ops

/// Ends an operator's file: Class<Real> has a constructor from an OptionReader&. Attributes that it
/// does not read are refused. The third argument, if any, is Definition::counts_inputs.
#define SVRG_DEFINE_OPERATOR(name, Class, ...)                                              \
  namespace svrg::ops {                                                                     \
  template <class Real>                                                                     \
  std::unique_ptr<Operator<Real>> make_##name(const Options& o, const std::string& who) {   \
    OptionReader reader(who, o);                                                            \
    auto made = std::make_unique<Class<Real>>(reader);                                      \
    reader.done();                                                                          \
    return made;                                                                            \
  }                                                                                         \
  extern const Definition name##_definition;                                                \
  const Definition name##_definition{make_##name<float>, make_##name<double>, __VA_ARGS__}; \
  }
