// Everything that a State holds comes back bit for bit, so names that would collide or be changed
// on the way are refused when writing.
#include "io/schema.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "io/path.hpp"
#include "svrg/core/error.hpp"

namespace svrg::io {
namespace {

constexpr std::string_view state_group = "state";
constexpr std::array<std::string_view, 3> texts = {"config", "manifest", "symbol"};
constexpr std::array<std::string_view, 7> root_values = {
    "kind", "intercept", "penalised_intercept", "n_features", "l2", "l1", "huber_delta"};

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  for (const auto candidate : names)
    if (candidate == name) return true;
  return false;
}

bool has_length(const State& state, const std::string& name, Index length) {
  const auto found = state.arrays.find(name);
  return found != state.arrays.end() && found->second.shape == std::vector<Index>{length};
}

// Names of axes where the path says what they are; the others are named by their length.
std::vector<std::string> axes_of(const State& state, const std::string& path, const Array& array) {
  const auto& shape = array.shape;
  std::vector<std::string> axes(shape.size());
  const std::string_view leaf = leaf_of(path);
  const auto features = state.values.find("n_features");
  const auto is_feature = [&](Index n) {
    const auto* d =
        features == state.values.end() ? nullptr : std::get_if<Index>(&features->second);
    return (d && *d == n) || has_length(state, "feature_name", n);
  };
  if (path == "class" && shape.size() == 1) {
    axes[0] = "class";
  } else if ((path == "feature_name" || group_of(path) == "preprocess") && shape.size() == 1) {
    axes[0] = "feature";
  } else if (group_of(path) == "history" && !shape.empty() &&
             has_length(state, "history/epoch", shape[0])) {
    axes[0] = "epoch";
  } else if ((leaf == "weight" && shape.size() == 2) || (leaf == "bias" && shape.size() == 1)) {
    axes[0] = has_length(state, "class", shape[0]) ? "class" : "output";
    if (leaf == "weight" && is_feature(shape[1])) axes[1] = "feature";
  }
  for (auto& axis : axes)  // a variable of that name is no dimension, but for the two that are
    if (axis != leaf && axis != "class" && axis != "epoch" &&
        state.arrays.contains(join(group_of(path), axis)))
      axis.clear();
  return axes;
}

void add_value(Document& document, const std::string& name, const State::Value& value) {
  const Attribute attribute = std::visit([](const auto& v) { return Attribute(v); }, value);
  if (is_one_of(name, texts)) {
    const auto* text = std::get_if<std::string>(&value);
    if (!text) throw OutputError("the state's '" + name + "' is no text");
    document.variables[name].data = Array{{}, std::vector<std::string>{*text}};
  } else if (is_one_of(name, root_values)) {
    document.attributes[name] = attribute;
  } else if (name.find('/') == std::string::npos) {
    document.groups[std::string(state_group)][name] = attribute;
  } else {
    const std::string group(group_of(name));
    if (group == state_group)
      throw OutputError("the state's value '" + name + "' would come back as '" +
                        std::string(leaf_of(name)) + "'");
    document.groups[group][std::string(leaf_of(name))] = attribute;
  }
}

std::optional<State::Value> to_value(const Attribute& attribute) {
  return std::visit(
      []<class T>(const T& value) -> std::optional<State::Value> {
        if constexpr (std::is_constructible_v<State::Value, T>)
          return State::Value(value);
        else
          return {};
      },
      attribute);
}

}  // namespace

Document to_document(const State& state, const std::string& format, const std::string& title) {
  Document document;
  document.attributes = root_attributes(format, title);
  document.groups[std::string(state_group)];
  for (const auto& [path, array] : state.arrays) {
    if (!is_plain_path(path) || is_one_of(path, texts))
      throw OutputError("the state's array '" + path + "' has a name that cannot be a dataset's");
    Variable& variable = document.variables[path];
    variable.data = array;
    variable.axes = axes_of(state, path, array);
  }
  for (const auto& [name, value] : state.values) {
    if (!is_plain_path(name))
      throw OutputError("the state's value '" + name +
                        "' has a name that cannot be an attribute's");
    add_value(document, name, value);
  }
  return document;
}

State to_state(Document document, const std::string& name) {
  State state;
  for (auto& [path, variable] : document.variables) {
    if (!is_one_of(path, texts)) {
      state.arrays.emplace(path, std::move(variable.data));
      continue;
    }
    const auto* text = std::get_if<std::vector<std::string>>(&variable.data.data);
    if (!text || text->size() != 1)
      throw DataError(fmt::format("{}: /{} is not one string", name, path));
    state.values.emplace(path, text->front());
  }
  for (const auto root_value : root_values)
    if (const auto found = document.attributes.find(std::string(root_value));
        found != document.attributes.end())
      if (auto value = to_value(found->second)) state.values.emplace(root_value, *value);
  for (const auto& [path, attributes] : document.groups)
    for (const auto& [key, attribute] : attributes)
      if (auto value = to_value(attribute))
        state.values.emplace(path == state_group ? key : join(path, key), *value);
  return state;
}

}  // namespace svrg::io
