// Model files and checkpoints hold a model in one schema: both go through a State here.
#include "svrg/io/model_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "io/path.hpp"
#include "svrg/core/error.hpp"

namespace svrg::io {
namespace {

constexpr const char* linear_weight = "linear_weight";
constexpr std::string_view parameter_group = "params";
constexpr std::array<std::string_view, 2> endings = {"weight", "bias"};
constexpr std::array<const char*, 11> own_values = {
    "kind",        "intercept", "penalised_intercept", "n_features", "l2",      "l1",
    "huber_delta", "symbol",    "precision",           "config",     "manifest"};

Parameter parameter_of(const std::string& name, const Array& array, bool penalised_intercept) {
  Parameter parameter;
  parameter.name = name;
  parameter.shape = array.shape;
  parameter.column_major = name == linear_weight && array.shape.size() == 2;
  if (name.ends_with("_bias") && !penalised_intercept) parameter.wd_mult = 0;
  return parameter;
}

// The order that linear models have: of each layer, weight before bias.
std::vector<std::pair<std::string, const Array*>> parameters_in(const State& state) {
  std::vector<std::pair<std::string, const Array*>> found;
  for (const auto& [path, array] : state.arrays)
    if (const std::string name = parameter_name(path); !name.empty())
      found.emplace_back(name, &array);
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    const auto key = [](std::string_view name) {
      const bool is_bias = name.ends_with("_bias"), is_weight = name.ends_with("_weight");
      return std::tuple(name.substr(0, name.size() - (is_bias     ? 5
                                                      : is_weight ? 7
                                                                  : 0)),
                        is_bias, name);
    };
    return key(a.first) < key(b.first);
  });
  return found;
}

void check_linear(const ModelRecord& model, const std::string& name) {
  const auto names = model.layout.all();
  const auto has = [&](std::string_view wanted) {
    return std::ranges::any_of(names, [&](const Parameter& p) { return p.name == wanted; });
  };
  if (!model.symbol.empty() || !has(linear_weight)) return;
  const auto& shape = model.layout.at(linear_weight).shape;
  if (shape.size() != 2 || shape[1] != model.features)
    throw DataError(fmt::format("{}: /params/linear/weight is not (classes, n_features = {})", name,
                                model.features));
  if (model.intercept != has("linear_bias"))
    throw DataError(name + ": the attribute intercept and /params/linear/bias disagree");
  if (model.intercept && model.layout.at("linear_bias").shape != std::vector<Index>{shape[0]})
    throw DataError(fmt::format("{}: /params/linear/bias has not {} values", name, shape[0]));
  const auto classes = static_cast<Index>(model.classes.size());
  if (classes != 0 && classes != std::max<Index>(shape[0], 2))
    throw DataError(
        fmt::format("{}: {} class labels for {} rows of weights", name, classes, shape[0]));
}

// Ours are doubles; a file from elsewhere may have floats or integers.
Vec<double> to_doubles(const State& state, const std::string& path) {
  return std::visit(
      [&]<class T>(const std::vector<T>& values) -> Vec<double> {
        if constexpr (std::is_arithmetic_v<T>)
          return Eigen::Map<const Vec<T>>(values.data(), static_cast<Index>(values.size()))
              .template cast<double>();
        else
          throw DataError("/" + path + " holds no numbers");
      },
      state.array(path).data);
}

// False also where there is a NaN.
bool ascends(const std::vector<double>& values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!(i == 0 ? std::isfinite(values[i]) : values[i - 1] < values[i])) return false;
  return true;
}

// Other programs write 0 and 1 as integers.
double real(const State& state, const std::string& key) {
  const auto found = state.values.find(key);
  const auto* whole = found == state.values.end() ? nullptr : std::get_if<Index>(&found->second);
  return whole ? static_cast<double>(*whole) : state.real(key);
}

std::string optional_text(const State& state, const std::string& key) {
  return state.values.contains(key) ? state.text(key) : std::string();
}

template <class T>
std::vector<T> optional_numbers(const State& state, const std::string& path) {
  if (!state.arrays.contains(path)) return {};
  const auto numbers = to_doubles(state, path);
  return {numbers.begin(), numbers.end()};
}

}  // namespace

std::string parameter_path(const std::string& name) {
  for (const auto ending : endings) {
    const auto layer = static_cast<std::ptrdiff_t>(name.size() - ending.size()) - 1;
    if (layer > 0 && name.ends_with(ending) && name[static_cast<std::size_t>(layer)] == '_')
      return fmt::format("{}/{}/{}", parameter_group,
                         name.substr(0, static_cast<std::size_t>(layer)), ending);
  }
  return fmt::format("{}/{}", parameter_group, name);
}

std::string parameter_name(const std::string& path) {
  if (!path.starts_with(std::string(parameter_group) + "/")) return {};
  std::string name = path.substr(parameter_group.size() + 1);
  const auto slash = name.rfind('/');
  if (slash == std::string::npos || std::ranges::count(endings, leaf_of(name)) == 0) return name;
  return fmt::format("{}_{}", name.substr(0, slash), leaf_of(name));
}

void add_model(State& state, const ModelRecord& model) {
  SVRG_EXPECT(model.weights.size() == model.layout.size(), "a model's weights fit its layout");
  for (const auto& parameter : model.layout.all()) {
    const Vec<double> values =
        to_row_major(parameter, model.weights.segment(parameter.offset, parameter.size));
    Array array = Array::vector<double>(values);
    array.shape = parameter.shape;
    state.arrays.insert_or_assign(parameter_path(parameter.name), std::move(array));
  }
  if (!model.classes.empty())
    state.arrays.insert_or_assign("class", Array::vector(std::vector<double>(model.classes)));
  if (!model.feature_names.empty())
    state.arrays.insert_or_assign("feature_name",
                                  Array::vector(std::vector<std::string>(model.feature_names)));
  if (!model.positive.empty())
    state.arrays.insert_or_assign("positive", Array::vector(std::vector<double>(model.positive)));
  for (const auto& [path, values] :
       {std::pair("preprocess/mean", &model.mean), std::pair("preprocess/scale", &model.scale)})
    if (!values->empty())
      state.arrays.insert_or_assign(path, Array::vector(std::vector<double>(*values)));
  if (!model.symbol.empty()) {
    state.values.insert_or_assign("symbol", model.symbol);
    state.values.insert_or_assign("precision", std::string(model.single ? "f32" : "f64"));
    state.arrays.insert_or_assign("input_shape",
                                  Array::vector(std::vector<Index>(model.input_shape)));
  }
  state.values.insert_or_assign("kind", model.kind);
  state.values.insert_or_assign("intercept", std::int64_t{model.intercept});
  state.values.insert_or_assign("penalised_intercept", std::int64_t{model.penalised_intercept});
  state.values.insert_or_assign("n_features", model.features);
  state.values.insert_or_assign("l2", model.l2);
  state.values.insert_or_assign("l1", model.l1);
  if (model.kind == "huber") state.values.insert_or_assign("huber_delta", model.huber_delta);
  if (const Calibration& c = model.calibration; !c.method.empty()) {
    state.values.insert_or_assign("calibration/method", c.method);
    state.values.insert_or_assign("calibration/slope", c.slope);
    state.values.insert_or_assign("calibration/offset", c.offset);
  }
  state.values.insert_or_assign("config", model.config);
  state.values.insert_or_assign("manifest", model.manifest);
  state.arrays.insert(model.summary.arrays.begin(), model.summary.arrays.end());
  state.values.insert(model.summary.values.begin(), model.summary.values.end());
}

ModelRecord model_from_state(const State& state, const std::string& name) {
  try {
    ModelRecord model;
    model.kind = state.text("kind");
    model.intercept = state.integer("intercept") != 0;
    if (state.values.contains("penalised_intercept"))
      model.penalised_intercept = state.integer("penalised_intercept") != 0;
    model.features = state.integer("n_features");
    model.l2 = real(state, "l2");
    if (state.values.contains("l1")) model.l1 = real(state, "l1");
    if (state.values.contains("huber_delta")) model.huber_delta = real(state, "huber_delta");
    if (state.values.contains("calibration/method"))
      model.calibration = {state.text("calibration/method"), real(state, "calibration/slope"),
                           real(state, "calibration/offset")};
    model.config = optional_text(state, "config");
    model.manifest = optional_text(state, "manifest");
    const auto parameters = parameters_in(state);
    if (parameters.empty()) throw DataError("it holds no parameters");
    for (const auto& [key, array] : parameters)
      model.layout.add(parameter_of(key, *array, model.penalised_intercept));
    model.weights.resize(model.layout.size());
    for (const auto& p : model.layout.all())
      model.weights.segment(p.offset, p.size) =
          from_row_major(p, to_doubles(state, parameter_path(p.name)));
    model.classes = optional_numbers<double>(state, "class");
    // Labels are looked up by bisection.
    if (!ascends(model.classes)) throw DataError("/class is not in ascending order");
    model.positive = optional_numbers<double>(state, "positive");
    model.mean = optional_numbers<double>(state, "preprocess/mean");
    model.scale = optional_numbers<double>(state, "preprocess/scale");
    for (const auto* values : {&model.mean, &model.scale})
      if (!values->empty() && static_cast<Index>(values->size()) != model.features)
        throw DataError(fmt::format("/preprocess has not {} values", model.features));
    model.input_shape = optional_numbers<Index>(state, "input_shape");
    model.symbol = optional_text(state, "symbol");
    model.single = optional_text(state, "precision") == "f32";
    if (const auto found = state.arrays.find("feature_name"); found != state.arrays.end()) {
      const auto* names = std::get_if<std::vector<std::string>>(&found->second.data);
      if (!names || static_cast<Index>(names->size()) != model.features)
        throw DataError(fmt::format("/feature_name is not {} strings", model.features));
      model.feature_names = *names;
    }
    for (const auto& [key, value] : state.values)
      if (key.find('/') == std::string::npos &&
          std::ranges::find(own_values, key) == own_values.end())
        model.summary.values.emplace(key, value);
    check_linear(model, name);
    return model;
  } catch (const Error& error) {
    const std::string what = error.what();
    throw DataError(what.starts_with(name) ? what : name + ": " + what);
  }
}

Vec<double> weights_for(const ModelRecord& model, const ParameterLayout& layout) {
  Vec<double> w(layout.size());
  for (const Parameter& p : layout.all()) {
    const Parameter& saved = model.layout.at(p.name);
    if (saved.shape != p.shape)
      throw DataError(fmt::format("parameter {} has shape ({}) in the file, ({}) in the model",
                                  p.name, fmt::join(saved.shape, ", "), fmt::join(p.shape, ", ")));
    w.segment(p.offset, p.size) =
        from_row_major(p, to_row_major(saved, model.weights.segment(saved.offset, saved.size)));
  }
  if (model.weights.size() != w.size())
    throw DataError(
        fmt::format("the file has {} weights, the model {}", model.weights.size(), w.size()));
  return w;
}

}  // namespace svrg::io
