#include "svrg/io/model_file.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "folder.hpp"
#include "same_model.hpp"
#include "samples.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/checkpoint.hpp"
#include "svrg/io/document.hpp"
#include "svrg/io/file.hpp"

namespace svrg::io {
namespace {

class EveryLinearModel : public testing::TestWithParam<std::pair<Index, bool>> {};

TEST_P(EveryLinearModel, comes_back_from_its_file) {
  const Folder folder;
  const auto [rows, intercept] = GetParam();
  const ModelRecord model = sample_model(rows, 4, intercept);
  save_model(folder / "model.h5", model);
  expect_same(load_model(folder / "model.h5"), model);
}

TEST_P(EveryLinearModel, is_read_from_a_checkpoint_too) {
  const Folder folder;
  const auto [rows, intercept] = GetParam();
  const ModelRecord model = sample_model(rows, 4, intercept);
  State state;
  add_model(state, model);
  state.arrays["solver/momentum"] = {{5}, std::vector<double>(5)};
  CheckpointStore store(folder / "checkpoints", 1, {});
  expect_same(load_model(store.save(1, state)), model);
}

INSTANTIATE_TEST_SUITE_P(, EveryLinearModel,
                         testing::Values(std::pair{Index{1}, true}, std::pair{Index{1}, false},
                                         std::pair{Index{3}, true}, std::pair{Index{3}, false}));

TEST(ModelFile, shows_weights_by_class_and_feature) {
  const Folder folder;
  const ModelRecord model = sample_model(3, 4);
  save_model(folder / "model.h5", model);
  const Document document = from_image(read_file(folder / "model.h5"), "model");
  const Variable& weight = document.variables.at("params/linear/weight");
  EXPECT_EQ(weight.axes, (std::vector<std::string>{"class", "feature"}));
  EXPECT_EQ(weight.data.shape, (std::vector<Index>{3, 4}));
  const auto& values = std::get<std::vector<double>>(weight.data.data);
  for (Index k = 0; k < 3; ++k)
    for (Index j = 0; j < 4; ++j)
      EXPECT_EQ(values[static_cast<std::size_t>(k * 4 + j)], model.weights[j * 3 + k]);
  EXPECT_EQ(document.variables.at("params/linear/bias").axes, std::vector<std::string>{"class"});
  EXPECT_EQ(document.variables.at("feature_name").axes, std::vector<std::string>{"feature"});
  EXPECT_EQ(std::get<std::string>(document.attributes.at("kind")), "softmax");
  EXPECT_EQ(std::get<std::int64_t>(document.groups.at("state").at("epoch")), 12);
}

TEST(ModelFile, of_regression_has_neither_classes_nor_names) {
  const Folder folder;
  ModelRecord model = sample_model(1, 2);
  model.kind = "linear";
  model.classes.clear();
  model.feature_names.clear();
  save_model(folder / "model.h5", model);
  expect_same(load_model(folder / "model.h5"), model);
}

TEST(ModelFile, holds_the_layers_of_a_graph) {
  const Folder folder;
  ModelRecord model;
  model.kind = "symbol";
  for (const auto& [name, shape] : std::vector<std::pair<std::string, std::vector<Index>>>{
           {"bn_gamma", {3}}, {"fc1_weight", {3, 2}}, {"fc1_bias", {3}}, {"fc2_weight", {1, 3}}}) {
    Parameter parameter;
    parameter.name = name;
    parameter.shape = shape;
    if (name.ends_with("_bias")) parameter.wd_mult = 0;
    model.layout.add(parameter);
  }
  model.weights = Vec<double>::LinSpaced(model.layout.size(), 1, 15);
  save_model(folder / "model.h5", model);
  expect_same(load_model(folder / "model.h5"), model);
}

TEST(ModelFile, names_of_parameters_come_back_from_their_paths) {
  EXPECT_EQ(parameter_path("fc1_weight"), "params/fc1/weight");
  EXPECT_EQ(parameter_path("fc1_bias"), "params/fc1/bias");
  EXPECT_EQ(parameter_path("bn_gamma"), "params/bn_gamma");
  for (const char* name :
       {"linear_weight", "a_b_bias", "bn_gamma", "weight", "_weight", "bias", "x"})
    EXPECT_EQ(parameter_name(parameter_path(name)), name);
  EXPECT_EQ(parameter_name("solver/x"), "");
}

TEST(ModelFile, what_is_missing_or_does_not_fit_is_named) {
  State whole;
  add_model(whole, sample_model());
  ASSERT_NO_THROW(model_from_state(whole, "f"));
  const auto refused = [&](const auto& change, const char* word) {
    State state = whole;
    change(state);
    try {
      model_from_state(state, "file.h5");
      ADD_FAILURE() << word;
    } catch (const DataError& error) {
      const std::string what = error.what();
      EXPECT_TRUE(what.starts_with("file.h5")) << what;
      EXPECT_NE(what.find(word), std::string::npos) << what;
    }
  };
  for (const char* value : {"kind", "intercept", "n_features", "l2"})
    refused([&](State& s) { s.values.erase(value); }, value);
  refused([](State& s) { s.arrays.erase("params/linear/bias"); }, "intercept");
  refused([](State& s) { s.arrays.at("params/linear/weight").shape = {4, 3}; }, "n_features");
  refused([](State& s) { s.arrays["class"] = Array::vector(std::vector<double>{1}); }, "class");
  refused([](State& s) { s.arrays["feature_name"] = Array::vector(std::vector<double>(4)); },
          "feature_name");
  refused(
      [](State& s) { std::erase_if(s.arrays, [](const auto& a) { return a.first[0] == 'p'; }); },
      "parameters");
}

TEST(ModelFile, damage_anywhere_is_refused_or_changes_nothing) {
  const Folder folder;
  save_model(folder / "model.h5", sample_model(1, 2));
  const auto file = read_file(folder / "model.h5");
  const std::size_t content = file.size() - trailer_size;
  std::size_t accepted = 0;
  // As load_model reads, without the disk: there are thousands.
  const auto try_it = [&](std::span<const std::byte> bytes) {
    try {
      from_image(check_trailer(bytes, "model"), "model");
      ++accepted;
      EXPECT_GE(bytes.size(), content);
      EXPECT_TRUE(std::ranges::equal(bytes.first(content), std::span(file).first(content)));
    } catch (const DataError&) {
    }
  };
  auto damaged = file;
  for (std::size_t i = 0; i < file.size(); ++i) {
    damaged[i] = file[i] ^ std::byte(1U << (i % 8));
    try_it(damaged);
    damaged[i] = file[i];
  }
  for (std::size_t n = 0; n < file.size(); n += n < content - 100 ? 11U : 1U)
    try_it(std::span(file).first(n));
  EXPECT_LE(accepted, 2 * trailer_size);
}

TEST(ModelFile, other_files_are_refused) {
  const Folder folder;
  write_file(folder / "text", "hello");
  EXPECT_THROW(load_model(folder / "text"), DataError);
  write_file(folder / "empty", "");
  EXPECT_THROW(load_model(folder / "empty"), DataError);
  Document document;
  document.attributes = root_attributes("svrg-run", "");
  write_file(folder / "run.h5", to_image(document));
  EXPECT_THROW(load_model(folder / "run.h5"), DataError);
}

}  // namespace
}  // namespace svrg::io
