#pragma once
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "svrg/core/options.hpp"
#include "svrg/core/types.hpp"
#include "svrg/model/operators.hpp"

namespace svrg {

namespace graph {
struct Node;
}

/// What a variable of a symbol may say of itself; all of it is optional.
struct VariableOptions {
  std::vector<Index> shape{};
  std::optional<double> lr_mult{}, wd_mult{};
  std::string init{};    // an initializer: "zeros" or ["normal", {"sigma": 0.01}]
  std::string stype{};   // "row_sparse": so is the gradient, where few rows are read; or "default"
  Options attributes{};  // further ones, "__storage_type__" and the like
};

/// Shapes by position in list_arguments(), list_outputs() and list_auxiliary_states().
struct InferredShapes {
  std::vector<std::vector<Index>> arguments, outputs, auxiliaries;
};

/// A network as a value: outputs of a graph of operators over named variables. Copies share nodes.
/// As MXNet's mx.sym.Symbol. Local.
class Symbol {
 public:
  /// One output of a node.
  struct Entry {
    std::shared_ptr<const graph::Node> node;
    Index output = 0;
  };

  /// A free argument of the graph: data, a label or a parameter.
  static Symbol variable(std::string name, const VariableOptions& options = {});
  /// Several symbols as one with all their outputs.
  static Symbol group(const std::vector<Symbol>& symbols);
  /// MXNet's symbol.json, of versions 0.8 to 1.9. @throws DataError naming `source` and the node.
  static Symbol from_json(const std::string& text, const std::string& source = "symbol.json");
  /// The same from a file. @throws DataError
  static Symbol load(const std::string& path);
  /// The text of a symbol.json, of version 1.9.1.
  std::string to_json() const;

  /// Of the only output's node; empty for a group.
  std::string name() const;
  std::vector<std::string> list_arguments() const;
  std::vector<std::string> list_outputs() const;
  std::vector<std::string> list_auxiliary_states() const;
  /// Attributes of the nodes that have some, by node name: "__lr_mult__" of "fc1_bias".
  std::map<std::string, std::map<std::string, std::string>> attr_dict() const;
  Index outputs() const noexcept { return static_cast<Index>(heads_.size()); }
  Symbol operator[](Index output) const;
  Symbol operator[](std::string_view output_name) const;
  /// Every node's outputs, in order of evaluation.
  Symbol get_internals() const;

  /// @param shapes  of arguments by name; an extent of 0 is to be found out
  /// @throws ConfigError naming the node where shapes contradict each other, or the argument whose
  ///         shape does not follow, or a name that is not an argument.
  InferredShapes infer_shape(const std::map<std::string, std::vector<Index>>& shapes) const;
  /// The same, but what does not follow is left unknown (no axes, or extents of 0).
  InferredShapes infer_shape_partial(const std::map<std::string, std::vector<Index>>& shapes) const;

  const std::vector<Entry>& heads() const noexcept { return heads_; }
  explicit Symbol(std::vector<Entry> heads) : heads_(std::move(heads)) {}

 private:
  std::vector<Entry> heads_;
};

/// Building symbols as with mx.sym: an operator is called with its inputs by position, and with
/// inputs by name, attributes and the node's name as keyword arguments:
///   auto fc1 = sym::FullyConnected({{"data", x}, {"num_hidden", 128}, {"name", "fc1"}});
///   auto act = sym::Activation(fc1, {{"act_type", "relu"}});
/// Inputs that are not given become variables "<node>_<input>". Attributes that begin with two
/// underscores are kept for whoever reads them ("__ctx_group__").
namespace sym {

/// A keyword argument: an input or an attribute.
struct Argument {
  template <class T>
  Argument(std::string n, T&& v) : name(std::move(n)), value(wrap(std::forward<T>(v))) {}
  template <class T>
  Argument(std::string n, std::initializer_list<T> v) : name(std::move(n)), value(Value(v)) {}
  std::string name;
  std::variant<Symbol, Value> value;

 private:
  static std::variant<Symbol, Value> wrap(const Symbol& s) { return s; }
  static std::variant<Symbol, Value> wrap(const Value& v) { return v; }
};
using Arguments = std::initializer_list<Argument>;

/// @throws ConfigError on an unknown operator, input or attribute, naming the nearest.
Symbol apply(std::string_view operator_name, const std::vector<Symbol>& inputs,
             const std::vector<Argument>& arguments);

/// An operator by name, to be called.
struct Caller {
  const char* name;
  Symbol operator()(Arguments arguments) const { return apply(name, {}, arguments); }
  Symbol operator()(const Symbol& a, Arguments arguments = {}) const {
    return apply(name, {a}, arguments);
  }
  Symbol operator()(const Symbol& a, const Symbol& b, Arguments arguments = {}) const {
    return apply(name, {a, b}, arguments);
  }
  Symbol operator()(const std::vector<Symbol>& inputs, Arguments arguments = {}) const {
    return apply(name, inputs, arguments);
  }
};
#define SVRG_CALLER(name, source) inline constexpr Caller name{#name};
SVRG_OPERATORS(SVRG_CALLER)
SVRG_OPERATOR_ALIASES(SVRG_CALLER)
#undef SVRG_CALLER

/// A free argument, as mx.sym.Variable.
inline Symbol Variable(std::string name, const VariableOptions& options = {}) {
  return Symbol::variable(std::move(name), options);
}
/// The same.
inline Symbol var(std::string name, const VariableOptions& options = {}) {
  return Symbol::variable(std::move(name), options);
}
/// Several symbols as one, as mx.sym.Group.
inline Symbol Group(const std::vector<Symbol>& symbols) { return Symbol::group(symbols); }

/// Names of nodes without one, "fullyconnected0", count from 0 in this thread while it lives, and
/// go on as before afterwards. As `with mx.name.NameManager()`.
class NameManager {
 public:
  NameManager();
  ~NameManager();
  NameManager(const NameManager&) = delete;
  NameManager& operator=(const NameManager&) = delete;

 private:
  std::map<std::string, Index> outer_;
};

}  // namespace sym

Symbol operator+(const Symbol& a, const Symbol& b);
Symbol operator-(const Symbol& a, const Symbol& b);
Symbol operator*(const Symbol& a, const Symbol& b);
Symbol operator/(const Symbol& a, const Symbol& b);
Symbol operator+(const Symbol& a, double b);
Symbol operator-(const Symbol& a, double b);
Symbol operator*(const Symbol& a, double b);
Symbol operator/(const Symbol& a, double b);
Symbol operator+(double a, const Symbol& b);
Symbol operator-(double a, const Symbol& b);
Symbol operator*(double a, const Symbol& b);
Symbol operator/(double a, const Symbol& b);
Symbol operator-(const Symbol& a);

}  // namespace svrg
