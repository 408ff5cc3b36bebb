#pragma once
#include <optional>
#include <string>
#include <vector>

#include "svrg/core/parameters.hpp"
#include "svrg/core/state.hpp"

namespace svrg::io {

/// How the scores of a model become probabilities: those of slope · z + offset in place of z.
struct Calibration {
  std::string method;            // "platt", "temperature"; empty: scores as they are
  double slope = 1, offset = 0;  // the offset of two classes alone
  double at(double z) const noexcept { return slope * z + offset; }
  bool operator==(const Calibration&) const = default;
};

/// A trained model as its file holds it (interface: "svrg-model"): `params/<layer>/{weight,bias}`,
/// class, feature_name, the settings that made it.
struct ModelRecord {
  std::string kind;    // of the loss: "linear", "logistic", "softmax", "svm-sq", "huber"
  std::string symbol;  // of a net, its symbol.json; empty for a linear model
  std::vector<Index> input_shape;  // of a row of a net's data
  bool single = false;             // a net's arithmetic is float
  ParameterLayout layout;
  Vec<double> weights;  // flat, [layout.size()]
  bool intercept = true, penalised_intercept = false;
  Index features = 0;
  std::vector<double> classes;   // label values by class number; empty for regression
  std::vector<double> positive;  // not empty: these label values are class 1, all others class 0
  std::vector<std::string> feature_names;
  std::vector<double> mean, scale;  // rows are (x − mean)/scale to the model; empty: 0 and 1
  double l2 = 0, l1 = 0;
  double huber_delta = 1;  // of the kind "huber"
  Calibration calibration;
  std::string config;    // effective TOML
  std::string manifest;  // JSON
  State summary;         // values shown by `svrg inspect`: epoch, objective, grad_norm, …
};

/// Where a parameter stands in a file: "fc1_weight" in "params/fc1/weight", another name in
/// "params/<name>"; and back (empty for a path outside params/).
std::string parameter_path(const std::string& name);
/// The way back.
std::string parameter_name(const std::string& path);

/// Puts a model into a checkpoint's state, in the schema of model files: arrays at parameter_path
/// (row- major), `class`, `feature_name`, `positive`, `input_shape`, preprocess/{mean,scale};
/// values kind, intercept, penalised_intercept, n_features, l2, symbol, precision, config,
/// manifest, calibration/{method,slope,offset}. What the state already says otherwise stays; of the
/// summary only what is not there yet is added.
void add_model(State& state, const ModelRecord& model);
/// The model in a state. The layout has each layer's weight before its bias, layers by name; a
/// linear_weight (K, d) is column_major, a bias has wd_mult 0 unless it is a penalised intercept
/// (which files of before do not say).
/// @throws DataError (`name` is used in its message) if something is missing or does not fit.
ModelRecord model_from_state(const State& state, const std::string& name);

/// The record's weights in the order of another layout of the same parameters.
/// @throws DataError naming a parameter that is missing or of another shape
Vec<double> weights_for(const ModelRecord& model, const ParameterLayout& layout);

/// The same scores on raw rows, without mean and scale: these are folded into the weights and the
/// intercept of a linear model. The penalty of its training was on the weights as they were.
/// @throws ConfigError for a net, or where means were taken off without an intercept
ModelRecord without_scaling(const ModelRecord& model);

/// How a model is written.
enum class ModelFormat { hdf5, liblinear, npz, json, onnx };
/// By suffix: .h5 and .hdf5, .model (liblinear's text), .npz, .json, .onnx; nothing for another.
std::optional<ModelFormat> known_model_format(const std::string& path);
/// The same. @throws ConfigError for another, naming those
ModelFormat model_format(const std::string& path);
/// The format of a model or checkpoint, by how the file begins; HDF5 only if it says what it holds.
/// Nothing for other files and for what cannot be read. Local.
std::optional<ModelFormat> model_format_of(const std::string& path);

/// Writes a model file, whole and renamed, in the format of its suffix. Only HDF5 is sealed, and
/// holds everything, as .npz does; JSON leaves out what of the summary is not finite; liblinear's
/// text holds weights, classes and intercept (liblinear_text), ONNX what it takes to predict
/// (onnx_text).
/// @throws ConfigError on another suffix, or a model the format has no place for; OutputError
void save_model(const std::string& path, const ModelRecord& model);
/// Reads a model file of any format, told by its content, or a sealed checkpoint (which carries the
/// same schema). @throws DataError
ModelRecord load_model(const std::string& path);

}  // namespace svrg::io
