#include "svrg/train/warm_start.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "problems.hpp"
#include "svrg/core/error.hpp"

namespace svrg {
namespace {

io::ModelRecord record_of(Loss loss, Index features, bool intercept) {
  io::ModelRecord record;
  record.kind = loss_name(loss);
  const Index K = loss == Loss::softmax ? 3 : 1;
  for (Index k = 0; k < std::max<Index>(K, 2) && !takes_numbers(loss); ++k)
    record.classes.push_back(static_cast<double>(k));
  record.features = features;
  record.intercept = intercept;
  record.layout = LinearModel(loss, features, K, intercept).layout();
  return record;
}

/// Scores of a raw row.
Vec<double> scores(const io::ModelRecord& m, const Vec<double>& w, const std::vector<double>& x) {
  const Parameter& p = m.layout.at("linear_weight");
  const Vec<double> rows = to_row_major(p, w.segment(p.offset, p.size));
  Vec<double> z = Vec<double>::Zero(p.shape[0]);
  for (Index k = 0; k < z.size(); ++k) {
    for (Index j = 0; j < m.features; ++j) {
      const auto c = static_cast<std::size_t>(j);
      z[k] += rows[k * m.features + j] * (x[c] - (m.mean.empty() ? 0 : m.mean[c])) /
              (m.scale.empty() ? 1 : m.scale[c]);
    }
    if (m.intercept) z[k] += w[m.layout.at("linear_bias").offset + k];
  }
  return z;
}

TEST(WarmStart, gives_raw_rows_the_same_scores_whatever_is_done_to_columns) {
  const std::vector<std::vector<double>> means = {{}, {1, -2, 0.5}, {3, 0, 1}};
  const std::vector<std::vector<double>> scales = {{}, {2, 0.5, 4}, {1, 3, 0.1}};
  const std::vector<double> x = {0.3, -1.7, 2.5};
  for (const Loss loss : {Loss::squared, Loss::logistic, Loss::softmax})
    for (std::size_t a = 0; a < 3; ++a)
      for (std::size_t b = 0; b < 3; ++b) {
        auto from = record_of(loss, 3, true), to = record_of(loss, 3, true);
        from.mean = means[a];
        from.scale = scales[a];
        to.mean = means[b];
        to.scale = scales[(b + a) % 3];
        from.weights = test::some_weights(from.layout.size());
        const Vec<double> w = warm_start(from, to);
        EXPECT_NEAR((scores(to, w, x) - scores(from, from.weights, x)).norm(), 0, 1e-12);
      }
}

TEST(WarmStart, leaves_the_bits_of_weights_where_columns_are_alike) {
  auto from = record_of(Loss::softmax, 3, true);
  from.mean = {1, 2, 3};
  from.scale = {3, 7, 11};
  from.weights = test::some_weights(from.layout.size());
  auto to = from;
  to.weights = {};
  EXPECT_EQ(warm_start(from, to), from.weights);
  auto without = record_of(Loss::logistic, 3, false);
  without.weights = test::some_weights(3);
  const Vec<double> w = warm_start(without, record_of(Loss::logistic, 3, true));
  EXPECT_EQ(w.head(3), without.weights);
  EXPECT_EQ(w[3], 0);
}

void expect_refused(const io::ModelRecord& from, const io::ModelRecord& to, const char* says) {
  try {
    warm_start(from, to);
    ADD_FAILURE() << "not refused: " << says;
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
  }
}

TEST(WarmStart, names_what_differs) {
  auto from = record_of(Loss::logistic, 3, true);
  from.weights = test::some_weights(from.layout.size());
  expect_refused(from, record_of(Loss::squared, 3, true), "logistic");
  expect_refused(from, record_of(Loss::logistic, 2, true), "--n-features 3");
  expect_refused(from, record_of(Loss::logistic, 3, false), "intercept");
  auto to = record_of(Loss::logistic, 3, true);
  to.classes = {0, 5};
  expect_refused(from, to, "0, 5");
  to = record_of(Loss::logistic, 3, true);
  to.positive = {4};
  expect_refused(from, to, "--positive");
  to = from;
  from.feature_names = {"a", "b", "c"};
  to.feature_names = {"a", "x", "c"};
  expect_refused(from, to, "feature 2 is 'b'");
  to = record_of(Loss::logistic, 3, true);
  to.symbol = "{}";
  expect_refused(from, to, "net");
  auto plain = record_of(Loss::logistic, 3, false), centred = plain;
  plain.weights = test::some_weights(3);
  centred.mean = {1, 1, 1};
  centred.scale = {1, 1, 1};
  expect_refused(plain, centred, "means");
}

}  // namespace
}  // namespace svrg
