// Rebuilds a recorded training run from its file alone and steps through it. Several devices are
// contexts, two workers likewise: a batch is then the workers' batches one after the other.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "golden/comparison.hpp"
#include "golden/workers.hpp"
#include "svrg/core/error.hpp"
#include "svrg/module/iterators.hpp"
#include "svrg/module/svrg_module.hpp"

namespace golden {
namespace {

using svrg::Index;
using svrg::NDArray;
using svrg::io::Document;
using Json = nlohmann::json;

class Replay {
 public:
  Replay(const Document& file, Comparison& result)
      : file_(file),
        result_(result),
        config_(Json::parse(attribute(file, "", "config"))),
        group_(attribute(file, "", "use")),
        label_(config_["label"]),
        devices_(config_.value("ndev", Index{1})),
        plain_(config_.value("plain", false)),
        compressed_(config_.contains("compression") && !config_["compression"].is_null()),
        x_(array(file, "data/X")),
        y_(array(file, "data/Y")) {
    for (const auto& [path, v] : file.variables)
      if (path.starts_with(group_ + "/rank"))
        workers_ = std::max(workers_, path[group_.size() + 5] - '0' + Index{1});
    loads_.assign(static_cast<std::size_t>(devices_), 1);
    if (config_.contains("work_load_list") && !config_["work_load_list"].is_null())
      loads_ = config_["work_load_list"].get<std::vector<double>>();
  }

  void run() {
    Workers train(x_, y_, config_, workers_);
    make_module();
    svrg::Module& m = *module_;
    m.bind(train.provide_data(), train.provide_label());
    svrg::InitParamsOptions init;
    for (const auto& [path, v] : file_.variables) {
      if (path.starts_with("init/arg/")) init.arg_params[path.substr(9)] = array(file_, path);
      if (path.starts_with("init/aux/")) init.aux_params[path.substr(9)] = array(file_, path);
    }
    m.init_params(init);
    init_optimizer();

    SlicedMetrics metrics(config_, workers_, loads_), evaluation(config_, workers_, loads_);
    const auto epochs = config_["epochs"].get<Index>();
    Index updates = 0;
    for (Index epoch = 0; epoch < epochs; ++epoch) {
      metrics.reset();
      if (svrg_ && epoch % svrg_->update_freq() == 0) {
        svrg_->update_full_grads(train);
        compare_full_gradient(passes_++);
      }
      train.reset();
      while (const svrg::DataBatch* batch = train.next()) {
        m.forward_backward(*batch);
        m.update();
        compare_update(updates);
        metrics.update(batch->label[0], m.get_outputs());
        compare_batch_metric(updates, metrics);
        ++updates;
        last_label_ = batch->label[0];
      }
      const auto params = m.get_params();
      m.set_params(params.arg, params.aux);
      for (const auto& [name, values] : params.arg)
        compare_row("epoch_end/arg/" + name, epoch, values);
      for (const auto& [name, values] : params.aux)
        compare_row("epoch_end/aux/" + name, epoch, values);
      compare_metric("train_metric/", epoch, metrics);
      if (has(file_, "data/eval_X")) evaluate(epoch, evaluation);
    }
    predict();
  }

 private:
  std::string path(const std::string& name, Index worker = 0) const {
    return workers_ > 1 ? fmt::format("{}/rank{}/{}", group_, worker, name) : group_ + "/" + name;
  }

  void make_module() {
    svrg::ModuleOptions options;
    options.label_names = {label_};
    for (Index d = 0; d < devices_ * workers_; ++d)
      options.context.push_back(svrg::cpu(static_cast<int>(d)));
    for (Index w = 0; w < workers_; ++w)
      options.work_load_list.insert(options.work_load_list.end(), loads_.begin(), loads_.end());
    if (config_.contains("fixed") && !config_["fixed"].is_null())
      options.fixed_param_names = recorded_as_fixed(config_["fixed"]);
    if (compressed_) options.compression_params = options_of(config_["compression"]);
    const auto text =
        std::get<std::vector<std::string>>(file_.variables.at("symbol_json").data.data);
    const auto symbol = svrg::Symbol::from_json(text.at(0));
    const auto arguments =
        std::get<std::vector<std::string>>(file_.variables.at("arguments").data.data);
    result_.check("list_arguments()", symbol.list_arguments() == arguments);
    result_.check("symbol.json comes back the same",
                  svrg::Symbol::from_json(symbol.to_json()).to_json() == symbol.to_json());
    const auto world = svrg::Communicator::world();
    if (plain_) {
      module_ = std::make_unique<svrg::Module>(symbol, options, world);
      return;
    }
    options.update_freq = config_["update_freq"].get<Index>();
    auto made = std::make_unique<svrg::SVRGModule>(symbol, options, world);
    svrg_ = made.get();
    module_ = std::move(made);
  }

  /// The original's kernel computes no gradient for the bias beside a fixed weight, so that it
  /// stays as well; ours moves, but the trace can only be followed with it held.
  std::vector<std::string> recorded_as_fixed(std::vector<std::string> names) const {
    const std::size_t given = names.size();
    for (std::size_t i = 0; i < given; ++i) {
      if (!names[i].ends_with("_weight")) continue;
      const std::string bias = names[i].substr(0, names[i].size() - 6) + "bias";
      const std::string where = path("full_grads/" + bias);
      if (!has(file_, where)) continue;
      const auto values = numbers(file_, where);
      const bool lost = std::all_of(values.begin(), values.end(), [](double v) { return v == 0; });
      const bool named = std::find(names.begin(), names.end(), bias) != names.end();
      if (lost && !named) names.push_back(bias);
    }
    return names;
  }

  void init_optimizer() {
    Json opt = config_["opt"];
    svrg::InitOptimizerOptions options;
    options.optimizer = opt["name"];
    opt.erase("name");
    if (opt.contains("lr_scheduler")) {
      const Json spec = opt["lr_scheduler"];
      options.lr_scheduler = svrg::make_lr_scheduler(spec["type"], options_of(spec));
      opt.erase("lr_scheduler");
    }
    options.optimizer_params = options_of(opt);
    module_->init_optimizer(options);
  }

  /// Row `at` of a recorded dataset, if there is one.
  std::optional<std::vector<double>> recorded(const std::string& where, Index at) const {
    if (!has(file_, where)) return {};
    const auto extents = shape(file_, where);
    if (extents.empty() || at >= extents[0]) return {};
    const auto all = numbers(file_, where);
    const auto size = static_cast<std::ptrdiff_t>(all.size()) / extents[0];
    return std::vector<double>(all.begin() + at * size, all.begin() + (at + 1) * size);
  }

  void compare_row(const std::string& name, Index at, const NDArray& got, double scale = 0) {
    for (Index w = 0; w < workers_; ++w)
      if (const auto expected = recorded(path(name, w), at))
        result_.compare(fmt::format("{}[{}]", path(name, w), at), got.values(), *expected, scale);
  }

  void compare_update(Index update) {
    const auto params = module_->get_params();
    for (const auto& [name, values] : params.arg) compare_row("updates/" + name, update, values);
    if (compressed_) return;  // what is recorded is what was there before quantisation
    const auto gradients = module_->get_gradients();
    std::map<std::string, std::vector<double>> sums;
    double largest =
        0;  // of any gradient: one that is 0 but for rounding is measured by the others
    for (const auto& [name, values] : gradients) {
      const auto sum = handed_to_optimizer(name, update);
      if (sum.empty()) continue;
      for (const double v : sum) largest = std::max(largest, std::abs(v));
      sums[name] = sum;
    }
    for (const auto& [name, sum] : sums)
      result_.compare(fmt::format("gradient/{}[{}]", name, update), gradients.at(name).values(),
                      sum, largest);
  }

  /// Sum over devices and workers of g(w) − g(w̃) + F; empty where it is not recorded. (What MXNet
  /// itself handed on, grad_svrg, is overwritten in distributed runs.)
  std::vector<double> handed_to_optimizer(const std::string& name, Index update) const {
    std::vector<double> sum;
    const auto add = [&](const std::string& where, Index at, double sign) {
      const auto parts = recorded(where, at);
      if (!parts) return false;
      sum.resize(parts->size() / static_cast<std::size_t>(devices_));
      for (std::size_t i = 0; i < parts->size(); ++i) sum[i % sum.size()] += sign * (*parts)[i];
      return true;
    };
    for (Index w = 0; w < workers_; ++w) {
      if (!add(path("grad_main/" + name, w), update, 1)) return {};
      if (plain_) continue;
      if (!add(path("grad_aux/" + name, w), update, -1)) return {};
      if (!add(path("full_grads/" + name, w), passes_ - 1, 1)) return {};
    }
    return sum;
  }

  // The file has B·μ, in equal shares on its devices.
  void compare_full_gradient(Index pass) {
    const double share = config_["batch"].get<double>() / static_cast<double>(devices_);
    const auto means = svrg_->get_full_grads();
    double largest = 0;  // as for gradients
    for (const auto& [name, mean] : means)
      for (const double v : mean.values()) largest = std::max(largest, std::abs(v * share));
    for (const auto& [name, mean] : means) {
      std::vector<float> all;
      for (Index d = 0; d < devices_; ++d)
        for (const double v : mean.values()) all.push_back(static_cast<float>(v * share));
      const auto size = static_cast<Index>(all.size());
      compare_row("full_grads/" + name, pass, NDArray({size}, std::move(all)), largest);
    }
  }

  void compare_batch_metric(Index update, const SlicedMetrics& metrics) {
    for (Index w = 0; w < workers_; ++w) {
      const auto expected = recorded(path("batch_metric", w), update);
      if (!expected) continue;
      std::vector<double> got;
      for (const auto& [name, value] : metrics.values(w)) got.push_back(value);
      result_.compare(fmt::format("{}[{}]", path("batch_metric", w), update), got, *expected);
    }
  }

  void compare_metric(const std::string& kind, Index epoch, const SlicedMetrics& metrics) {
    for (Index w = 0; w < workers_; ++w)
      for (const auto& [name, value] : metrics.values(w))
        if (const auto expected = recorded(path(kind + name, w), epoch))
          result_.compare(path(kind + name, w), std::vector{value}, *expected);
  }

  void evaluate(Index epoch, SlicedMetrics& metrics) {
    svrg::NDArrayIter data(svrg::NamedArrays({{"data", array(file_, "data/eval_X")}}),
                           svrg::NamedArrays({{label_, array(file_, "data/eval_Y")}}),
                           {.batch_size = config_["batch"].get<Index>()});
    metrics.reset();
    while (const svrg::DataBatch* batch = data.next()) {
      module_->forward(*batch, false);
      metrics.update(batch->label[0], module_->get_outputs());
    }
    compare_metric("eval_metric/", epoch, metrics);
  }

  void predict() {
    const auto batch = config_["batch"].get<Index>();
    const Index share = x_.rows() / workers_;
    for (Index w = 0; w < workers_; ++w) {
      if (!has(file_, path("predict", w))) continue;
      const Index end = std::min(w * share + 3 * batch + 1, (w + 1) * share);
      svrg::NDArrayIter data(svrg::NamedArrays({{"data", rows(x_, w * share, end)}}), {},
                             {.batch_size = batch});
      // The original's label arrays still hold the last batch's; an output that shows them needs
      // so.
      std::vector<double> outputs;
      while (const svrg::DataBatch* given = data.next()) {
        svrg::DataBatch labelled = *given;
        if (last_label_.rows() == batch) labelled.label = {last_label_};
        module_->forward(labelled, false);
        const NDArray out = module_->get_outputs().at(0);
        const auto values = rows(out, 0, out.rows() - given->pad).values();
        outputs.insert(outputs.end(), values.begin(), values.end());
      }
      result_.compare(path("predict", w), outputs, numbers(file_, path("predict", w)));
    }
  }

  const Document& file_;
  Comparison& result_;
  Json config_;
  std::string group_, label_;
  Index devices_, workers_ = 1, passes_ = 0;
  bool plain_, compressed_;
  NDArray x_, y_, last_label_;
  std::vector<double> loads_;
  std::unique_ptr<svrg::Module> module_;
  svrg::SVRGModule* svrg_ = nullptr;
};

}  // namespace

void replay_training(const Document& file, Comparison& result) { Replay(file, result).run(); }

}  // namespace golden
