#include <fmt/format.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>

#include "golden/comparison.hpp"
#include "golden/json_options.hpp"
#include "svrg/comm/two_bit.hpp"
#include "svrg/core/error.hpp"
#include "svrg/model/initializer.hpp"
#include "svrg/optimizer/lr_scheduler.hpp"
#include "svrg/optimizer/optimizer.hpp"

namespace golden {
namespace {

using svrg::Index;
using svrg::Vec;
using svrg::io::Document;
using Json = nlohmann::json;

Vec<float> part(const std::vector<double>& all, Index at, Index size) {
  Vec<float> v(size);
  for (Index i = 0; i < size; ++i)
    v[i] = static_cast<float>(all[static_cast<std::size_t>(at * size + i)]);
  return v;
}

std::vector<double> widened(const Vec<float>& v) { return {v.data(), v.data() + v.size()}; }

/// W Wᵀ of W [rows, …].
std::vector<double> gram(std::vector<double>& values, Index rows) {
  const Eigen::Map<svrg::RowMatrix<double>> w(values.data(), rows,
                                              static_cast<Index>(values.size()) / rows);
  const svrg::RowMatrix<double> product = w * w.transpose();
  return {product.data(), product.data() + product.size()};
}

std::vector<double> diagonal(Index size, double value) {
  std::vector<double> all(static_cast<std::size_t>(size * size));
  for (Index i = 0; i < size; ++i) all[static_cast<std::size_t>(i * (size + 1))] = value;
  return all;
}

/// One draw of a rule against the recorded minimum, maximum, mean and spread of another.
void compare_draws(const Document& file, const std::string& path, bool uniform, bool exact,
                   std::span<const double> values, Comparison& result) {
  const auto recorded = numbers(file, path + "/min_max_mean_std");
  const auto count = static_cast<double>(values.size());
  const auto [low, high] = std::ranges::minmax(values);
  double mean = 0, square = 0;
  for (const double v : values) mean += v / count;
  for (const double v : values) square += (v - mean) * (v - mean) / count;
  const double spread = std::sqrt(square), range = recorded[1] - recorded[0];
  if (exact || range <= 1e-6 * std::abs(recorded[1])) {
    result.compare(path, std::vector{low, high, mean, spread}, recorded);
    return;
  }
  // Five deviations of the quotient of two spreads; uniform draws come as near to their ends as
  // 1/count, normal ones have tails.
  result.check(fmt::format("{} spread {} recorded {}", path, spread, recorded[3]),
               std::abs(spread / recorded[3] - 1) < 5 / std::sqrt(count));
  result.check(fmt::format("{} mean {}", path, mean),
               std::abs(mean) < 6 * spread / std::sqrt(count));
  result.check(fmt::format("{} range {} recorded {}", path, high - low, range),
               std::abs((high - low) / range - 1) < (uniform ? 20 / count : 0.25));
}

}  // namespace

void replay_optimizers(const Document& file, Comparison& result) {
  const auto start = numbers(file, "weight0"), gradients = numbers(file, "grads");
  svrg::ParameterLayout layout;
  layout.add({.name = "w_weight", .shape = shape(file, "weight0"), .group = {}});
  const Index steps = shape(file, "grads")[0], size = layout.size();
  for (const auto& [group, attributes] : file.groups) {
    const std::string name = attribute(file, group, "optimizer");
    if (name.empty() || !has(file, group + "/weights")) continue;
    const Json params = Json::parse(attribute(file, group, "params"));
    const auto optimizer = svrg::make_optimizer<float>(name, options_of(params));
    const auto expected = numbers(file, group + "/weights");
    Vec<float> w = part(start, 0, size);
    // The recorded nag used the new weight in the decay of its memory (C18); ours does not.
    const bool wide = name == "nag" && params.value("wd", 0.0) > 0;
    Comparison wider(1e-2, 1e-6);
    for (Index s = 0; s < steps; ++s) {
      optimizer->step(layout, w, part(gradients, s, size), optimizer->learning_rate());
      const std::vector<double> row(expected.begin() + s * size, expected.begin() + (s + 1) * size);
      (wide ? wider : result).compare(fmt::format("{} step {}", group, s), widened(w), row);
    }
    if (wide) result.check(group + " within 1e-2", wider.passed());
  }
}

void replay_schedulers(const Document& file, Comparison& result) {
  for (const auto& [group, attributes] : file.groups) {
    if (!has(file, group + "/lr")) continue;
    const Json params = Json::parse(attribute(file, group, "params"));
    const auto scheduler = svrg::make_lr_scheduler(params["type"], options_of(params));
    const auto expected = numbers(file, group + "/lr");
    std::vector<double> got;
    for (std::size_t i = 0; i < expected.size(); ++i)
      got.push_back((*scheduler)(static_cast<Index>(i)));
    result.compare(group, got, expected);
  }
}

void replay_compression(const Document& file, Comparison& result) {
  const double threshold = std::stod(attribute(file, "", "threshold"));
  const auto send = [&](const std::vector<double>& all, Index from, Vec<float>& residual,
                        Vec<float>& sum) {
    std::vector<std::uint32_t> words;
    const Index n = residual.size();
    const Vec<float> values = part(all, from, n);
    svrg::encode_two_bit<float>(std::span(values.data(), static_cast<std::size_t>(n)),
                                std::span(residual.data(), static_cast<std::size_t>(n)), threshold,
                                words);
    svrg::add_two_bit<float>(words, threshold, std::span(sum.data(), static_cast<std::size_t>(n)));
  };
  const auto gradients = numbers(file, "grads"), decoded = numbers(file, "rule/dequantized");
  const Index steps = shape(file, "grads")[0], n = shape(file, "grads")[1];
  Vec<float> residual = Vec<float>::Zero(n);
  for (Index s = 0; s < steps; ++s) {
    Vec<float> sum = Vec<float>::Zero(n);
    send(gradients, s, residual, sum);
    result.compare(fmt::format("rule step {}", s), widened(sum), widened(part(decoded, s, n)));
  }
  result.compare("rule/residual_last", widened(residual), numbers(file, "rule/residual_last"));
  if (!has(file, "device_store/grads")) return;
  const auto extents = shape(file, "device_store/grads");
  const auto sent = numbers(file, "device_store/grads"),
             pulled = numbers(file, "device_store/pulled");
  std::vector<Vec<float>> residuals(static_cast<std::size_t>(extents[1]),
                                    Vec<float>::Zero(extents[2]));
  for (Index s = 0; s < extents[0]; ++s) {
    Vec<float> sum = Vec<float>::Zero(extents[2]);
    for (Index d = 0; d < extents[1]; ++d)
      send(sent, s * extents[1] + d, residuals[static_cast<std::size_t>(d)], sum);
    result.compare(fmt::format("device_store step {}", s), widened(sum),
                   widened(part(pulled, s, extents[2])));
  }
}

// Draws cannot be the same: their range and spread must be, within what so many draws allow.
void replay_initializers(const Document& file, Comparison& result) {
  for (const auto& [group, attributes] : file.groups) {
    const std::string name = attribute(file, group, "initializer");
    if (name.empty()) continue;
    const Json params = Json::parse(attribute(file, group, "params"));
    const auto rule = svrg::Initializer::make(name, options_of(params));
    const std::string dumps = attribute(file, group, "dumps");
    for (const auto& [path, own] : file.groups) {
      if (!path.starts_with(group + "/")) continue;
      const std::string parameter = path.substr(group.size() + 1);
      const auto extents = std::get<std::vector<std::int64_t>>(own.at("shape"));
      Index size = 1;
      for (const Index n : extents) size *= n;
      std::vector<double> values(static_cast<std::size_t>(size));
      bool refused = false;
      try {
        rule.fill(parameter, extents, "", 1, values);
      } catch (const svrg::ConfigError&) {
        refused = true;
      }
      if (own.count("error")) {
        // Running statistics carry an initializer of their own in a symbol; by name alone the
        // original knows none, ours does.
        const bool running =
            parameter.ends_with("moving_mean") || parameter.ends_with("moving_var");
        result.check(path + " is refused", refused != running);
        continue;
      }
      result.check(path + " is filled", !refused);
      if (refused) continue;
      if (!dumps.empty() && parameter.ends_with("weight")) {
        auto by_text = values;
        svrg::initializer::Zero().fill(parameter, extents, dumps, 1, by_text);
        result.check(path + " by " + dumps, by_text == values);
      }
      compare_draws(file, path, name == "Uniform" || params.value("rnd_type", "") == "uniform",
                    name == "Bilinear", values, result);
      if (has(file, path + "/first_kernel")) {
        const auto kernel = numbers(file, path + "/first_kernel");
        result.compare(path + "/first_kernel", std::span(values).first(kernel.size()), kernel);
      }
      if (own.count("max_dev_from_orthogonal"))
        result.compare(path + " is orthogonal", gram(values, extents[0]),
                       diagonal(extents[0], std::pow(params["scale"].get<double>(), 2)));
    }
  }
}

}  // namespace golden
