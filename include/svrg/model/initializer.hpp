#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "svrg/core/options.hpp"
#include "svrg/core/random.hpp"
#include "svrg/data/nd_array.hpp"

namespace svrg {

/// Random numbers of a parameter: a function of (seed, its name), so that neither ranks nor other
/// parameters change them.
CounterRandom parameter_random(std::uint64_t seed, std::string_view name);

/// Fills parameters by name, as MXNet's do: weights by the rule; biases, betas, running means and
/// *min 0; gammas, running variances and *max 1. Copies share the rule. Local.
class Initializer {
 public:
  /// One rule: fills values [shape] or throws ConfigError.
  struct Rule {
    virtual ~Rule() = default;
    /// Fills a parameter of this shape; the draws depend on nothing but `random`.
    virtual void weight(const std::string& name, std::span<const Index> shape,
                        const CounterRandom& random, std::span<double> values) const = 0;
    /// A rule that has the values of this very parameter puts them down and says so.
    virtual bool holds(const std::string&, std::span<const Index>, std::span<double>) const {
      return false;
    }
    /// A rule that only chooses another by name answers with that.
    virtual const Initializer* delegate(const std::string&) const { return nullptr; }
  };

  explicit Initializer(std::shared_ptr<const Rule> rule) : rule_(std::move(rule)) {}
  /// uniform, normal, constant, zero(s), one(s), xavier, msraprelu, orthogonal, bilinear, lstmbias.
  /// @throws ConfigError for an unknown name or option
  static Initializer make(const std::string& name, const Options& options = {});
  /// "normal" or ["normal", {"sigma": 0.01}], as a variable's __init__ attribute has it.
  static Initializer from_text(const std::string& text);

  /// @param init  the variable's __init__ attribute, which wins over its name; empty: none
  /// @throws ConfigError naming the parameter: no rule for the name, or a shape that a rule refuses
  void fill(const std::string& name, std::span<const Index> shape, const std::string& init,
            std::uint64_t seed, std::span<double> values) const;

 private:
  std::shared_ptr<const Rule> rule_;
};

namespace initializer {
/// Even between -scale and scale.
inline Initializer Uniform(double scale = 0.07) {
  return Initializer::make("uniform", {{"scale", scale}});
}
/// Gaussian of mean 0.
inline Initializer Normal(double sigma = 0.01) {
  return Initializer::make("normal", {{"sigma", sigma}});
}
/// The same value everywhere.
inline Initializer Constant(double value) {
  return Initializer::make("constant", {{"value", value}});
}
/// Constant(0).
inline Initializer Zero() { return Initializer::make("zero"); }
/// Constant(1).
inline Initializer One() { return Initializer::make("one"); }
/// rnd_type uniform|gaussian, factor_type avg|in|out, magnitude.
inline Initializer Xavier(const Options& options = {}) {
  return Initializer::make("xavier", options);
}
/// factor_type, slope.
inline Initializer MSRAPrelu(const Options& options = {}) {
  return Initializer::make("msraprelu", options);
}
/// Rows, or columns where these are fewer, orthogonal to each other: scale, rand_type.
inline Initializer Orthogonal(const Options& options = {}) {
  return Initializer::make("orthogonal", options);
}
/// Upsampling kernels for Deconvolution.
inline Initializer Bilinear() { return Initializer::make("bilinear"); }
/// The first regular expression that is found in the name decides.
/// @throws ConfigError for one that is none
Initializer Mixed(std::vector<std::pair<std::string, Initializer>> patterns);
/// Values by name, "arg:" and "aux:" before it taken off, as checkpoints have them; `otherwise` for
/// parameters that are not among them. Filling throws ConfigError where shapes differ, or for a
/// missing one without `otherwise`.
Initializer Load(const std::map<std::string, NDArray>& values,
                 std::optional<Initializer> otherwise = {});
}  // namespace initializer

}  // namespace svrg
