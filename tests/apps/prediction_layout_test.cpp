#include "prediction_layout.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "svrg/io/document.hpp"
#include "svrg/io/file.hpp"

namespace svrg::app {
namespace {

const LabelMap two{Loss::logistic, {-1, 7}, {}}, three{Loss::softmax, {0, 2, 5}, {}},
    numbers{Loss::squared, {}, {}};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(Predictions, go_by_the_suffix_unless_a_layout_is_asked_for) {
  EXPECT_EQ(prediction_layout("auto", ""), PredictionLayout::csv);
  EXPECT_EQ(prediction_layout("auto", "a/b.h5"), PredictionLayout::hdf5);
  EXPECT_EQ(prediction_layout("auto", "b.jsonl"), PredictionLayout::jsonl);
  EXPECT_EQ(prediction_layout("auto", "b.txt"), PredictionLayout::csv);
  EXPECT_EQ(prediction_layout("liblinear", "b.h5"), PredictionLayout::liblinear);
  EXPECT_EQ(prediction_layout("csv", "b.jsonl"), PredictionLayout::csv);
}

TEST(Predictions, of_liblinear_have_the_class_of_positive_scores_first) {
  const std::vector<double> scores = {std::log(3.0), -std::log(4.0)};
  EXPECT_EQ(predictions({PredictionLayout::liblinear, false, false}, two, scores), "7\n-1\n");
  EXPECT_EQ(predictions({PredictionLayout::liblinear, true, false}, two, scores),
            "labels 7 -1\n7 0.75 0.25\n-1 0.2 0.8\n");
}

TEST(Predictions, as_objects_have_the_numbers_of_the_table_and_null_for_no_number) {
  const std::vector<double> scores = {0.1, 0.7, -3, 2, 2.5, 1.0 / 3};
  const auto objects = lines_of(predictions({PredictionLayout::jsonl, true, true}, three, scores));
  const auto rows = lines_of(predictions({PredictionLayout::csv, true, true}, three, scores));
  ASSERT_EQ(objects.size(), 2U);
  ASSERT_EQ(rows.size(), 3U);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto object = nlohmann::json::parse(objects[i]);
    std::vector<double> flat{object.at("label")};
    for (const double p : object.at("proba")) flat.push_back(p);
    for (std::size_t k = 0; k < 3; ++k) {
      EXPECT_EQ(object.at("score").at(k).get<double>(), scores[3 * i + k]);
      flat.push_back(object.at("score").at(k));
    }
    std::istringstream cells(rows[i + 1]);
    for (const double value : flat) {
      std::string cell;
      std::getline(cells, cell, ',');
      EXPECT_NEAR(std::stod(cell), value, 1e-8);
    }
  }
  const std::vector<double> bad = {std::numeric_limits<double>::quiet_NaN()};
  const auto line = predictions({PredictionLayout::jsonl, false, true}, numbers, bad);
  EXPECT_TRUE(nlohmann::json::parse(line).at("score").is_null());
}

TEST(Predictions, as_a_file_have_their_scales) {
  const std::vector<double> scores = {0.1, 0.7, -3, 2, 2.5, 1.0 / 3};
  const std::string text = predictions({PredictionLayout::hdf5, true, true}, three, scores);
  const auto bytes = std::as_bytes(std::span(text));
  const auto document = io::from_image(io::check_trailer(bytes, "out"), "out");
  using Axes = std::vector<std::string>;
  EXPECT_EQ(document.variables.at("proba").axes, (Axes{"row", "class"}));
  EXPECT_EQ(document.variables.at("score").axes, (Axes{"row", "class"}));
  EXPECT_EQ(document.variables.at("label").axes, Axes{"row"});
  const auto values = [&](const char* name) {
    return std::get<std::vector<double>>(document.variables.at(name).data.data);
  };
  EXPECT_EQ(values("class"), three.classes);
  EXPECT_EQ(values("score"), scores);
  EXPECT_EQ(values("label"), (std::vector<double>{2, 2}));
  const auto proba = values("proba");
  for (std::size_t i = 0; i < 6; i += 3) {
    EXPECT_NEAR(proba[i] + proba[i + 1] + proba[i + 2], 1, 1e-15);
    EXPECT_NEAR(std::log(proba[i + 1] / proba[i]), scores[i + 1] - scores[i], 1e-12);
  }
  const std::vector<double> one = {0.5, 1.5};
  const std::string plain = predictions({PredictionLayout::hdf5, false, true}, numbers, one);
  const auto read = io::from_image(std::as_bytes(std::span(plain)), "out");
  EXPECT_EQ(read.variables.size(), 2U);  // label and score, which are the same for numbers
}

}  // namespace
}  // namespace svrg::app
