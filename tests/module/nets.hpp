#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "svrg/module/iterators.hpp"
#include "svrg/module/svrg_module.hpp"

namespace svrg {

inline Symbol net(bool batch_norm = false, double dropout = 0) {
  auto x = sym::FullyConnected(sym::Variable("data"), {{"num_hidden", 7}, {"name", "fc1"}});
  if (batch_norm) x = sym::BatchNorm(x, {{"fix_gamma", false}, {"name", "bn"}});
  x = sym::Activation(x, {{"act_type", "tanh"}, {"name", "act"}});
  if (dropout > 0) x = sym::Dropout(x, {{"p", dropout}, {"name", "drop"}});
  x = sym::FullyConnected(x, {{"num_hidden", 3}, {"name", "fc2"}});
  return sym::SoftmaxOutput(x, {{"name", "softmax"}});
}

inline constexpr Index rows = 53, features = 4;

inline NDArray images(Index from, Index to) {
  const CounterRandom random(5, 1);
  std::vector<float> values;
  for (Index i = from * features; i < to * features; ++i)
    values.push_back(static_cast<float>(random.normal(static_cast<std::uint64_t>(i))));
  return {{to - from, features}, std::move(values)};
}
inline NDArray labels(Index from, Index to) {
  std::vector<float> values;
  for (Index i = from; i < to; ++i) values.push_back(static_cast<float>(i * i % 3));
  return {{to - from}, std::move(values)};
}
inline NDArrayIter iterator(Index batch = 12) {
  return NDArrayIter(images(0, rows), labels(0, rows), {.batch_size = batch, .shuffle = true});
}

inline FitOptions fit_options(Index epochs, Index begin = 0) {
  FitOptions o;
  o.eval_metric = {"ce", "acc"};
  o.optimizer_params = {{"learning_rate", 0.2}, {"momentum", 0.5}};
  o.initializer = initializer::Xavier();
  o.begin_epoch = begin;
  o.num_epoch = epochs;
  return o;
}

inline std::vector<double> flat(const NDArrays& arrays) {
  std::vector<double> all;
  for (const auto& [name, array] : arrays) {
    const auto values = array.values();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

inline double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

}  // namespace svrg
