#pragma once
#include <fmt/format.h>

// Values that several tests write.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "svrg/core/state.hpp"
#include "svrg/io/model_file.hpp"
#include "svrg/io/run_record.hpp"

namespace svrg::io {

inline constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

/// One of everything that a State can hold, edge cases included.
inline State sample_state() {
  State state;
  state.arrays["params/linear/weight"] = {{2, 3},
                                          std::vector<double>{1, -0.0, 1e-310, nan_value, 5, 6}};
  state.arrays["params/linear/bias"] = {{2}, std::vector<double>{0.1, 0.2}};
  state.arrays["solver/floats"] = {{3}, std::vector<float>{0.1F, -INFINITY, 3}};
  state.arrays["solver/order"] = {{2}, std::vector<std::int64_t>{INT64_MIN, INT64_MAX}};
  state.arrays["solver/small"] = {{1, 2}, std::vector<std::int32_t>{-1, 7}};
  state.arrays["solver/bytes"] = {{2, 1}, std::vector<std::uint8_t>{0, 255}};
  state.arrays["solver/square"] = {{2, 2}, std::vector<double>{1, 2, 3, 4}};
  state.arrays["solver/empty"] = {{0}, std::vector<double>{}};
  state.arrays["solver/no_rows"] = {{0, 3}, std::vector<std::int64_t>{}};
  state.arrays["solver/no_text"] = {{0}, std::vector<std::string>{}};
  state.arrays["scalar"] = {{}, std::vector<double>{2.5}};
  state.arrays["class"] = {{2}, std::vector<double>{-1, 1}};
  state.arrays["feature_name"] = {{3}, std::vector<std::string>{"", "größe", "a b"}};
  state.values = {{"epoch", std::int64_t{7}},
                  {"objective", 0.1},
                  {"gap", nan_value},
                  {"rng_algorithm", "philox4x32-10"},
                  {"nothing", ""},
                  {"solver/eta", 1e-3},
                  {"sampler/deep/key", "x"},
                  {"config", "seed = 1\n"},
                  {"manifest", "{\"a\": \"ü\"}"},
                  {"kind", "logistic"},
                  {"intercept", std::int64_t{1}},
                  {"n_features", std::int64_t{3}},
                  {"l2", 1e-4}};
  return state;
}

inline ModelRecord sample_model(Index rows = 3, Index features = 4, bool intercept = true) {
  ModelRecord model;
  model.kind = rows > 1 ? "softmax" : "logistic";
  Parameter weight;
  weight.name = "linear_weight";
  weight.shape = {rows, features};
  weight.column_major = true;
  model.layout.add(weight);
  if (intercept) {
    Parameter bias;
    bias.name = "linear_bias";
    bias.shape = {rows};
    bias.wd_mult = 0;
    model.layout.add(bias);
  }
  model.weights = Vec<double>::LinSpaced(model.layout.size(), 0.1, 7.7);
  model.intercept = intercept;
  model.features = features;
  for (Index k = 0; k < std::max<Index>(rows, 2); ++k)
    model.classes.push_back(static_cast<double>(k));
  for (Index j = 0; j < features; ++j) model.feature_names.push_back(fmt::format("x{}", j));
  model.l2 = 1e-4;
  model.config = "seed = 1\n";
  model.manifest = "{}";
  model.summary.values = {
      {"epoch", std::int64_t{12}}, {"objective", 0.25}, {"status", "converged"}};
  return model;
}

inline EpochRecord sample_epoch(Index epoch, std::size_t ranks = 2) {
  const auto e = static_cast<double>(epoch);
  EpochRecord record;
  record.epoch = epoch;
  record.step = 10 * epoch;
  record.passes = 3 * e;
  record.wall_seconds = 0.1 * e;
  record.objective = 1 / (1 + e) + 1e-17;
  record.grad_norm = std::exp(-e);
  record.duality_gap = nan_value;
  record.learning_rate = 0.1;
  record.is_snapshot = epoch % 2 == 0;
  record.samples = 1000 * epoch;
  record.bytes_communicated = (Index{1} << 40) + epoch;
  record.messages = epoch;
  record.metrics = {{"train_acc", 0.5}, {"valid_acc", epoch == 0 ? nan_value : 0.75}};
  record.max_rss.assign(ranks, 1e8 + e);
  record.phase_seconds.assign(ranks, {});
  for (std::size_t r = 0; r < ranks; ++r) record.phase_seconds[r][r] = 0.5 + e;
  return record;
}

/// NaN equals NaN, and 0 is not −0: bits count.
inline bool same_bits(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0; }

template <class T>
bool same_values(const std::vector<T>& a, const std::vector<T>& b) {
  if constexpr (std::is_same_v<T, std::string>)
    return a == b;
  else
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}
inline bool same(const Array& a, const Array& b) {
  if (a.shape != b.shape || a.data.index() != b.data.index()) return false;
  return std::visit(
      [&]<class T>(const std::vector<T>& v) {
        return same_values(v, std::get<std::vector<T>>(b.data));
      },
      a.data);
}
inline bool same(const State::Value& a, const State::Value& b) {
  if (a.index() != b.index()) return false;
  if (const auto* x = std::get_if<double>(&a)) return same_bits(*x, std::get<double>(b));
  return a == b;
}
inline bool same(const State& a, const State& b) {
  const auto equal = [](const auto& x, const auto& y) {
    return x.first == y.first && same(x.second, y.second);
  };
  return std::equal(a.arrays.begin(), a.arrays.end(), b.arrays.begin(), b.arrays.end(), equal) &&
         std::equal(a.values.begin(), a.values.end(), b.values.begin(), b.values.end(), equal);
}

}  // namespace svrg::io
