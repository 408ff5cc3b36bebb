#include "model_choice.hpp"

#include <fmt/format.h>

#include "problem.hpp"
#include "svrg/core/error.hpp"
#include "svrg/model/initializer.hpp"
#include "svrg/train/predictor.hpp"
#include "text.hpp"

namespace svrg::app {
namespace {

std::vector<Index> counts(const Settings& settings, const char* name) {
  std::vector<Index> values;
  for (const double value : numbers(settings, name)) {
    if (!(value >= 1 && value <= 1 << 30) || value != std::floor(value))
      throw ConfigError(
          fmt::format("{}: must be whole numbers from 1, got {}", settings.place(name), value));
    values.push_back(static_cast<Index>(value));
  }
  return values;
}

Index product(const std::vector<Index>& shape) {
  Index values = 1;  // more than any row has is enough to know
  for (const Index n : shape) values = values > Index{1} << 32 ? values : values * n;
  return values;
}

}  // namespace

ModelChoice::ModelChoice(const Settings& settings)
    : settings_(settings),
      perceptron_(settings.is("model", "mlp")),
      intercept_(!settings.is("intercept", "no")) {
  if (settings.has("symbol")) {
    const Symbol symbol = Symbol::load(settings.text("symbol"));
    form_ = linear_form(symbol);
    if (form_) {
      intercept_ = form_->intercept;
    } else {
      symbol_ = symbol;
      try {
        Net::of(symbol);
      } catch (const ConfigError& error) {
        throw ConfigError(fmt::format("{}: {}; the library's SVRGModule trains any other net",
                                      settings.text("symbol"), error.what()));
      }
    }
  }
  if (!settings.given("intercept")) return;
  if (form_)
    throw ConfigError(settings.place("intercept") + ": the symbol's no_bias says so; leave it out");
  if (is_net()) throw ConfigError(settings.place("intercept") + ": not an option of nets");
}

LabelMap ModelChoice::labels(const Communicator& comm, const Shard& shard) const {
  std::vector<double> values;
  comm.agree("", [&] { values = numbers(settings_, "positive"); });
  const auto kind = [&]() -> std::string {
    if (form_) return std::string(loss_name(form_->loss));
    if (symbol_) return std::string(loss_name(Net::of(*symbol_).loss));
    return perceptron_ ? "auto" : settings_.text("model");
  };
  LabelMap labels = LabelMap::choose(comm, shard, kind(), values);
  // One score a class: two of them where there are two.
  if (perceptron_ && labels.loss == Loss::logistic) labels.loss = Loss::softmax;
  comm.agree("", [&] {
    if (form_ && form_->loss == Loss::softmax && form_->outputs != labels.scores_per_row())
      throw ConfigError(fmt::format("{}: {} outputs, but the labels have {} values",
                                    settings_.text("symbol"), form_->outputs,
                                    labels.scores_per_row()));
  });
  return labels;
}

std::vector<Index> ModelChoice::input_shape(Index columns) const {
  if (!settings_.has("input_shape")) return {columns};
  auto shape = counts(settings_, "input_shape");
  if (product(shape) != columns)
    throw ConfigError(
        fmt::format("{}: {} values a row, but the data have {} columns; "
                    "--n-features fixes their number",
                    settings_.place("input_shape"), product(shape), columns));
  return shape;
}

io::ModelRecord ModelChoice::record(const LabelMap& labels, const DataInfo& info) const {
  io::ModelRecord record;
  record.kind = loss_name(labels.loss);
  record.intercept = intercept_;
  record.penalised_intercept = settings_.is("intercept", "penalised");
  record.features = info.columns;
  record.classes = labels.classes;
  record.positive = labels.positive;
  record.feature_names = info.feature_names;
  if (!is_net()) return record;
  const Symbol symbol =
      symbol_ ? *symbol_
              : multilayer_perceptron(counts(settings_, "hidden"), settings_.text("activation"),
                                      labels.loss, labels.scores_per_row());
  record.symbol = symbol.to_json();
  record.input_shape = input_shape(info.columns);
  record.single = !settings_.is("dtype", "f64");
  const Index scores = Net::of(symbol).scores_per_row(record.input_shape);
  if (scores != labels.scores_per_row())
    throw ConfigError(fmt::format("{}: {} outputs, but the labels have {} values",
                                  settings_.text("symbol"), scores, labels.scores_per_row()));
  return record;
}

void require_names_for_files(const ParameterLayout& layout) {
  for (const Parameter& p : layout.all()) {
    const std::string path = io::parameter_path(p.name);
    bool good = io::parameter_name(path) == p.name;
    for (const Parameter& q : layout.all())
      good = good && !io::parameter_path(q.name).starts_with(path + "/");
    if (!good)
      throw ConfigError("the symbol's parameter '" + p.name +
                        "' needs another name: files have layers as folders, 'fc1_weight' in fc1");
  }
}

Vec<double> initial_weights(const io::ModelRecord& record, std::uint64_t seed) {
  const auto attributes = Symbol::from_json(record.symbol).attr_dict();
  const Initializer rule = initializer::Xavier();
  Vec<double> w = Vec<double>::Zero(record.layout.size());
  for (const Parameter& p : record.layout.all()) {
    std::string own;
    if (const auto node = attributes.find(p.name); node != attributes.end())
      if (const auto init = node->second.find("__init__"); init != node->second.end())
        own = init->second;
    rule.fill(p.name, p.shape, own, seed, {w.data() + p.offset, static_cast<std::size_t>(p.size)});
  }
  return w;
}

Index values_per_row(const io::ModelRecord& record) {
  const Net net = net_of(record);
  std::vector<Index> shape{1};
  shape.insert(shape.end(), record.input_shape.begin(), record.input_shape.end());
  Index values = 0;
  for (const auto& out : net.scores.get_internals().infer_shape({{net.data, shape}}).outputs)
    if (!out.empty() && out[0] == 1) values += product(out);
  return 2 * values;
}

std::uint64_t fingerprint(const std::string& text) {
  std::uint64_t hash = 14695981039346656037u;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash;
}

}  // namespace svrg::app
