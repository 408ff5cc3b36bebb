// A model is the same in every format that holds all of it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "folder.hpp"
#include "io/json_state.hpp"
#include "same_model.hpp"
#include "samples.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/checkpoint.hpp"
#include "svrg/io/document.hpp"
#include "svrg/io/file.hpp"

namespace svrg::io {
namespace {

struct Case {
  const char* suffix;
  const char* kind;
  bool intercept, scaled, named;
};

ModelRecord model_of(const Case& c) {
  const bool softmax = c.kind == std::string("softmax");
  ModelRecord model = sample_model(softmax ? 3 : 1, 4, c.intercept);
  model.kind = c.kind;
  // Numbers that decimal digits must get right.
  for (Index j = 0; j < model.weights.size(); ++j)
    model.weights[j] = std::exp(static_cast<double>(37 * j % 11 - 5)) / 3 * (j % 2 ? -1 : 1);
  model.weights[0] = 5e-324;
  model.weights[1] = -0.0;
  model.l1 = 0.1 + 0.2;
  if (c.kind == std::string("linear") || c.kind == std::string("huber")) model.classes.clear();
  if (c.kind == std::string("svm-sq")) model.positive = {3, 5};
  if (c.scaled) model.scale = {0.1, 3, 1, 1e-3};
  if (c.scaled && c.intercept) model.mean = {1, -2.5, 0, 1.0 / 3};
  if (!c.named) model.feature_names.clear();
  if (c.named) model.feature_names[2] = "größe \"€\" 𝛽";
  return model;
}

class EveryFormat : public testing::TestWithParam<Case> {};

TEST_P(EveryFormat, gives_back_the_model) {
  const Folder folder;
  const ModelRecord model = model_of(GetParam());
  const std::string path = folder / "a" + GetParam().suffix;
  save_model(path, model);
  expect_same(load_model(path), model);
  EXPECT_EQ(model_format_of(path), model_format(path));
  // The content counts, not the name.
  std::filesystem::rename(path, folder / "b");
  expect_same(load_model(folder / "b"), model);
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const char* suffix : {".h5", ".hdf5", ".npz", ".json"})
    for (const char* kind : {"linear", "huber", "logistic", "svm-sq", "softmax"})
      for (const bool intercept : {true, false})
        for (const bool scaled : {true, false})
          for (const bool named : {true, false})
            cases.push_back({suffix, kind, intercept, scaled, named});
  return cases;
}
INSTANTIATE_TEST_SUITE_P(, EveryFormat, testing::ValuesIn(all_cases()));

TEST(ModelFormat, keeps_that_an_intercept_is_penalised) {
  const Folder folder;
  ModelRecord model = sample_model();
  model.penalised_intercept = true;
  Parameter weight = model.layout.at("linear_weight"), bias = model.layout.at("linear_bias");
  bias.wd_mult = 1;
  model.layout = {};
  model.layout.add(weight);
  model.layout.add(bias);
  for (const char* name : {"m.h5", "m.npz", "m.json"}) {
    save_model(folder / name, model);
    expect_same(load_model(folder / name), model);
  }
  const Document document = from_image(read_file(folder / "m.h5"), "m");
  EXPECT_EQ(std::get<std::int64_t>(document.attributes.at("penalised_intercept")), 1);
  // Files of before do not say it.
  State old;
  add_model(old, sample_model());
  old.values.erase("penalised_intercept");
  expect_same(model_from_state(old, "old"), sample_model());
}

TEST(ModelFormat, holds_nets) {
  const Folder folder;
  ModelRecord model;
  model.kind = "softmax";
  model.symbol = "{\"nodes\": []}\n";
  model.input_shape = {1, 2};
  model.single = true;
  model.features = 2;
  model.classes = {1, 2, 7};
  for (const auto& [name, shape] : std::vector<std::pair<std::string, std::vector<Index>>>{
           {"conv_weight", {3, 1, 2, 2}}, {"fc1_weight", {3, 2}}, {"fc1_bias", {3}}}) {
    Parameter parameter;
    parameter.name = name;
    parameter.shape = shape;
    if (name.ends_with("_bias")) parameter.wd_mult = 0;
    model.layout.add(parameter);
  }
  model.weights = Vec<double>::LinSpaced(model.layout.size(), -1, 1);
  for (const char* name : {"m.h5", "m.npz", "m.json"}) {
    save_model(folder / name, model);
    expect_same(load_model(folder / name), model);
  }
  EXPECT_THROW(save_model(folder / "m.model", model), ConfigError);
  EXPECT_THROW(without_scaling(model), ConfigError);
}

TEST(ModelFormat, is_chosen_by_the_suffix_alone) {
  const Folder folder;
  for (const char* name : {"m", "m.pkl", "m.H5", "m.npz.gz", "npz", ".json"}) {
    EXPECT_FALSE(known_model_format(name)) << name;
    try {
      save_model(folder / name, sample_model());
      ADD_FAILURE() << name;
    } catch (const ConfigError& error) {
      for (const char* known : {".h5", ".hdf5", ".model", ".npz", ".json", ".onnx"})
        EXPECT_NE(std::string(error.what()).find(known), std::string::npos) << error.what();
    }
    EXPECT_FALSE(std::filesystem::exists(folder / name));
  }
}

TEST(ModelFormat, of_checkpoints_rows_and_texts_is_told_by_their_content) {
  const Folder folder;
  State state;
  add_model(state, sample_model());
  CheckpointStore store(folder / "checkpoints", 1, {});
  EXPECT_EQ(model_format_of(store.save(1, state)), ModelFormat::hdf5);
  Document rows;
  rows.attributes = root_attributes("svrg-data", "");
  write_file(folder / "rows.h5", to_image(rows));
  EXPECT_FALSE(model_format_of(folder / "rows.h5"));
  write_file(folder / "rows.svm", "1 1:0.5\n");
  EXPECT_FALSE(model_format_of(folder / "rows.svm"));
  EXPECT_THROW(load_model(folder / "rows.svm"), DataError);
  EXPECT_FALSE(model_format_of(folder / "nothing"));
  EXPECT_FALSE(model_format_of(folder.path()));
}

TEST(ModelFormat, json_has_neither_nan_nor_infinity) {
  const Folder folder;
  ModelRecord model = sample_model();
  model.summary.values["gap"] = nan_value;  // a figure only
  save_model(folder / "m.json", model);
  EXPECT_FALSE(load_model(folder / "m.json").summary.values.contains("gap"));
  model.weights[3] = INFINITY;
  EXPECT_THROW(save_model(folder / "n.json", model), OutputError);
  EXPECT_FALSE(std::filesystem::exists(folder / "n.json"));
  model.weights[3] = 1;
  model.feature_names[0] = "\xff";
  EXPECT_THROW(save_model(folder / "n.json", model), OutputError);
  EXPECT_THROW(save_model(folder / "n.npz", model), OutputError);
}

// JSON has no checksum: another digit is another model, but nothing worse.
TEST(ModelFormat, damaged_json_is_refused_or_still_a_model) {
  State state;
  add_model(state, model_of({"", "logistic", true, true, true}));
  const std::string text = to_json(state, "svrg-model");
  ASSERT_NO_THROW(model_from_state(from_json(text, "svrg-model", "m"), "m"));
  const auto try_it = [](const std::string& damaged) {
    try {
      const State read = from_json(damaged, "svrg-model", "m");
      const ModelRecord model = model_from_state(read, "m");
      EXPECT_EQ(model.weights.size(), model.layout.size());
      return true;
    } catch (const DataError& error) {
      EXPECT_TRUE(std::string_view(error.what()).starts_with("m: ")) << error.what();
      return false;
    }
  };
  for (std::size_t n = 0; n + 1 < text.size(); ++n) EXPECT_FALSE(try_it(text.substr(0, n))) << n;
  for (std::size_t i = 0; i < text.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = text;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      try_it(damaged);
    }
  try_it(std::string(100000, '['));
  try_it("{\"a\":" + std::string(100000, '['));
}

TEST(ModelFormat, json_says_what_is_wrong) {
  State state;
  add_model(state, sample_model());
  const std::string text = to_json(state, "svrg-model");
  const auto refused = [&](const std::string& from, const std::string& to, const char* word) {
    std::string changed = text;
    const auto at = changed.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    changed.replace(at, from.size(), to);
    try {
      model_from_state(from_json(changed, "svrg-model", "m.json"), "m.json");
      ADD_FAILURE() << to;
    } catch (const DataError& error) {
      EXPECT_TRUE(std::string_view(error.what()).starts_with("m.json: ")) << error.what();
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  };
  refused("svrg-model", "svrg-run", "svrg-run");
  refused("\"1.0\"", "\"2.0\"", "2.0");
  refused("\"arrays\"", "\"array\"", "arrays");
  refused("\"shape\"", "\"form\"", "shape");
  refused("\"softmax\"", "3", "kind");
  refused("\"kind\"", "\"../kind\"", "../kind");
}

TEST(ModelFormat, without_scaling_gives_raw_rows_the_same_scores) {
  for (const char* kind : {"linear", "logistic", "softmax"})
    for (const bool intercept : {true, false}) {
      const ModelRecord model = model_of({"", kind, intercept, true, true});
      const ModelRecord raw = without_scaling(model);
      EXPECT_TRUE(raw.mean.empty() && raw.scale.empty());
      const Index K = model.layout.at("linear_weight").shape[0], d = model.features;
      const auto score = [&](const ModelRecord& m, const Vec<double>& x, Index k) {
        double z = intercept ? m.weights[d * K + k] : 0;
        for (Index j = 0; j < d; ++j) {
          const auto c = static_cast<std::size_t>(j);
          z += m.weights[j * K + k] * (x[j] - (m.mean.empty() ? 0 : m.mean[c])) /
               (m.scale.empty() ? 1 : m.scale[c]);
        }
        return z;
      };
      const Vec<double> x = Vec<double>::LinSpaced(d, -3, 4);
      for (Index k = 0; k < K; ++k)
        EXPECT_NEAR(score(raw, x, k), score(model, x, k), 1e-12 * std::fabs(score(model, x, k)));
      const ModelRecord again = without_scaling(raw);
      expect_same(again, raw);
    }
  ModelRecord centred = model_of({"", "linear", false, true, true});
  centred.mean = {1, 2, 3, 4};
  EXPECT_THROW(without_scaling(centred), ConfigError);
}

}  // namespace
}  // namespace svrg::io
