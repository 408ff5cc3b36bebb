#include "module/metric_kinds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "svrg/core/error.hpp"
#include "svrg/core/suggest.hpp"

namespace svrg::metric_kinds {
namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
using Values = std::vector<double>;

void add(const Sums& batch, Sums& totals) {
  if (totals.size() < batch.size()) totals.resize(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) totals[i] += batch[i];
}
double ratio(const Sums& s) { return s[1] == 0 ? nothing : s[0] / s[1]; }

/// Mean over batches of f(a batch's sums).
Kind mean_of_batches(std::string name, std::function<Sums(const NDArray&, const NDArray&)> measure,
                     std::function<double(const Sums&)> f) {
  return {std::move(name), true, std::move(measure),
          [f = std::move(f)](const Sums& batch, Sums& totals) {
            add({f(batch), 1}, totals);
          },
          ratio};
}

/// Labels as a flat list, one a point, beside the points' scores of each class; a point is a row,
/// or a place of a map.
struct Rows {
  Values label, pred;
  std::size_t count, classes;
  std::size_t inner = 1;  // points next to each other within a class

  double score(std::size_t i, std::size_t c) const {
    return pred[(i / inner * classes + c) * inner + i % inner];
  }
  /// The first class of the highest score.
  std::size_t best(std::size_t i) const {
    std::size_t top = 0;
    for (std::size_t c = 1; c < classes; ++c)
      if (score(i, c) > score(i, top)) top = c;
    return top;
  }
  /// The label's class, `classes` where it is none.
  std::size_t own(std::size_t i) const {
    const double y = std::trunc(label[i]);
    return y >= 0 && y < static_cast<double>(classes) ? static_cast<std::size_t>(y) : classes;
  }
};

void expect_fit(const Rows& r, const NDArray& pred, const std::string& name) {
  if (r.pred.size() != r.count * r.classes)
    throw ConfigError(fmt::format("metric {}: {} labels for predictions of shape ({})", name,
                                  r.count, fmt::join(pred.shape, ", ")));
}

/// Points are rows.
Rows rows_of(const NDArray& label, const NDArray& pred, const std::string& name) {
  Rows r{label.values(), pred.values(), static_cast<std::size_t>(label.size()), 1};
  if (pred.shape.size() > 1) r.classes = static_cast<std::size_t>(pred.row_size());
  expect_fit(r, pred, name);
  return r;
}

/// Points are all places along the other axes than that of the classes.
Rows points_of(const NDArray& label, const NDArray& pred, Index axis, const std::string& name) {
  const auto axes = static_cast<Index>(pred.shape.size());
  const Index at = axis < 0 ? axis + axes : axis;
  if (at < 0 || at >= axes)
    throw ConfigError(fmt::format("metric {}: predictions of shape ({}) have no axis {} of classes",
                                  name, fmt::join(pred.shape, ", "), axis));
  Rows r{label.values(), pred.values(), static_cast<std::size_t>(label.size()),
         static_cast<std::size_t>(pred.shape[static_cast<std::size_t>(at)])};
  for (auto extent = pred.shape.begin() + at + 1; extent != pred.shape.end(); ++extent)
    r.inner *= static_cast<std::size_t>(*extent);
  expect_fit(r, pred, name);
  return r;
}

Sums accuracy(const NDArray& label, const NDArray& pred, Index axis) {
  double equal = 0;
  // Of the same shape, predictions are classes already.
  if (label.shape == pred.shape) {
    const Values a = label.values(), b = pred.values();
    for (std::size_t i = 0; i < a.size(); ++i) equal += std::trunc(a[i]) == std::trunc(b[i]);
    return {equal, static_cast<double>(a.size())};
  }
  const Rows r = points_of(label, pred, axis, "accuracy");
  for (std::size_t i = 0; i < r.count; ++i) equal += r.best(i) == r.own(i);
  return {equal, static_cast<double>(r.count)};
}

Sums top_k(const NDArray& label, const NDArray& pred, std::size_t k) {
  const Rows r = rows_of(label, pred, "top_k_accuracy");
  double hits = 0;
  for (std::size_t i = 0; i < r.count; ++i) {
    const std::size_t y = r.own(i);
    if (y == r.classes) continue;
    const double own = r.score(i, y);
    std::size_t above = 0;
    for (std::size_t c = 0; c < r.classes; ++c) {
      const double other = r.score(i, c);
      above += other > own || (other == own && c > y);
    }
    hits += above < k;
  }
  return {hits, static_cast<double>(r.count)};
}

double probability(const Rows& r, std::size_t i, const std::string& name) {
  const std::size_t y = r.own(i);
  if (y == r.classes)
    throw ConfigError(
        fmt::format("metric {}: label {} among {} classes", name, r.label[i], r.classes));
  return r.score(i, y);
}

Kind cross_entropy(const std::string& name, const Options& options) {
  OptionReader o("metric " + name, options);
  const double eps = o.real("eps", 1e-12);
  o.done();
  return quotient(name, [name, eps](const NDArray& label, const NDArray& pred) {
    const Rows r = rows_of(label, pred, name);
    double sum = 0;
    for (std::size_t i = 0; i < r.count; ++i) sum -= std::log(probability(r, i, name) + eps);
    return Sums{sum, static_cast<double>(r.count)};
  });
}

Kind perplexity(const Options& options) {
  OptionReader o("metric perplexity", options);
  const bool ignores = o.has("ignore_label");
  const double ignored = o.real("ignore_label", 0);
  o.ignore("axis");
  o.done();
  Kind kind = quotient("perplexity", [=](const NDArray& label, const NDArray& pred) {
    const Rows r = rows_of(label, pred, "perplexity");
    double sum = 0, count = 0;
    for (std::size_t i = 0; i < r.count; ++i) {
      if (ignores && r.label[i] == ignored) continue;
      sum -= std::log(std::max(1e-10, probability(r, i, "perplexity")));
      ++count;
    }
    return Sums{sum, count};
  });
  kind.value = [](const Sums& s) { return s[1] == 0 ? nothing : std::exp(s[0] / s[1]); };
  return kind;
}

/// True and false positives, false and true negatives of two-class predictions.
Sums confusion(const NDArray& label, const NDArray& pred, const std::string& name) {
  const Rows r = rows_of(label, pred, name);
  if (r.classes > 2) throw ConfigError("metric " + name + " is for two classes");
  Sums s(4);
  for (std::size_t i = 0; i < r.count; ++i) {
    if (r.label[i] != 0 && r.label[i] != 1)
      throw ConfigError(fmt::format("metric {} takes labels 0 and 1, not {}", name, r.label[i]));
    const bool said = r.best(i) == 1, is = r.label[i] == 1;
    s[said ? (is ? 0U : 1U) : (is ? 2U : 3U)] += 1;
  }
  return s;
}
double f1(const Sums& s) {
  const double precision = s[0] + s[1] > 0 ? s[0] / (s[0] + s[1]) : 0;
  const double recall = s[0] + s[2] > 0 ? s[0] / (s[0] + s[2]) : 0;
  return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
}
double mcc(const Sums& s) {
  double product = 1;
  for (const double d : {s[0] + s[1], s[0] + s[2], s[3] + s[1], s[3] + s[2]})
    if (d != 0) product *= d;
  return (s[0] * s[3] - s[1] * s[2]) / std::sqrt(product);
}
Kind of_confusion(const std::string& name, const Options& options, double (*f)(const Sums&)) {
  OptionReader o("metric " + name, options);
  const bool macro = o.choice("average", "macro", {"macro", "micro"}) == "macro";
  o.done();
  const auto measure = [name](const NDArray& l, const NDArray& p) { return confusion(l, p, name); };
  if (macro) return mean_of_batches(name, measure, f);
  return {name, true, measure, add, f};
}

/// Σ f(label − prediction) and count. 1-D lists go with columns.
template <class F>
auto of_differences(const std::string& name, F f) {
  return [name, f](const NDArray& label, const NDArray& pred) {
    const Values a = label.values(), b = pred.values();
    if (a.size() != b.size())
      throw ConfigError(
          fmt::format("metric {}: {} labels for {} predictions", name, a.size(), b.size()));
    Sums s(2);
    for (std::size_t i = 0; i < a.size(); ++i) s[0] += f(a[i] - b[i]);
    s[1] = static_cast<double>(a.size());
    return s;
  };
}
double square(double d) { return d * d; }
double magnitude(double d) { return std::abs(d); }

Sums moments(const NDArray& label, const NDArray& pred) {
  const Values x = pred.values(), y = label.values();
  if (x.size() != y.size()) throw ConfigError("metric pearsonr: as many labels as predictions");
  Sums s(6);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Sums row{1, x[i], y[i], x[i] * x[i], y[i] * y[i], x[i] * y[i]};
    add(row, s);
  }
  return s;
}
double correlation(const Sums& s) {
  const double n = s[0], xy = s[5] - s[1] * s[2] / n;
  return xy / std::sqrt((s[3] - s[1] * s[1] / n) * (s[4] - s[2] * s[2] / n));
}

/// The confusion matrix of K classes, row-major (prediction, label).
Sums matrix(const NDArray& label, const NDArray& pred) {
  const Rows r = rows_of(label, pred, "pcc");
  Sums m(r.classes * r.classes);
  for (std::size_t i = 0; i < r.count; ++i) {
    if (const std::size_t y = r.own(i); y < r.classes) m[r.best(i) * r.classes + y] += 1;
  }
  return m;
}
/// Gorodkin (2004): the correlation of K classes.
double matrix_correlation(const Sums& m) {
  const auto k = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(m.size()))));
  double n = 0, same = 0, both = 0, x2 = 0, y2 = 0;
  for (const double v : m) n += v;
  for (std::size_t c = 0; c < k; ++c) {
    double x = 0, y = 0;
    for (std::size_t j = 0; j < k; ++j) {
      x += m[c * k + j];
      y += m[j * k + c];
    }
    same += m[c * k + c];
    both += x * y;
    x2 += x * (n - x);
    y2 += y * (n - y);
  }
  return x2 * y2 == 0 ? nothing : (same * n - both) / std::sqrt(x2 * y2);
}

Kind loss(const std::string& name) {
  Kind kind = quotient(name, [](const NDArray&, const NDArray& pred) {
    double sum = 0;
    for (const double v : pred.values()) sum += v;
    return Sums{sum, static_cast<double>(pred.size())};
  });
  kind.needs_labels = false;
  return kind;
}

}  // namespace

Kind quotient(std::string name, std::function<Sums(const NDArray&, const NDArray&)> measure) {
  return {std::move(name), true, std::move(measure), add, ratio};
}

Kind find(const std::string& name, const Options& options) {
  const auto is = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  const auto plain = [&] { OptionReader("metric " + name, options).done(); };
  if (is({"top_k_accuracy", "top_k_acc"})) {
    OptionReader o("metric top_k_accuracy", options);
    const Index k = o.integer("top_k", 1);
    o.done();
    if (k < 2) throw ConfigError("metric top_k_accuracy: top_k must be above 1; else take acc");
    return quotient(fmt::format("top_k_accuracy_{}", k),
                    [k](const NDArray& label, const NDArray& pred) {
                      return top_k(label, pred, static_cast<std::size_t>(k));
                    });
  }
  if (is({"ce", "cross-entropy"})) return cross_entropy("cross-entropy", options);
  if (is({"nll_loss", "nll-loss"})) return cross_entropy("nll-loss", options);
  if (is({"perplexity"})) return perplexity(options);
  if (is({"f1"})) return of_confusion("f1", options, f1);
  if (is({"mcc"})) return of_confusion("mcc", options, mcc);
  if (is({"pearsonr"})) {
    OptionReader o("metric pearsonr", options);
    const bool macro = o.choice("average", "macro", {"macro", "micro"}) == "macro";
    o.done();
    if (macro) return mean_of_batches("pearsonr", moments, correlation);
    return {"pearsonr", true, moments, add, correlation};
  }
  if (is({"acc", "accuracy"})) {
    OptionReader o("metric accuracy", options);
    const Index axis = o.integer("axis", 1);
    o.done();
    return quotient("accuracy", [axis](const NDArray& label, const NDArray& pred) {
      return accuracy(label, pred, axis);
    });
  }
  plain();
  if (is({"mae"})) return mean_of_batches("mae", of_differences("mae", magnitude), ratio);
  if (is({"mse"})) return mean_of_batches("mse", of_differences("mse", square), ratio);
  if (is({"rmse"}))
    return mean_of_batches("rmse", of_differences("rmse", square),
                           [](const Sums& s) { return std::sqrt(ratio(s)); });
  if (is({"pcc"})) return {"pcc", true, matrix, add, matrix_correlation};
  if (is({"loss", "torch", "caffe"})) return loss(name);
  throw ConfigError("there is no metric '" + name + "'" +
                    suggestion(name, {"acc", "top_k_accuracy", "ce", "nll_loss", "perplexity", "f1",
                                      "mcc", "mae", "mse", "rmse", "pearsonr", "pcc", "loss"}) +
                    "; metric::np makes one's own");
}

}  // namespace svrg::metric_kinds
