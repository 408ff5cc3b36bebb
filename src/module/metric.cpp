// A metric is three small functions: what a batch's rows say (sums that ranks may add up), what
// that means for a batch, and how batches make a value.
#include "svrg/module/metric.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "module/metric_kinds.hpp"
#include "svrg/core/error.hpp"

namespace svrg {
namespace {

using metric_kinds::Kind;
using metric_kinds::Sums;

class Single : public EvalMetric {
 public:
  explicit Single(Kind kind) : kind_(std::move(kind)) {}

  void update(std::span<const NDArray> labels, std::span<const NDArray> preds) override {
    if (kind_.needs_labels && labels.size() != preds.size())
      throw ConfigError(fmt::format("metric {}: {} labels for {} outputs", kind_.name,
                                    labels.size(), preds.size()));
    static const NDArray none;
    for (std::size_t i = 0; i < preds.size(); ++i)
      pending_.push_back(kind_.measure(kind_.needs_labels ? labels[i] : none, preds[i]));
  }

  void reduce(const Communicator& comm) override {
    std::vector<double> flat;
    for (const Sums& sums : pending_) flat.insert(flat.end(), sums.begin(), sums.end());
    comm.sum(std::span(flat));
    auto from = flat.begin();
    for (const Sums& sums : pending_) {
      const auto to = from + static_cast<std::ptrdiff_t>(sums.size());
      for (Sums* totals : {&local_, &global_}) kind_.fold(Sums(from, to), *totals);
      from = to;
    }
    pending_.clear();
  }

  Values get_name_value() const override { return {{kind_.name, value(local_)}}; }
  Values get_global_name_value() const override { return {{kind_.name, value(global_)}}; }
  void reset() override {
    pending_.clear();
    local_.clear();
    global_.clear();
  }
  void reset_local() override { local_.clear(); }

 private:
  double value(const Sums& totals) const {
    if (!pending_.empty())
      throw ConfigError("metric " + kind_.name + ": reduce() comes before its value is asked for");
    return totals.empty() ? std::numeric_limits<double>::quiet_NaN() : kind_.value(totals);
  }
  Kind kind_;
  std::vector<Sums> pending_;
  Sums local_, global_;
};

class Composite : public EvalMetric {
 public:
  explicit Composite(std::vector<std::shared_ptr<EvalMetric>> parts) : parts_(std::move(parts)) {}
  void update(std::span<const NDArray> labels, std::span<const NDArray> preds) override {
    for (const auto& part : parts_) part->update(labels, preds);
  }
  void reduce(const Communicator& comm) override {
    for (const auto& part : parts_) part->reduce(comm);
  }
  Values get_name_value() const override { return all(&EvalMetric::get_name_value); }
  Values get_global_name_value() const override { return all(&EvalMetric::get_global_name_value); }
  void reset() override {
    for (const auto& part : parts_) part->reset();
  }
  void reset_local() override {
    for (const auto& part : parts_) part->reset_local();
  }

 private:
  Values all(Values (EvalMetric::*get)() const) const {
    Values values;
    for (const auto& part : parts_)
      for (const auto& value : ((*part).*get)()) values.push_back(value);
    return values;
  }
  std::vector<std::shared_ptr<EvalMetric>> parts_;
};

}  // namespace

std::shared_ptr<EvalMetric> metric::create(const std::string& name, const Options& options) {
  return std::make_shared<Single>(metric_kinds::find(name, options));
}

std::shared_ptr<EvalMetric> metric::create(const std::vector<std::string>& names) {
  if (names.size() == 1) return create(names[0]);
  std::vector<std::shared_ptr<EvalMetric>> parts;
  parts.reserve(names.size());
  for (const std::string& name : names) parts.push_back(create(name));
  return composite(std::move(parts));
}

std::shared_ptr<EvalMetric> metric::composite(std::vector<std::shared_ptr<EvalMetric>> parts) {
  return std::make_shared<Composite>(std::move(parts));
}

std::shared_ptr<EvalMetric> metric::np(const std::string& name, SumAndCount function) {
  Kind kind = metric_kinds::quotient(name, {});
  kind.measure = [function = std::move(function)](const NDArray& label, const NDArray& pred) {
    const auto [sum, count] = function(label, pred);
    return Sums{sum, count};
  };
  return std::make_shared<Single>(std::move(kind));
}

}  // namespace svrg
