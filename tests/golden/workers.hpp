#pragma once
#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <vector>

#include "golden/comparison.hpp"
#include "golden/json_options.hpp"
#include "svrg/core/error.hpp"
#include "svrg/module/iterators.hpp"
#include "svrg/module/metric.hpp"

namespace golden {

using svrg::Index;
using svrg::NDArray;
using svrg::io::Document;
using Json = nlohmann::json;

inline NDArray array(const Document& file, const std::string& path) {
  const auto values = numbers(file, path);
  return {shape(file, path), std::vector<float>(values.begin(), values.end())};
}

inline NDArray rows(const NDArray& all, Index begin, Index end) {
  const auto& data = std::get<svrg::DenseStore<float>>(all.store).data;
  const Index size = all.row_size();
  auto cut = all.shape;
  cut[0] = end - begin;
  return {cut, std::vector<float>(data.begin() + begin * size, data.begin() + end * size)};
}

inline NDArray joined(const std::vector<NDArray>& parts) {
  NDArray all = parts[0];
  auto& data = std::get<svrg::DenseStore<float>>(all.store).data;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto& more = std::get<svrg::DenseStore<float>>(parts[i].store).data;
    data.insert(data.end(), more.begin(), more.end());
    all.shape[0] += parts[i].shape[0];
  }
  return all;
}

/// The workers' iterators side by side.
class Workers : public svrg::DataIter {
 public:
  Workers(const NDArray& x, const NDArray& y, const Json& config, Index workers) {
    const Index share = x.rows() / workers;
    const std::string label = config["label"];
    for (Index w = 0; w < workers; ++w)
      parts_.push_back(std::make_unique<svrg::NDArrayIter>(
          svrg::NamedArrays({{"data", rows(x, w * share, (w + 1) * share)}}),
          svrg::NamedArrays({{label, rows(y, w * share, (w + 1) * share)}}),
          svrg::NDArrayIterOptions{.batch_size = config["batch"].get<Index>(),
                                   .last_batch_handle = config.value("last", "pad")}));
    data_ = parts_[0]->provide_data();
    label_ = parts_[0]->provide_label();
    data_[0].shape[0] = label_[0].shape[0] = batch_size();
  }
  const std::vector<svrg::DataDesc>& provide_data() const override { return data_; }
  const std::vector<svrg::DataDesc>& provide_label() const override { return label_; }
  Index batch_size() const override {
    return parts_[0]->batch_size() * static_cast<Index>(parts_.size());
  }
  Index batches() const override { return parts_[0]->batches(); }
  void reset() override {
    for (auto& part : parts_) part->reset();
  }
  const svrg::DataBatch* next() override {
    std::vector<NDArray> x, y;
    batch_.pad = 0;
    for (auto& part : parts_) {
      const svrg::DataBatch* own = part->next();
      if (!own) return nullptr;
      x.push_back(own->data[0]);
      y.push_back(own->label[0]);
      batch_.pad = own->pad;
    }
    if (parts_.size() > 1 && batch_.pad > 0)
      throw svrg::ConfigError("padding of several workers cannot be told apart from rows");
    batch_.data = {joined(x)};
    batch_.label = {joined(y)};
    return &batch_;
  }

 private:
  std::vector<std::unique_ptr<svrg::NDArrayIter>> parts_;
  std::vector<svrg::DataDesc> data_, label_;
  svrg::DataBatch batch_;
};

/// One metric a worker; each device's slice is a batch to it, as the original has it.
class SlicedMetrics {
 public:
  SlicedMetrics(const Json& config, Index workers, std::vector<double> loads)
      : workers_(workers), loads_(std::move(loads)) {
    for (Index w = 0; w < workers; ++w)
      metrics_.push_back(svrg::metric::create(config["metrics"].get<std::vector<std::string>>()));
  }
  void reset() {
    for (auto& metric : metrics_) metric->reset();
  }
  void update(const NDArray& label, const std::vector<NDArray>& outputs) {
    const Index share = label.rows() / workers_;
    const double total = std::accumulate(loads_.begin(), loads_.end(), 0.0);
    for (Index w = 0; w < workers_; ++w) {
      Index from = w * share;
      for (std::size_t d = 0; d < loads_.size(); ++d) {
        const bool last = d + 1 == loads_.size();
        const Index to = last ? (w + 1) * share
                              : from + std::llround(static_cast<double>(share) * loads_[d] / total);
        std::vector<NDArray> own;
        // Outputs that are not one a row (a loss of its own shape) are cut in proportion.
        for (const NDArray& out : outputs)
          own.push_back(
              rows(out, from * out.rows() / label.rows(), to * out.rows() / label.rows()));
        const std::vector<NDArray> labels{rows(label, from, to)};
        auto& metric = *metrics_[static_cast<std::size_t>(w)];
        metric.update(labels, own);
        metric.reduce(svrg::Communicator::self());
        from = to;
      }
    }
  }
  svrg::EvalMetric::Values values(Index worker) const {
    return metrics_[static_cast<std::size_t>(worker)]->get_name_value();
  }

 private:
  Index workers_;
  std::vector<double> loads_;
  std::vector<std::shared_ptr<svrg::EvalMetric>> metrics_;
};

}  // namespace golden
