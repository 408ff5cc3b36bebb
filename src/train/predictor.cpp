#include "svrg/train/predictor.hpp"

#include <fmt/format.h>

#include "svrg/core/error.hpp"
#include "svrg/model/executor.hpp"

namespace svrg {
namespace {

class LinearPredictor : public Predictor {
 public:
  explicit LinearPredictor(LinearModel model) : model_(std::move(model)) {}
  const ParameterLayout& layout() const override { return model_.layout(); }
  Index scores_per_row() const override { return model_.scores_per_row(); }
  void set_weights(ConstVecRef<double> w) override { w_ = w; }
  void score(const Batch& batch, const Part& part, std::span<double> scores) override {
    model_.predict(w_, batch, part, scores);
  }

 private:
  LinearModel model_;
  Vec<double> w_;
};

template <class Real>
class NetPredictor : public Predictor {
 public:
  NetPredictor(const Net& net, const std::vector<Index>& item_shape)
      : data_(net.data),
        scores_(net.scores_per_row(item_shape)),
        executor_(net.scores, {.inputs = {{net.data, shape(item_shape)}}, .training = false}) {}
  const ParameterLayout& layout() const override { return executor_.layout(); }
  Index scores_per_row() const override { return scores_; }
  void set_weights(ConstVecRef<double> w) override { w_ = w.cast<Real>(); }
  void score(const Batch& batch, const Part& part, std::span<double> scores) override {
    Vec<Real> no_states;
    for (Index done = 0; done < part.count; done += block) {
      const Index count = std::min(block, part.count - done);
      executor_.begin(count);
      executor_.load(data_, batch.inputs[0].rows, batch.pick, part.first + done);
      executor_.forward(w_, no_states, {.pass = {.training = false}});
      const auto out = executor_.output(0);
      std::copy(out.begin(), out.end(), scores.begin() + done * scores_);
    }
  }

 private:
  static constexpr Index block = 128;
  static std::vector<Index> shape(const std::vector<Index>& item_shape) {
    std::vector<Index> all{block};
    all.insert(all.end(), item_shape.begin(), item_shape.end());
    return all;
  }
  std::string data_;
  Index scores_;
  Executor<Real> executor_;
  Vec<Real> w_;
};

std::unique_ptr<Predictor> make(const io::ModelRecord& record) {
  if (record.symbol.empty())
    return std::make_unique<LinearPredictor>(
        LinearModel(loss_from_name(record.kind), record.features,
                    static_cast<Index>(record.classes.size()), record.intercept));
  const Net net = net_of(record);
  if (record.single) return std::make_unique<NetPredictor<float>>(net, record.input_shape);
  return std::make_unique<NetPredictor<double>>(net, record.input_shape);
}

}  // namespace

std::unique_ptr<Predictor> make_predictor(const io::ModelRecord& record) {
  try {
    auto predictor = make(record);
    if (record.weights.size() > 0)
      predictor->set_weights(io::weights_for(record, predictor->layout()));
    predictor->set_calibration(record.calibration);
    const LabelMap labels = labels_of(record);
    if (predictor->scores_per_row() != labels.scores_per_row())
      throw DataError(fmt::format("{} scores a row, but {} classes", predictor->scores_per_row(),
                                  record.classes.size()));
    return predictor;
  } catch (const ConfigError& error) {
    throw DataError(error.what());
  }
}

Net net_of(const io::ModelRecord& record) {
  return Net::of(Symbol::from_json(record.symbol, "the model's symbol"));
}

LabelMap labels_of(const io::ModelRecord& record) {
  LabelMap labels;
  labels.loss = loss_from_name(record.kind);
  labels.classes = record.classes;
  labels.positive = record.positive;
  const std::size_t classes = record.classes.size();
  if (takes_numbers(labels.loss) ? classes != 0
                                 : classes < 2 || (takes_two_classes(labels.loss) && classes != 2))
    throw DataError(fmt::format("a {} model cannot have {} classes", record.kind, classes));
  return labels;
}

}  // namespace svrg
