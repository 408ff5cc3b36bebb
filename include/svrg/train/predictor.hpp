#pragma once
#include <memory>

#include "svrg/io/model_file.hpp"
#include "svrg/model/model.hpp"
#include "svrg/model/net.hpp"
#include "svrg/train/label_map.hpp"

namespace svrg {

/// A model with its weights, for scoring rows. Local.
class Predictor {
 public:
  virtual ~Predictor() = default;
  virtual const ParameterLayout& layout() const = 0;
  virtual Index scores_per_row() const = 0;
  /// w [layout().size()]
  virtual void set_weights(ConstVecRef<double> w) = 0;
  /// Margins of one part's rows, [count, scores_per_row()], row-major: z of the loss φ(y, z).
  virtual void score(const Batch& batch, const Part& part, std::span<double> scores) = 0;
  /// From scores to probabilities; labels go by the scores themselves.
  const io::Calibration& calibration() const noexcept { return calibration_; }
  /// In place of the record's.
  void set_calibration(io::Calibration calibration) { calibration_ = std::move(calibration); }

 private:
  io::Calibration calibration_;
};

/// Of a linear model, or of a net where the record has a symbol; with the record's weights where it
/// has some. @throws DataError where the record contradicts itself
std::unique_ptr<Predictor> make_predictor(const io::ModelRecord& record);

/// The net of a record that has a symbol. @throws DataError, ConfigError
Net net_of(const io::ModelRecord& record);

/// What the labels of data mean to a recorded model. @throws DataError where the record
/// contradicts itself
LabelMap labels_of(const io::ModelRecord& record);

}  // namespace svrg
