#pragma once
#include <string>
#include <vector>

#include "svrg/core/parameters.hpp"
#include "svrg/core/state.hpp"

namespace svrg::io {

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
  std::string config;      // effective TOML
  std::string manifest;    // JSON
  State summary;           // values shown by `svrg inspect`: epoch, objective, grad_norm, …
};

/// Where a parameter stands in a file: "fc1_weight" in "params/fc1/weight", another name in
/// "params/<name>"; and back (empty for a path outside params/).
std::string parameter_path(const std::string& name);
/// The way back.
std::string parameter_name(const std::string& path);

/// Puts a model into a checkpoint's state, in the schema of model files: arrays at parameter_path
/// (row- major), `class`, `feature_name`, `positive`, `input_shape`, preprocess/{mean,scale};
/// values kind, intercept, n_features, l2, symbol, precision, config, manifest. What the state
/// already says otherwise stays; of the summary only what is not there yet is added.
void add_model(State& state, const ModelRecord& model);
/// The model in a state. The layout has each layer's weight before its bias, layers by name; a
/// linear_weight (K, d) is column_major, a bias has wd_mult 0.
/// @throws DataError (`name` is used in its message) if something is missing or does not fit.
ModelRecord model_from_state(const State& state, const std::string& name);

/// The record's weights in the order of another layout of the same parameters.
/// @throws DataError naming a parameter that is missing or of another shape
Vec<double> weights_for(const ModelRecord& model, const ParameterLayout& layout);

/// Writes a model file, whole and renamed, with the seal at its end. @throws OutputError
void save_model(const std::string& path, const ModelRecord& model);
/// Reads a model file or a sealed checkpoint (which carries the same schema). @throws DataError
ModelRecord load_model(const std::string& path);

}  // namespace svrg::io
