#include "svrg/io/tuning_file.hpp"

#include <gtest/gtest.h>

#include "folder.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/file.hpp"

namespace svrg::io {
namespace {

/// Three folds, two points, two metrics, two outputs of two features.
TuningStudy sample() {
  TuningStudy study;
  study.data = "a9a.svm";
  study.command = "svrg tune a9a.svm";
  study.kind = "softmax";
  study.rows = 7;
  study.features = study.outputs = 2;
  study.seed = 3;
  study.ranks = 4;
  study.groups = 2;
  study.stratified = true;
  study.rule = "one-se";
  study.best = 1;
  study.settings = {"C=0.1", "C=1"};
  study.l2 = {1.5, 0.15};
  study.l1 = {0, 1e-3};
  study.metrics = {"acc", "ce"};
  study.held_out = {3, 2, 2};
  for (Index i = 0; i < 6; ++i) {
    const auto x = static_cast<double>(i);
    study.cells.push_back({.fold = i / 2,
                           .point = i % 2,
                           .scores = {0.5 + x, 2 * x},
                           .objective = 1 / (1 + x),
                           .grad_norm = 1e-7,
                           .passes = 3.5,
                           .seconds = 0.25,
                           .epochs = 4 + i,
                           .nonzeros = 9 - i,
                           .converged = i != 4});
  }
  study.mean = {1, 2, 3, 4};
  study.error = {0.1, 0.2, 0.3, 0.4};
  study.weights = {1, 2, 3, 4, 5, 6, 7, 8};
  study.biases = {-1, -2, -3, -4};
  study.fold_of_row = {0, 1, 2, 0, 1, 2, 0};
  return study;
}

TEST(TuningFile, comes_back_as_it_was) {
  const Folder folder;
  const std::string path = folder / "tuning.h5";
  TuningStudy study = sample();
  write_tuning(path, study);
  EXPECT_EQ(read_tuning(path), study);
  study.fold_of_row.clear();  // not kept
  study.biases.clear();       // a model without intercept
  write_tuning(path, study);
  EXPECT_EQ(read_tuning(path), study);
}

TEST(TuningFile, is_refused_where_it_is_damaged_or_of_another_kind) {
  const Folder folder;
  const std::string path = folder / "tuning.h5";
  write_tuning(path, sample());
  auto bytes = read_file(path);
  bytes[bytes.size() / 2] ^= std::byte{1};
  write_file(path, bytes);
  EXPECT_THROW(read_tuning(path), DataError);
  TuningStudy study = sample();
  study.chosen = 2;  // beyond the grid
  write_tuning(path, study);
  EXPECT_THROW(read_tuning(path), DataError);
}

}  // namespace
}  // namespace svrg::io
