#include "svrg/model/initializer.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>

#include "svrg/core/error.hpp"
#include "svrg/core/suggest.hpp"

namespace svrg {
namespace {

using Rule = Initializer::Rule;
using Shape = std::span<const Index>;

void fill_uniform(const CounterRandom& random, double scale, std::span<double> values) {
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = scale * (2 * random.uniform(i) - 1);
}

void fill_normal(const CounterRandom& random, double sigma, std::span<double> values) {
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = sigma * random.normal(i);
}

struct Uniform : Rule {
  explicit Uniform(OptionReader& o) : scale(o.real("scale", 0.07)) {}
  void weight(const std::string&, Shape, const CounterRandom& random,
              std::span<double> values) const override {
    fill_uniform(random, scale, values);
  }
  double scale;
};

struct Normal : Rule {
  explicit Normal(OptionReader& o) : sigma(o.real("sigma", 0.01)) {}
  void weight(const std::string&, Shape, const CounterRandom& random,
              std::span<double> values) const override {
    fill_normal(random, sigma, values);
  }
  double sigma;
};

struct Constant : Rule {
  explicit Constant(double v) : value(v) {}
  void weight(const std::string&, Shape, const CounterRandom&,
              std::span<double> values) const override {
    std::fill(values.begin(), values.end(), value);
  }
  double value;
};

/// Glorot and Bengio (2010); with gaussian draws and the slope of a PReLU, He et al. (2015).
struct Xavier : Rule {
  Xavier(OptionReader& o, bool prelu)
      : gaussian(prelu || o.choice("rnd_type", "uniform", {"uniform", "gaussian"}) == "gaussian"),
        factor(o.choice("factor_type", "avg", {"avg", "in", "out"})) {
    const double slope = prelu ? o.real("slope", 0.25) : 0;
    magnitude = prelu ? 2 / (1 + slope * slope) : o.real("magnitude", 3);
    if (!(magnitude >= 0)) o.fail("magnitude", "must not be negative");
  }
  void weight(const std::string& name, Shape shape, const CounterRandom& random,
              std::span<double> values) const override {
    if (shape.size() < 2)
      throw ConfigError(
          fmt::format("initializer Xavier: '{}' has {} axis, 2 are needed", name, shape.size()));
    double kernel = 1;
    for (const Index n : shape.subspan(2)) kernel *= static_cast<double>(n);
    const double in = static_cast<double>(shape[1]) * kernel;
    const double out = static_cast<double>(shape[0]) * kernel;
    const double fan = factor == "avg" ? (in + out) / 2 : factor == "in" ? in : out;
    const double scale = std::sqrt(magnitude / fan);
    gaussian ? fill_normal(random, scale, values) : fill_uniform(random, scale, values);
  }
  bool gaussian;
  std::string factor;
  double magnitude;
};

/// Saxe, McClelland, Ganguli (2014): rows, or columns where these are fewer, orthogonal.
struct Orthogonal : Rule {
  explicit Orthogonal(OptionReader& o)
      : scale(o.real("scale", 1.414)),
        uniform(o.choice("rand_type", "uniform", {"uniform", "normal"}) == "uniform") {}
  void weight(const std::string& name, Shape shape, const CounterRandom& random,
              std::span<double> values) const override {
    if (shape.empty() || shape[0] == 0)
      throw ConfigError("initializer Orthogonal: '" + name + "' has no rows");
    const Index rows = shape[0], columns = static_cast<Index>(values.size()) / rows;
    uniform ? fill_uniform(random, 1, values) : fill_normal(random, 1, values);
    Eigen::Map<RowMatrix<double>> w(values.data(), rows, columns);
    const Eigen::MatrixXd drawn = w;
    const Eigen::BDCSVD<Eigen::MatrixXd> svd(drawn, Eigen::ComputeThinU | Eigen::ComputeThinV);
    if (rows > columns)
      w = scale * svd.matrixU();
    else
      w = scale * svd.matrixV().transpose();
  }
  double scale;
  bool uniform;
};

/// The kernel of bilinear interpolation, for up-sampling.
struct Bilinear : Rule {
  void weight(const std::string& name, Shape shape, const CounterRandom&,
              std::span<double> values) const override {
    if (shape.size() != 4) throw ConfigError("initializer Bilinear: '" + name + "' needs 4 axes");
    const Index height = shape[2], width = shape[3];
    const double f = std::ceil(static_cast<double>(width) / 2);
    const double c = (2 * f - 1 - std::fmod(f, 2)) / (2 * f);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto x = static_cast<double>(static_cast<Index>(i) % width);
      const auto y = static_cast<double>(static_cast<Index>(i) / width % height);
      values[i] = (1 - std::abs(x / f - c)) * (1 - std::abs(y / f - c));
    }
  }
};

/// Forget gates, the second of four, begin open.
struct LstmBias : Rule {
  explicit LstmBias(OptionReader& o) : forget(o.real("forget_bias", 1)) {}
  void weight(const std::string&, Shape, const CounterRandom&,
              std::span<double> values) const override {
    const std::size_t gate = values.size() / 4;
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = i >= gate && i < 2 * gate ? forget : 0;
  }
  double forget;
};

struct MixedRule : Rule {
  // Its parts are moved. NOLINTNEXTLINE(performance-unnecessary-value-param)
  explicit MixedRule(std::vector<std::pair<std::string, Initializer>> given) {
    for (auto& [pattern, chosen] : given) try {
        patterns.emplace_back(std::regex(pattern), std::move(chosen));
      } catch (const std::regex_error&) {
        throw ConfigError("initializer Mixed: '" + pattern + "' is no regular expression");
      }
  }
  void weight(const std::string&, Shape, const CounterRandom&, std::span<double>) const override {}
  const Initializer* delegate(const std::string& name) const override {
    for (const auto& [pattern, chosen] : patterns)
      if (std::regex_search(name, pattern)) return &chosen;
    throw ConfigError("initializer Mixed: no pattern matches '" + name +
                      "'; add \".*\" at the end");
  }
  std::vector<std::pair<std::regex, Initializer>> patterns;
};

struct LoadRule : Rule {
  LoadRule(const std::map<std::string, NDArray>& given, std::optional<Initializer> o)
      : otherwise(std::move(o)) {
    for (const auto& [name, array] : given) {
      const bool prefixed = name.starts_with("arg:") || name.starts_with("aux:");
      arrays.insert_or_assign(prefixed ? name.substr(4) : name, array);
    }
  }
  void weight(const std::string&, Shape, const CounterRandom&, std::span<double>) const override {}
  bool holds(const std::string& name, Shape shape, std::span<double> values) const override {
    const auto at = arrays.find(name);
    if (at == arrays.end()) return false;
    const NDArray& array = at->second;
    if (!std::equal(shape.begin(), shape.end(), array.shape.begin(), array.shape.end()))
      throw ConfigError(fmt::format("initializer Load: '{}' has shape ({}), the values ({})", name,
                                    fmt::join(shape, ", "), fmt::join(array.shape, ", ")));
    std::ranges::copy(array.values(), values.begin());
    return true;
  }
  const Initializer* delegate(const std::string& name) const override {
    if (!otherwise)
      throw ConfigError("initializer Load: there is no '" + name + "', and no other initializer");
    return &*otherwise;
  }
  std::map<std::string, NDArray> arrays;
  std::optional<Initializer> otherwise;
};

}  // namespace

CounterRandom parameter_random(std::uint64_t seed, std::string_view name) {
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return {seed, hash};
}

Initializer Initializer::make(const std::string& name, const Options& options) {
  std::string wanted = name;
  std::transform(wanted.begin(), wanted.end(), wanted.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  OptionReader o("initializer " + wanted, options);
  std::shared_ptr<const Rule> rule;
  if (wanted == "uniform") rule = std::make_shared<Uniform>(o);
  if (wanted == "normal") rule = std::make_shared<Normal>(o);
  if (wanted == "constant") rule = std::make_shared<Constant>(o.real("value", 0));
  if (wanted == "zero" || wanted == "zeros") rule = std::make_shared<Constant>(0);
  if (wanted == "one" || wanted == "ones") rule = std::make_shared<Constant>(1);
  if (wanted == "xavier") rule = std::make_shared<Xavier>(o, false);
  if (wanted == "msraprelu") rule = std::make_shared<Xavier>(o, true);
  if (wanted == "orthogonal") rule = std::make_shared<Orthogonal>(o);
  if (wanted == "bilinear") rule = std::make_shared<Bilinear>();
  if (wanted == "lstmbias") rule = std::make_shared<LstmBias>(o);
  if (!rule)
    throw ConfigError("there is no initializer '" + name + "'" +
                      suggestion(wanted, {"uniform", "normal", "constant", "zero", "one", "xavier",
                                          "msraprelu", "orthogonal", "bilinear", "lstmbias"}));
  // MXNet's dumps() lists arguments that another choice makes useless.
  if (wanted == "msraprelu") o.ignore("magnitude"), o.ignore("rnd_type");
  o.done();
  return Initializer(rule);
}

Initializer Initializer::from_text(const std::string& text) {
  if (text.empty() || text[0] != '[') return make(text);
  const auto j = nlohmann::json::parse(text, nullptr, false);
  if (!j.is_array() || j.empty() || !j[0].is_string())
    throw ConfigError("__init__ must be a name or [\"name\", {options}], got " + text);
  Options options;
  if (j.size() > 1 && j[1].is_object())
    for (const auto& [name, value] : j[1].items()) {
      if (value.is_boolean())
        options[name] = value.get<bool>();
      else if (value.is_number())
        options[name] = value.get<double>();
      else if (value.is_string())
        options[name] = value.get<std::string>();
      else if (!value.is_null())  // None: the default
        throw ConfigError(
            fmt::format("__init__: {} must be a number or a text, got {}", name, text));
    }
  return make(j[0].get<std::string>(), options);
}

void Initializer::fill(const std::string& name, std::span<const Index> shape,
                       const std::string& init, std::uint64_t seed,
                       std::span<double> values) const {
  if (rule_->holds(name, shape, values)) return;
  if (const Initializer* other = rule_->delegate(name)) {
    other->fill(name, shape, init, seed, values);
    return;
  }
  const CounterRandom random = parameter_random(seed, name);
  if (!init.empty()) {
    from_text(init).rule_->weight(name, shape, random, values);
    return;
  }
  const auto ends = [&](std::string_view ending) { return name.ends_with(ending); };
  const auto constant = [&](double v) { std::fill(values.begin(), values.end(), v); };
  if (ends("weight")) {
    rule_->weight(name, shape, random, values);
  } else if (ends("bias") || ends("beta") || ends("moving_mean") || ends("running_mean") ||
             ends("min")) {
    constant(0);
  } else if (ends("gamma") || ends("moving_var") || ends("running_var") || ends("max")) {
    constant(1);
  } else {
    throw ConfigError("no initializer for '" + name +
                      "': its name ends in none of weight, bias, gamma, beta; give the variable an "
                      "init, or its values in arg_params");
  }
}

Initializer initializer::Mixed(std::vector<std::pair<std::string, Initializer>> patterns) {
  return Initializer(std::make_shared<MixedRule>(std::move(patterns)));
}

Initializer initializer::Load(const std::map<std::string, NDArray>& values,
                              std::optional<Initializer> otherwise) {
  return Initializer(std::make_shared<LoadRule>(values, std::move(otherwise)));
}

}  // namespace svrg
