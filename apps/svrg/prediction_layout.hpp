#pragma once
#include <span>
#include <string>
#include <string_view>

#include "svrg/io/model_file.hpp"
#include "svrg/train/label_map.hpp"

namespace svrg::app {

enum class PredictionLayout { csv, jsonl, liblinear, hdf5 };

/// What `svrg predict` writes of a row, and as what.
struct PredictionOptions {
  PredictionLayout layout = PredictionLayout::csv;
  bool proba = false, scores = false;
  io::Calibration calibration{};  // of the probabilities; labels go by the scores
};

/// --layout, or by the suffix of the output's name. Local.
PredictionLayout prediction_layout(std::string_view asked, std::string_view out);

/// The whole output, a row for each of `scores` [rows · scores per row]. Local.
///   csv        label, then probabilities by ascending class, then scores; a header if there is
///              more than the label
///   jsonl      an object a row: label, proba [classes], score (a number, or [classes])
///   liblinear  as liblinear-predict writes: labels; with proba a header and probabilities, both
///              in the order of the model's labels that --export gives it
///   hdf5       the bytes of a file with datasets label, proba, score on scales row and class
std::string predictions(const PredictionOptions& options, const LabelMap& labels,
                        std::span<const double> scores);

}  // namespace svrg::app
