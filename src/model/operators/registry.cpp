#include <algorithm>
#include <map>
#include <numeric>

#include "model/operators/operator.hpp"
#include "svrg/model/operators.hpp"

namespace svrg::ops {

#define SVRG_DECLARE(name, file) extern const Definition name##_definition;
SVRG_OPERATORS(SVRG_DECLARE)
#undef SVRG_DECLARE

namespace {

using Registry = std::map<std::string_view, const Definition*>;

const Registry& registry() {
  static const Registry all = [] {
    Registry r;
#define SVRG_ENTER(name, file) r[#name] = &name##_definition;
    SVRG_OPERATORS(SVRG_ENTER)
#undef SVRG_ENTER
#define SVRG_ENTER(alias, name) r[#alias] = &name##_definition;
    SVRG_OPERATOR_ALIASES(SVRG_ENTER)
#undef SVRG_ENTER
    return r;
  }();
  return all;
}

}  // namespace

const Definition* find_operator(std::string_view name) {
  const auto at = registry().find(name);
  return at == registry().end() ? nullptr : at->second;
}

std::string_view canonical_name(std::string_view name) {
#define SVRG_ANSWER(alias, original) \
  if (name == #alias) return #original;
  SVRG_OPERATOR_ALIASES(SVRG_ANSWER)
#undef SVRG_ANSWER
  return name;
}

std::vector<std::string_view> operator_names() {
  std::vector<std::string_view> names;
  for (const auto& [name, definition] : registry()) names.push_back(name);
  return names;
}

Index size_of(std::span<const Index> shape) {
  return std::accumulate(shape.begin(), shape.end(), Index{1}, std::multiplies<>());
}

bool known(const Shape& shape) {
  return !shape.empty() && std::none_of(shape.begin(), shape.end(), [](Index n) { return n == 0; });
}

std::string text(const Shape& shape) {
  std::string out = "(";
  for (const Index n : shape) out += (out.size() > 1 ? ", " : "") + std::to_string(n);
  return out + (shape.size() == 1 ? ",)" : ")");
}

std::vector<std::string> numbered_names(const std::string& stem, Index count) {
  std::vector<std::string> names;
  for (Index i = 0; i < count; ++i) names.push_back(stem + std::to_string(i));
  return names;
}

void unify(Shape& a, Shape& b, std::string_view what) {
  if (a.empty()) a = b;
  if (b.empty()) b = a;
  bool fits = a.size() == b.size();
  for (std::size_t i = 0; fits && i < a.size(); ++i) {
    if (a[i] == 0) a[i] = b[i];
    if (b[i] == 0) b[i] = a[i];
    fits = a[i] == b[i];
  }
  if (!fits) throw ConfigError(std::string(what) + ": shape " + text(a) + " against " + text(b));
}

}  // namespace svrg::ops
