#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "svrg/core/error.hpp"
#include "svrg/core/random.hpp"
#include "svrg/module/metric.hpp"

namespace svrg {
namespace {

NDArray array(std::vector<Index> shape, std::vector<float> values) {
  return {std::move(shape), std::move(values)};
}
NDArray column(std::vector<float> values) {
  const auto rows = static_cast<Index>(values.size());
  return {{rows, 1}, std::move(values)};
}
NDArray list(std::vector<float> values) {
  const auto rows = static_cast<Index>(values.size());
  return {{rows}, std::move(values)};
}
NDArray rows_of(const NDArray& all, Index begin, Index end) {
  const std::vector<double> values = all.values();
  std::vector<Index> shape = all.shape;
  shape[0] = end - begin;
  const auto at = [&](Index row) { return values.begin() + row * all.row_size(); };
  return {std::move(shape), std::vector<float>(at(begin), at(end))};
}

double value(const EvalMetric& metric) { return metric.get_name_value()[0].second; }
void feed(EvalMetric& metric, const NDArray& label, const NDArray& pred) {
  metric.update({&label, 1}, {&pred, 1});
  metric.reduce(Communicator::self());
}
double of(const std::string& name, const NDArray& label, const NDArray& pred,
          const Options& options = {}) {
  const auto metric = metric::create(name, options);
  feed(*metric, label, pred);
  return value(*metric);
}

struct Case {
  const char* name;
  Options options;
  int classes;  // 1: numbers
};
const Case cases[] = {{"acc", {}, 4},
                      {"top_k_accuracy", {{"top_k", 2}}, 4},
                      {"ce", {}, 4},
                      {"nll_loss", {}, 4},
                      {"perplexity", {}, 4},
                      {"perplexity", {{"ignore_label", 1}}, 4},
                      {"f1", {}, 2},
                      {"f1", {{"average", "micro"}}, 2},
                      {"mcc", {}, 2},
                      {"mcc", {{"average", "micro"}}, 2},
                      {"mae", {}, 1},
                      {"mse", {}, 1},
                      {"rmse", {}, 1},
                      {"pearsonr", {}, 1},
                      {"pearsonr", {{"average", "micro"}}, 1},
                      {"pcc", {}, 4},
                      {"loss", {}, 1}};

struct Problem {
  NDArray label, pred;
};
Problem problem(int classes, Index rows) {
  const CounterRandom random(7, static_cast<std::uint64_t>(classes));
  std::vector<float> label, pred;
  for (Index i = 0; i < rows; ++i) {
    const auto row = static_cast<std::uint64_t>(i);
    label.push_back(classes == 1 ? static_cast<float>(random.normal(1000 + row))
                                 : static_cast<float>(random.below(classes, 1000 + row)));
    double sum = 0;
    std::vector<double> scores;
    for (int c = 0; c < classes; ++c) {
      scores.push_back(random.uniform(row * 8 + static_cast<std::uint64_t>(c)));
      sum += scores.back();
    }
    for (const double s : scores) pred.push_back(static_cast<float>(classes == 1 ? s : s / sum));
  }
  return {list(std::move(label)), array({rows, classes}, std::move(pred))};
}

TEST(Metric, is_the_same_however_the_rows_of_batches_are_spread) {
  const Communicator world = Communicator::world();
  const Index cuts[] = {0, 9, 17, 18, 23};
  for (const Case& c : cases) {
    const Problem p = problem(c.classes, 23);
    const auto alone = metric::create(c.name, c.options);
    const auto spread = metric::create(c.name, c.options);
    for (std::size_t b = 0; b + 1 < std::size(cuts); ++b) {
      const Index begin = cuts[b], rows = cuts[b + 1] - begin;
      feed(*alone, rows_of(p.label, begin, begin + rows), rows_of(p.pred, begin, begin + rows));
      // Uneven: the first rank has a third of its fair share; of one row, the last rank has it.
      const auto cut = [&](int rank) {
        return rank == world.size() ? rows : rows * rank * (rank + 1) / (3 * world.size() * 2);
      };
      const Index from = begin + cut(world.rank()), to = begin + cut(world.rank() + 1);
      const NDArray label = rows_of(p.label, from, to), pred = rows_of(p.pred, from, to);
      spread->update({&label, 1}, {&pred, 1});
      if (b == 1) spread->reduce(world);  // how often one reduces does not matter
    }
    spread->reduce(world);
    if (std::isnan(value(*alone))) {  // one row has no correlation
      EXPECT_TRUE(std::isnan(value(*spread))) << c.name;
      continue;
    }
    EXPECT_NEAR(value(*spread), value(*alone), 1e-12 * std::abs(value(*alone))) << c.name;
  }
}

TEST(Metric, knows_a_perfect_prediction) {
  const NDArray label = list({0, 1, 1, 0}), sure = array({4, 2}, {1, 0, 0, 1, 0, 1, 1, 0});
  for (const char* name : {"acc", "f1", "mcc", "pcc", "perplexity"})
    EXPECT_NEAR(of(name, label, sure), 1, 1e-10) << name;
  EXPECT_NEAR(of("ce", label, sure), 0, 1e-10);
  const NDArray numbers = column({1, -2, 5});
  for (const char* name : {"mae", "mse", "rmse"}) EXPECT_EQ(of(name, numbers, numbers), 0) << name;
  EXPECT_NEAR(of("pearsonr", numbers, column({3, -3, 11})), 1, 1e-12);
  EXPECT_NEAR(of("pearsonr", numbers, column({-1, 2, -5})), -1, 1e-12);
}

TEST(Metric, of_even_odds_is_the_logarithm_of_the_classes) {
  const NDArray label = list({0, 3, 4}), even = array({3, 5}, std::vector<float>(15, 0.2F));
  EXPECT_NEAR(of("ce", label, even), std::log(5), 1e-6);
  EXPECT_NEAR(of("nll_loss", label, even), std::log(5), 1e-6);
  EXPECT_NEAR(of("perplexity", label, even), 5, 1e-5);
}

TEST(Metric, perplexity_leaves_out_the_ignored_label) {
  const NDArray label = list({0, 9, 1}), pred = array({3, 2}, {0.5, 0.5, 0, 0, 0.5, 0.5});
  EXPECT_NEAR(of("perplexity", label, pred, {{"ignore_label", 9}}), 2, 1e-6);
}

TEST(Metric, errors_of_numbers_are_averaged_over_batches_not_rows) {
  const auto mse = metric::create("mse"), rmse = metric::create("rmse"),
             mae = metric::create("mae");
  for (EvalMetric* m : {mse.get(), rmse.get(), mae.get()}) {
    feed(*m, column({0}), column({1}));
    feed(*m, column({0, 0, 0}), column({3, -3, 3}));
  }
  EXPECT_DOUBLE_EQ(value(*mse), (1.0 + 9) / 2);
  EXPECT_DOUBLE_EQ(value(*rmse), (1.0 + 3) / 2);
  EXPECT_DOUBLE_EQ(value(*mae), (1.0 + 3) / 2);
}

TEST(Metric, a_plain_list_of_labels_fits_a_column_of_predictions) {
  for (const char* name : {"mae", "mse", "rmse", "pearsonr"})
    EXPECT_EQ(of(name, list({1, 2, 4}), column({2, 2, 3})),
              of(name, column({1, 2, 4}), column({2, 2, 3})))
        << name;
}

TEST(Metric, accuracy_takes_classes_as_well_as_scores) {
  EXPECT_DOUBLE_EQ(of("acc", list({0, 1, 2, 1}), list({0, 1, 1, 1})), 0.75);
  EXPECT_DOUBLE_EQ(of("acc", list({0, 1}), array({2, 3}, {5, 1, 1, 1, 1, 5})), 0.5);
}

TEST(Metric, accuracy_of_maps_is_that_of_their_points) {
  // Two maps of 2 x 2 points and 3 classes; the same points as rows of scores, in order of labels.
  const Problem p = problem(3, 8);
  const std::vector<double> scores = p.pred.values();
  std::vector<float> planes(24), last;
  for (std::size_t point = 0; point < 8; ++point)
    for (std::size_t c = 0; c < 3; ++c)
      planes[point / 4 * 12 + c * 4 + point % 4] = static_cast<float>(scores[point * 3 + c]);
  for (const double s : scores) last.push_back(static_cast<float>(s));
  NDArray label = p.label;
  label.shape = {2, 2, 2};
  const double expected = of("acc", p.label, p.pred);
  EXPECT_DOUBLE_EQ(of("acc", label, array({2, 3, 2, 2}, planes)), expected);
  EXPECT_DOUBLE_EQ(of("acc", label, array({2, 2, 2, 3}, last), {{"axis", -1}}), expected);
  EXPECT_GT(expected, 0);
  EXPECT_LT(expected, 1);
}

TEST(Metric, accuracy_refuses_predictions_without_an_axis_of_classes) {
  EXPECT_THROW(of("acc", column({0, 1}), list({0, 1})), ConfigError);
}

TEST(Metric, labels_that_are_no_class_hit_nothing_or_are_refused) {
  const NDArray pred = array({1, 2}, {1, 0});
  for (const float y : {-1.F, 2.F, 1e30F, std::nanf("")}) {
    EXPECT_EQ(of("acc", list({y}), pred), 0) << y;
    EXPECT_EQ(of("top_k_accuracy", list({y}), pred, {{"top_k", 2}}), 0) << y;
    EXPECT_THROW(of("ce", list({y}), pred), ConfigError) << y;
    EXPECT_THROW(of("f1", list({y}), pred), ConfigError) << y;
  }
}

TEST(Metric, top_k_accuracy_grows_with_k_up_to_one) {
  const Problem p = problem(6, 40);
  double last = of("acc", p.label, p.pred);
  for (Index k = 2; k <= 6; ++k) {
    const double now = of("top_k_accuracy", p.label, p.pred, {{"top_k", k}});
    EXPECT_GE(now, last);
    last = now;
  }
  EXPECT_EQ(last, 1);
  EXPECT_THROW(metric::create("top_k_accuracy", {{"top_k", 1}}), ConfigError);
}

TEST(Metric, top_k_of_equal_scores_holds_k_of_the_classes) {
  const NDArray label = list({0, 1, 2, 3, 4}), even = array({5, 5}, std::vector<float>(25, 0.2F));
  for (Index k = 2; k <= 5; ++k)
    EXPECT_DOUBLE_EQ(of("top_k_accuracy", label, even, {{"top_k", k}}), static_cast<double>(k) / 5);
}

TEST(Metric, micro_average_is_that_of_all_rows_at_once_and_macro_the_mean_of_batches) {
  for (const char* name : {"f1", "mcc"}) {
    const Problem p = problem(2, 20);
    const NDArray labels[] = {rows_of(p.label, 0, 14), rows_of(p.label, 14, 20)};
    const NDArray preds[] = {rows_of(p.pred, 0, 14), rows_of(p.pred, 14, 20)};
    const auto micro = metric::create(name, {{"average", "micro"}}), macro = metric::create(name);
    double mean = 0;
    for (std::size_t b = 0; b < 2; ++b) {
      feed(*micro, labels[b], preds[b]);
      feed(*macro, labels[b], preds[b]);
      mean += of(name, labels[b], preds[b]) / 2;
    }
    EXPECT_DOUBLE_EQ(value(*micro), of(name, p.label, p.pred)) << name;
    EXPECT_DOUBLE_EQ(value(*macro), mean) << name;
    EXPECT_NE(value(*micro), value(*macro)) << name;
  }
}

TEST(Metric, pcc_of_two_classes_is_mcc) {
  const Problem p = problem(2, 30);
  EXPECT_NEAR(of("pcc", p.label, p.pred), of("mcc", p.label, p.pred), 1e-12);
}

TEST(Metric, loss_is_the_mean_output_and_needs_no_label) {
  const auto loss = metric::create("loss");
  const NDArray outputs = array({2, 2}, {1, 2, 3, 6});
  loss->update({}, {&outputs, 1});
  loss->reduce(Communicator::self());
  EXPECT_DOUBLE_EQ(value(*loss), 3);
}

TEST(Metric, several_outputs_go_with_their_labels) {
  const NDArray labels[] = {list({0}), list({1})};
  const NDArray preds[] = {array({1, 2}, {1, 0}), array({1, 2}, {1, 0})};
  const auto acc = metric::create("acc");
  acc->update(labels, preds);
  acc->reduce(Communicator::self());
  EXPECT_DOUBLE_EQ(value(*acc), 0.5);
  EXPECT_THROW(acc->update({labels, 1}, preds), ConfigError);
}

TEST(Metric, local_reset_keeps_the_global_value) {
  const auto mae = metric::create("mae");
  feed(*mae, column({0}), column({1}));
  mae->reset_local();
  EXPECT_TRUE(std::isnan(value(*mae)));
  feed(*mae, column({0}), column({5}));
  EXPECT_DOUBLE_EQ(value(*mae), 5);
  EXPECT_DOUBLE_EQ(mae->get_global_name_value()[0].second, 3);
  mae->reset();
  EXPECT_TRUE(std::isnan(mae->get_global_name_value()[0].second));
}

TEST(Metric, wants_reduce_before_its_value) {
  const auto mse = metric::create("mse");
  const NDArray one = column({1});
  mse->update({&one, 1}, {&one, 1});
  EXPECT_THROW(mse->get_name_value(), ConfigError);
  mse->reduce(Communicator::self());
  EXPECT_EQ(value(*mse), 0);
}

TEST(Metric, composite_has_the_values_of_its_parts_in_order) {
  const auto both = metric::create(std::vector<std::string>{"mse", "mae"});
  feed(*both, column({0, 0}), column({1, 3}));
  const auto values = both->get_name_value();
  ASSERT_EQ(values.size(), 2U);
  EXPECT_EQ(values[0].first, "mse");
  EXPECT_DOUBLE_EQ(values[0].second, 5);
  EXPECT_EQ(values[1].first, "mae");
  EXPECT_DOUBLE_EQ(values[1].second, 2);
}

TEST(Metric, own_function_adds_up_over_ranks) {
  const Communicator world = Communicator::world();
  const auto rows = metric::np("rows", [](const NDArray&, const NDArray& pred) {
    return std::pair(static_cast<double>(pred.rows()), 1.0);
  });
  const NDArray mine = column(std::vector<float>(static_cast<std::size_t>(world.rank()) + 1));
  rows->update({&mine, 1}, {&mine, 1});
  rows->reduce(world);
  EXPECT_EQ(rows->get_name_value()[0].first, "rows");
  EXPECT_DOUBLE_EQ(value(*rows), (world.size() + 1) / 2.0);
}

TEST(Metric, refuses_unknown_names_options_and_shapes_that_do_not_fit) {
  EXPECT_THROW(metric::create("acuracy"), ConfigError);
  EXPECT_THROW(metric::create("mse", {{"top_k", 2}}), ConfigError);
  EXPECT_THROW(metric::create("f1", {{"average", "median"}}), ConfigError);
  EXPECT_THROW(of("mse", column({1, 2}), column({1})), ConfigError);
  EXPECT_THROW(of("ce", list({1, 0, 0}), array({2, 2}, {1, 0, 0, 1})), ConfigError);
  EXPECT_THROW(of("ce", list({2}), array({1, 2}, {1, 0})), Error);
}

}  // namespace
}  // namespace svrg
